// A frame link between two ranks of one process: the same frames, no sockets, no seal.

public import ShoalProtocol
private import Synchronization

/// One end of an in-memory link. Frames wait in a bounded queue, where buffers are reused.
@safe public final class MemoryLink: FrameLink, @unchecked Sendable {
  public let peer: PeerID
  private let inbox: MemoryQueue
  private let outbox: MemoryQueue
  private var incoming = LinkBuffer(count: 16 << 10)

  private init(peer: PeerID, inbox: MemoryQueue, outbox: MemoryQueue) {
    self.peer = peer
    self.inbox = inbox
    self.outbox = outbox
  }

  /// Two ends that hear each other: the first is held by `left` and reaches `right`.
  public static func pair(
    left: PeerID, right: PeerID, waits: () -> any ThreadGate
  ) -> (MemoryLink, MemoryLink) {
    let forward = MemoryQueue(gate: waits())
    let backward = MemoryQueue(gate: waits())
    return (
      MemoryLink(peer: right, inbox: backward, outbox: forward),
      MemoryLink(peer: left, inbox: forward, outbox: backward)
    )
  }

  public func send(
    _ type: FrameType, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws {
    var frame = outbox.takeSpare()
    if frame.count < capacity + 1 {
      frame.append(contentsOf: repeatElement(0, count: capacity + 1 - frame.count))
    }
    frame[0] = type.rawValue
    let count = try unsafe frame.withUnsafeMutableBytes { bytes in
      try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: bytes[1..<1 + capacity]))
    }
    guard outbox.push(frame, count: count) else { throw FrameLinkError.link(.closed) }
  }

  public func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame {
    guard let (frame, count) = try inbox.pop(deadline: deadline) else { throw .link(.closed) }
    incoming.reserve(count)
    let payload = unsafe UnsafeMutableRawBufferPointer(rebasing: incoming.bytes[..<count])
    unsafe payload.copyBytes(from: frame[1..<1 + count])
    inbox.giveSpare(frame)
    guard let type = FrameType(rawValue: frame[0]) else { throw .frame("type \(frame[0])") }
    return unsafe ReceivedFrame(type: type, payload: UnsafeRawBufferPointer(payload))
  }

  public func shutdown() {
    inbox.close()
    outbox.close()
  }
}

/// Frames in one direction.
private final class MemoryQueue: Sendable {
  private struct State {
    var frames: [(bytes: [UInt8], count: Int)] = []
    var spares: [[UInt8]] = []
    var isClosed = false
  }

  /// More than two ranks in step can ever have under way.
  private static let limit = 64
  private let state = Mutex(State())
  private let gate: any ThreadGate

  init(gate: any ThreadGate) { self.gate = gate }

  func takeSpare() -> [UInt8] { state.withLock { $0.spares.popLast() ?? [] } }

  func giveSpare(_ bytes: [UInt8]) {
    state.withLock { if $0.spares.count < 4 { $0.spares.append(bytes) } }
  }

  func push(_ bytes: [UInt8], count: Int) -> Bool {
    let isOpen = state.withLock { state in
      guard !state.isClosed, state.frames.count < Self.limit else { return false }
      state.frames.append((bytes, count))
      return true
    }
    gate.signal()
    return isOpen
  }

  func pop(deadline: Moment?) throws(FrameLinkError) -> ([UInt8], Int)? {
    while true {
      let next = state.withLock { state -> (([UInt8], Int)?, Bool) in
        state.frames.isEmpty ? (nil, state.isClosed) : (state.frames.removeFirst(), false)
      }
      if let frame = next.0 { return frame }
      if next.1 { return nil }
      guard gate.wait(until: deadline) else { throw .link(.timedOut(afterNanoseconds: 0)) }
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    gate.signal()
  }
}
