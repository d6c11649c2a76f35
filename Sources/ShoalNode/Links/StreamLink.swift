// One stream of several that a sealed connection carries, one after the other: a job opens a stream
// to each rank and between all of them, and a handshake for each would cost more than its first
// token.

internal import ShoalProtocol
private import Synchronization

/// What became of the connection under a stream that has ended on this side.
enum StreamEnd: Sendable, Hashable {
  /// The other side has ended it too: the connection is free.
  case free
  /// The other side's end is still to come; what comes before it belongs to nobody.
  case draining
  /// The connection is shut.
  case broken
}

/// A stream between its hello and its end. One thread sends and one receives; `shutdown` may come
/// from any and is final, whatever the connection is used for afterwards.
final class StreamLink: FrameLink {
  private struct Flags {
    static let sending: UInt8 = 1
    static let receiving: UInt8 = 2
    static let ended: UInt8 = 4
    static let endedThere: UInt8 = 8
    static let broken: UInt8 = 16
  }

  private let connection: SealedLink
  private let flags = Atomic<UInt8>(0)
  private let atEnd: @Sendable (StreamEnd) -> Void

  /// - Parameter atEnd: called once, when the stream has ended on this side.
  init(_ connection: SealedLink, atEnd: @escaping @Sendable (StreamEnd) -> Void) {
    self.connection = connection
    self.atEnd = atEnd
  }

  deinit { shutdown() }

  var peer: PeerID { connection.peer }

  func send(
    _ type: FrameType, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws {
    try enter(Flags.sending)
    defer { leave(Flags.sending) }
    do {
      try unsafe connection.send(type, capacity: capacity, fill)
    } catch let error as FrameLinkError {
      mark(Flags.broken)
      throw error
    }
  }

  func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame {
    try enter(Flags.receiving)
    defer { leave(Flags.receiving) }
    guard !has(Flags.endedThere) else { throw .link(.closed) }
    let frame: ReceivedFrame
    do {
      frame = try connection.receive(deadline: deadline)
    } catch {
      mark(Flags.broken)
      throw error
    }
    guard frame.type != .end else {
      mark(Flags.endedThere)
      throw .link(.closed)
    }
    return frame
  }

  /// Ends the stream. Where a thread is at work on it, or something went wrong, the connection goes
  /// with it: that is what wakes whoever waits.
  func shutdown() {
    let before = flags.bitwiseOr(Flags.ended, ordering: .acquiringAndReleasing).oldValue
    guard before & Flags.ended == 0 else { return }
    guard before & (Flags.sending | Flags.receiving | Flags.broken) == 0, sayEnd() else {
      connection.shutdown()
      return atEnd(.broken)
    }
    atEnd(before & Flags.endedThere == 0 ? .draining : .free)
  }

  private func sayEnd() -> Bool {
    do {
      try connection.send(.end, [])
      return true
    } catch {
      return false
    }
  }

  func takeCost() -> LinkCost { connection.takeCost() }

  private func enter(_ flag: UInt8) throws(FrameLinkError) {
    let before = flags.bitwiseOr(flag, ordering: .acquiringAndReleasing).oldValue
    guard before & Flags.ended == 0 else { throw .link(.closed) }
  }
  private func leave(_ flag: UInt8) {
    _ = flags.bitwiseAnd(~flag, ordering: .acquiringAndReleasing)
  }
  private func mark(_ flag: UInt8) { _ = flags.bitwiseOr(flag, ordering: .acquiringAndReleasing) }
  private func has(_ flag: UInt8) -> Bool { flags.load(ordering: .acquiring) & flag != 0 }
}
