// The seam to datagrams: UDP in production, the simulated network in tests.

public import ShoalProtocol

/// One datagram as it arrived.
public struct Datagram: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// It came to this peer alone.
    case own
    /// It came to the group that every peer of the LAN listens on.
    case beacon
    /// No datagram: the word of a system that nobody listens at `from`. Not authenticated.
    case refusal
  }

  public let bytes: [UInt8]
  /// Where an answer reaches the sender, for beacons too.
  public let from: Endpoint
  public let kind: Kind

  public init(bytes: [UInt8], from: Endpoint, isBeacon: Bool) {
    self.bytes = bytes
    self.from = from
    kind = isBeacon ? .beacon : .own
  }

  public init(refusedAt endpoint: Endpoint) {
    (bytes, from, kind) = ([], endpoint, .refusal)
  }
}

/// What a transport has seen since it opened.
public struct DatagramCounters: Hashable, Sendable {
  /// Handed to the receiver.
  public var received: UInt64 = 0
  /// Arrived while the queue was full, and lost.
  public var shed: UInt64 = 0
  /// Arrived but refused: too long, or from an address without a name (link-local).
  public var refused: UInt64 = 0
  /// Not sent: the kernel said no.
  public var unsent: UInt64 = 0

  public init() {}
}

/// Sends and receives datagrams of at most `Limits.datagramBytes`. Loss, reordering and
/// duplicates are normal; sending never waits and never throws.
public protocol DatagramTransport: Sendable {
  /// The addresses this peer can be reached at, as far as this machine knows.
  var localEndpoints: [Endpoint] { get }

  func send(_ bytes: [UInt8], to endpoint: Endpoint)

  /// Sends to every peer of the LAN, this one excepted.
  func beacon(_ bytes: [UInt8])

  /// One reader. Bounded by `Limits.datagramQueue`; the newest is dropped and counted.
  /// Ends when the transport closes.
  var received: AsyncStream<Datagram> { get }

  var counters: DatagramCounters { get }

  func close()
}
