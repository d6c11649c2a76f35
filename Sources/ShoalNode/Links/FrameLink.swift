// Frames between two peers, one thread at each end: what the data path is written against.

public import ShoalProtocol

/// Why frames stopped.
public enum FrameLinkError: Error, Sendable, Hashable {
  case link(LinkError)
  /// The other side broke the frame layer: not authentic, too long, unknown type.
  case frame(String)
  case unexpected(FrameType)
}

/// A frame as it was received. The bytes are valid until the next `receive` on the same link.
@safe public struct ReceivedFrame {
  public let type: FrameType
  public let payload: UnsafeRawBufferPointer

  public init(type: FrameType, payload: UnsafeRawBufferPointer) {
    self.type = type
    unsafe self.payload = payload
  }
}

/// Where a link's time went, in nanoseconds.
public struct LinkCost: Sendable, Hashable {
  public var seal: UInt64 = 0
  public var send: UInt64 = 0
  /// For the other side, and to take what it sent out of the kernel.
  public var wait: UInt64 = 0
  public var open: UInt64 = 0

  public init() {}

  static func += (total: inout LinkCost, part: LinkCost) {
    total.seal += part.seal
    total.send += part.send
    total.wait += part.wait
    total.open += part.open
  }
}

/// A stream of frames. One thread sends and receives; `shutdown` may come from any.
public protocol FrameLink: AnyObject, Sendable {
  /// Who is at the other end.
  var peer: PeerID { get }

  /// Sends one frame whose payload `fill` writes: it is given room for `capacity` bytes and returns
  /// how many it used. Nothing is allocated once the link has seen a frame of that size.
  func send(
    _ type: FrameType, capacity: Int,
    _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws

  /// The next frame. Throws `FrameLinkError.link(.timedOut)` at `deadline`.
  func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame

  /// Ends the link and wakes whoever waits on it.
  func shutdown()

  /// What frames took since the last call; zeros where a link does not look.
  func takeCost() -> LinkCost
}

extension FrameLink {
  public func takeCost() -> LinkCost { LinkCost() }

  public func send(_ type: FrameType, _ payload: [UInt8]) throws {
    try unsafe send(type, capacity: payload.count) { buffer in
      unsafe buffer.copyBytes(from: payload)
      return payload.count
    }
  }

  public func send(_ message: JobMessage) throws { try send(.job, message.bytes) }
  public func send(_ message: ShardMessage) throws { try send(.shard, message.bytes) }

  /// The payload of the next frame, which must be of `type`.
  public func receive(_ type: FrameType, deadline: Moment?) throws -> [UInt8] {
    let frame = try receive(deadline: deadline)
    guard frame.type == type else { throw FrameLinkError.unexpected(frame.type) }
    return unsafe Array(frame.payload)
  }

  public func receiveJob(deadline: Moment?) throws -> JobMessage {
    try JobMessage(bytes: receive(.job, deadline: deadline))
  }
  public func receiveShard(deadline: Moment?) throws -> ShardMessage {
    try ShardMessage(bytes: receive(.shard, deadline: deadline))
  }
}
