// What stands before everything that ranks send each other, what that took, and how they hear it.

internal import ShoalProtocol

/// What a partial, or what is handed over, belongs to: sixteen bytes in front of it. A difference
/// in any field ends the job.
package struct PartialHeader: Hashable {
  package static let count = 16
  let binding: UInt64
  let sequence: UInt32
  let index: UInt16
  let rank: UInt16

  package func write(to bytes: UnsafeMutableRawBufferPointer) {
    unsafe bytes.storeBytes(of: binding.littleEndian, toByteOffset: 0, as: UInt64.self)
    unsafe bytes.storeBytes(of: sequence.littleEndian, toByteOffset: 8, as: UInt32.self)
    unsafe bytes.storeBytes(of: index.littleEndian, toByteOffset: 12, as: UInt16.self)
    unsafe bytes.storeBytes(of: rank.littleEndian, toByteOffset: 14, as: UInt16.self)
  }

  package init(binding: UInt64, sequence: UInt32, index: UInt16, rank: UInt16) {
    self.binding = binding
    self.sequence = sequence
    self.index = index
    self.rank = rank
  }

  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.count else { return nil }
    binding = UInt64(littleEndian: unsafe bytes.loadUnaligned(as: UInt64.self))
    sequence = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    index = UInt16(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
    rank = UInt16(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 14, as: UInt16.self))
  }
}

/// What a rank's exchanges took since somebody asked, in nanoseconds, and what they sent.
package struct ExchangeCost: Sendable, Hashable {
  /// Packing the own partial, and copying it for each link.
  package var pack: UInt64 = 0
  package var link = LinkCost()
  /// Unpacking and adding those of others.
  package var add: UInt64 = 0
  package var bytesSent: UInt64 = 0
  /// From the first look at the sums to the last addition.
  package var total: UInt64 = 0
}

extension ExchangeCost {
  package static func += (total: inout ExchangeCost, part: ExchangeCost) {
    total.pack += part.pack
    total.link += part.link
    total.add += part.add
    total.bytesSent += part.bytesSent
    total.total += part.total
  }
}

extension FrameLink {
  /// The next frame of another rank; a failure names it.
  func receiveFromRank(
    deadline: Moment, _ clock: any MeshClock
  ) throws(JobFailure) -> ReceivedFrame {
    let asked = clock.now()
    do {
      return try receive(deadline: deadline)
    } catch {
      switch error {
      case .link(.timedOut):
        throw .deadline(peer, milliseconds: Int((clock.now() - asked).nanoseconds / 1_000_000))
      case .link: throw .peerLost(peer)
      case .frame, .unexpected: throw .protocolViolation(peer, .invalid(field: "frame"))
      }
    }
  }
}
