// What a peer calls into its local network. Sealed by the caller, so that strangers learn nothing.

/// "I am here": who, where, and how new its record is. The bytes go inside a seal that proves
/// knowledge of the network's key.
public struct Beacon: Hashable, Sendable {
  public let peer: PeerID
  /// Version of the peer's capability record.
  public let version: UInt64
  /// At most `Limits.endpointsPerPeer`, preferred first. Empty: where the datagram came from.
  public let endpoints: [Endpoint]

  public init(peer: PeerID, version: UInt64, endpoints: [Endpoint]) {
    (self.peer, self.version, self.endpoints) = (peer, version, endpoints)
  }

  private static let format: UInt8 = 1

  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 128)
    writer.integer(Self.format)
    writer.id(peer)
    writer.integer(version)
    writer.list(endpoints) { $0.endpoint($1) }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let format: UInt8 = try reader.integer()
    guard format == Self.format else {
      throw .unknown(field: "beacon format", value: UInt64(format))
    }
    peer = try reader.id()
    version = try reader.integer()
    guard version < Incarnation.versionBound else { throw .invalid(field: "version") }
    endpoints = try reader.endpoints()
    try reader.finish()
  }
}
