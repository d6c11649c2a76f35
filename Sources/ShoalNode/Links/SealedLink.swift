// A frame link over a connection, every frame sealed in place in buffers that live as long as it.

public import ShoalProtocol
public import ShoalSecurity

/// Seals and opens frames on a direct link. Used by one thread at a time; that is what makes it
/// sendable, with `shutdown`, which touches only the link below.
@safe public final class SealedLink: FrameLink, @unchecked Sendable {
  public let peer: PeerID
  private let link: any DirectLink
  private var sealer: FrameSealer
  private var opener: FrameOpener
  private var outgoing: LinkBuffer
  private var incoming: ReadAhead
  private let limits: FrameLimits
  private let clock: any MeshClock
  private var rekeyed: Moment
  private var cost = LinkCost()

  /// A key is used for at most that long (docs/PROTOCOL.md, "Security").
  private static let keyLifetime = Duration.seconds(120)

  public init(
    peer: PeerID, link: any DirectLink, sealer: consuming FrameSealer,
    opener: consuming FrameOpener, clock: any MeshClock
  ) {
    self.peer = peer
    self.link = link
    self.sealer = sealer
    self.opener = opener
    self.clock = clock
    rekeyed = clock.now()
    outgoing = LinkBuffer(count: 16 << 10)
    incoming = ReadAhead(count: 64 << 10)
    var table: [UInt8: Int] = [:]
    for type in FrameType.allCases { table[type.rawValue] = type.limit }
    limits = FrameLimits(table)
  }

  public func send(
    _ type: FrameType, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws {
    try rekeyIfDue()
    outgoing.reserve(capacity + FrameHeader.overhead)
    let room = unsafe UnsafeMutableRawBufferPointer(
      rebasing: outgoing.bytes[FrameHeader.count..<FrameHeader.count + capacity])
    let count = try unsafe fill(room)
    do {
      let filled = clock.now()
      let length = try unsafe sealer.seal(
        type: type.rawValue, in: outgoing.bytes, payloadCount: count)
      let sealed = clock.now()
      try unsafe link.send(UnsafeRawBufferPointer(rebasing: outgoing.bytes[..<length]))
      cost.seal += filled.until(sealed)
      cost.send += sealed.until(clock.now())
    } catch let error as LinkError {
      throw FrameLinkError.link(error)
    }
  }

  private func rekeyIfDue() throws {
    let now = clock.now()
    guard now - rekeyed >= Self.keyLifetime else { return }
    rekeyed = now
    let length = try unsafe sealer.rekey(in: outgoing.bytes)
    try unsafe link.send(UnsafeRawBufferPointer(rebasing: outgoing.bytes[..<length]))
  }

  public func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame {
    do {
      while true {
        let asked = clock.now()
        try gather(FrameHeader.count, deadline: deadline)
        let header = try unsafe opener.header(
          UnsafeRawBufferPointer(incoming.unread), limits: limits)
        try gather(FrameHeader.count + header.sealedCount, deadline: deadline)
        let received = clock.now()
        cost.wait += asked.until(received)
        defer { cost.open += received.until(clock.now()) }
        let body = unsafe UnsafeMutableRawBufferPointer(
          rebasing: incoming.unread[FrameHeader.count..<FrameHeader.count + header.sealedCount])
        incoming.take(FrameHeader.count + header.sealedCount)
        guard let count = try unsafe opener.open(header, in: body) else { continue }
        guard let type = FrameType(rawValue: header.type) else {
          throw FrameError.unknownType(header.type)
        }
        return unsafe ReceivedFrame(
          type: type, payload: UnsafeRawBufferPointer(rebasing: body[..<count]))
      }
    } catch let error as LinkError {
      throw .link(error)
    } catch {
      throw .frame("\(error)")
    }
  }

  /// Waits until `count` bytes are here, and takes whatever came with them: most often a whole
  /// frame by one call of the system.
  private func gather(_ count: Int, deadline: Moment?) throws(LinkError) {
    let missing = count - incoming.count
    guard missing > 0 else { return }
    incoming.reserve(count)
    incoming.add(
      try unsafe link.receive(atLeast: missing, into: incoming.free, deadline: deadline))
  }

  /// Whether it can carry a second stream.
  var isReusable: Bool { link.looksAhead }

  /// Whether a receive would find something at once, be it the end.
  var hasInput: Bool { incoming.count > 0 || link.hasInput }

  /// False where nothing came until `deadline`, or the task was cancelled.
  func waitForInput(until deadline: Moment) async -> Bool {
    if hasInput { return true }
    return await link.waitForInput(until: deadline)
  }

  /// Reads what has arrived, up to the end of the stream that was.
  func drainEnd() -> StreamEnd {
    while hasInput {
      // A frame of which a part is here may take that long to be whole.
      guard let frame = try? receive(deadline: clock.now() + .milliseconds(100)) else {
        return .broken
      }
      if frame.type == .end { return .free }
    }
    return .draining
  }

  public func shutdown() { link.shutdown() }

  public func takeCost() -> LinkCost {
    defer { cost = LinkCost() }
    return cost
  }
}
