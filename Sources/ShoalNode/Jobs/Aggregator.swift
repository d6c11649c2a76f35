// The all-reduce: every rank sends its packed partial to every other and adds what it receives.
// Integer sums, so that neither order nor grouping can change a bit.

package import ShoalProtocol

/// Exchanges the partial sums of one rank of one stage. Lives on the rank's thread.
package final class Aggregator {
  /// Its place in the stage.
  private let rank: Int
  /// By place in the stage; nil for this one.
  private let links: [(any FrameLink)?]
  private let clock: any MeshClock
  private var pacer: Pacer
  private var packed = LinkBuffer(count: 64 << 10)
  /// Since the last `takeCost`; what the links count comes in then.
  private var cost = ExchangeCost()

  package init(rank: Int, links: [(any FrameLink)?], clock: any MeshClock, pacer: Pacer) {
    self.rank = rank
    self.links = links
    self.clock = clock
    self.pacer = pacer
  }

  /// The parts of all exchanges since the last call.
  package func takeCost() -> ExchangeCost {
    defer { cost = ExchangeCost() }
    for case let link? in links { cost.link += link.takeCost() }
    return cost
  }

  /// Replaces `sums` by their total over all ranks.
  ///
  /// - Parameter kept: takes one rank's part as well, where this sum is audited.
  package func reduce(
    _ sums: UnsafeMutableBufferPointer<Int64>, binding: StepBinding, sequence: UInt32, index: Int,
    deadline: Moment, keeping kept: KeptPartial? = nil
  ) throws(JobFailure) {
    guard links.count > 1 else { return }
    let start = clock.now()
    let header = PartialHeader(
      binding: binding.value, sequence: sequence, index: UInt16(index), rank: UInt16(rank))
    let count = try unsafe pack(sums, header)
    cost.pack += start.until(clock.now())
    pacer.deliver(
      count, to: links.indices.lazy.filter { [rank] in $0 != rank }, since: start)
    // Each rank begins with its successor, so that no rank is everybody's first.
    for step in 1..<links.count {
      try send(count, to: (rank + step) % links.count)
    }
    for step in 1..<links.count {
      try unsafe add((rank + links.count - step) % links.count, header, to: sums, deadline, kept)
    }
    cost.total += start.until(clock.now())
  }

  private func pack(
    _ sums: UnsafeMutableBufferPointer<Int64>, _ header: PartialHeader
  ) throws(JobFailure) -> Int {
    packed.reserve(PartialHeader.count + PartialCodec.capacity(for: sums.count))
    unsafe header.write(to: packed.bytes)
    let body = unsafe UnsafeMutableRawBufferPointer(
      rebasing: packed.bytes[PartialHeader.count...])
    do {
      return try unsafe PartialHeader.count
        + PartialCodec.encode(UnsafeBufferPointer(sums), into: body)
    } catch {
      throw .numericRange(layer: max(0, Int(header.index) - 1) / 2)
    }
  }

  private func send(_ count: Int, to other: Int) throws(JobFailure) {
    guard let link = links[other] else { return }
    do {
      try unsafe link.send(.partial, capacity: count) { buffer in
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: packed.bytes[..<count]))
        return count
      }
    } catch {
      throw .peerLost(link.peer)
    }
    cost.bytesSent += UInt64(count)
  }

  private func add(
    _ other: Int, _ mine: PartialHeader, to sums: UnsafeMutableBufferPointer<Int64>,
    _ deadline: Moment, _ kept: KeptPartial?
  ) throws(JobFailure) {
    guard let link = links[other] else { return }
    let frame = try link.receiveFromRank(deadline: deadline, clock)
    let expected = PartialHeader(
      binding: mine.binding, sequence: mine.sequence, index: mine.index, rank: UInt16(other))
    guard frame.type == .partial, unsafe PartialHeader(frame.payload) == expected else {
      throw .protocolViolation(link.peer, .invalid(field: "partial of another step"))
    }
    let opened = clock.now()
    defer { cost.add += opened.until(clock.now()) }
    let packed = unsafe UnsafeRawBufferPointer(rebasing: frame.payload[PartialHeader.count...])
    do {
      try unsafe PartialCodec.decodeAdding(packed, to: sums)
      if let kept, kept.rank == other { try unsafe kept.take(packed, count: sums.count) }
    } catch {
      throw .protocolViolation(link.peer, .invalid(field: "partial"))
    }
  }
}

/// One rank's part of one sum, as it said it.
package final class KeptPartial {
  /// Its place in the stage.
  var rank = 0
  private(set) var sums: [Int64] = []

  package init() {}

  fileprivate func take(
    _ packed: UnsafeRawBufferPointer, count: Int
  ) throws(PartialError) {
    sums.removeAll(keepingCapacity: true)
    sums.append(contentsOf: repeatElement(0, count: count))
    try unsafe sums.withUnsafeMutableBufferPointer { sums throws(PartialError) in
      try unsafe PartialCodec.decodeAdding(packed, to: sums)
    }
  }
}
