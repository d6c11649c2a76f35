// What peers say to each other so that those behind address translation are reached: gossip of a
// kind of its own.

/// The byte tables are in docs/PROTOCOL.md.
public enum ReachMessage: Hashable, Sendable {
  /// "Your datagrams come from there."
  case seen(Endpoint)
  /// "Bring me together with that peer."
  case introduce(PeerID)
  /// "That peer knocks at your door now: knock at its door too." Both hear it at the same time.
  case meet(PeerID, Endpoint)
  /// "Dial me, and say this number: I cannot dial you."
  case call(UInt64)

  /// Of the gossip messages that carry it.
  public static let kind: UInt8 = 1

  public var gossip: GossipMessage { .custom(kind: Self.kind, payload: bytes) }

  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 64)
    switch self {
    case .seen(let endpoint):
      writer.integer(UInt8(1))
      writer.endpoint(endpoint)
    case .introduce(let peer):
      writer.integer(UInt8(2))
      writer.id(peer)
    case .meet(let peer, let endpoint):
      writer.integer(UInt8(3))
      writer.id(peer)
      writer.endpoint(endpoint)
    case .call(let number):
      writer.integer(UInt8(4))
      writer.integer(number)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .seen(try reader.endpoint())
    case 2: self = .introduce(try reader.id())
    case 3: self = .meet(try reader.id(), try reader.endpoint())
    case 4: self = .call(try reader.integer())
    case _: throw .unknown(field: "reach message", value: UInt64(tag))
    }
    try reader.finish()
  }
}
