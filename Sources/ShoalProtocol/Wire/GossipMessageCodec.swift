// The bytes of a gossip message: type, version, fields.

extension GossipMessage {
  public static let version: UInt8 = 1

  private enum Kind: UInt8 {
    case ping = 1
    case ack = 2
    case pingRequest = 3
    case nack = 4
    case updates = 5
    case syncOffer = 6
    case recordRequest = 7
    case records = 8
    case ledger = 9
    case custom = 10
  }

  private var kind: Kind {
    switch self {
    case .ping: .ping
    case .ack: .ack
    case .pingRequest: .pingRequest
    case .nack: .nack
    case .updates: .updates
    case .syncOffer: .syncOffer
    case .recordRequest: .recordRequest
    case .records: .records
    case .ledger: .ledger
    case .custom: .custom
    }
  }

  /// At most `Limits.gossipBytes` where the sender kept the budgets of this type.
  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 128)
    writer.integer(kind.rawValue)
    writer.integer(Self.version)
    switch self {
    case .ping(let sequence, let updates), .ack(let sequence, let updates):
      writer.integer(sequence)
      writer.updates(updates)
    case .pingRequest(let sequence, let target, let updates):
      writer.integer(sequence)
      writer.id(target)
      writer.updates(updates)
    case .nack(let sequence):
      writer.integer(sequence)
    case .updates(let updates):
      writer.updates(updates)
    case .syncOffer(let fingerprint, let isReply):
      writer.integer(UInt8(isReply ? 1 : 0))
      for bucket in fingerprint.buckets { writer.integer(bucket) }
    case .recordRequest(let peers):
      writer.list(peers) { $0.id($1) }
    case .records(let records):
      writer.list(records) { writer, record in
        writer.id(record.author)
        writer.raw(record.signature)
        writer.blob(record.body)
      }
    case .ledger(let payload):
      writer.blob(payload)
    case .custom(let kind, let payload):
      writer.integer(kind)
      writer.blob(payload)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Limits.gossipBytes else {
      throw .tooLong(field: "gossip", limit: Limits.gossipBytes, announced: bytes.count)
    }
    var reader = ByteReader(bytes)
    let type: UInt8 = try reader.integer()
    guard let kind = Kind(rawValue: type) else {
      throw .unknown(field: "gossip type", value: UInt64(type))
    }
    let version: UInt8 = try reader.integer()
    guard version == Self.version else {
      throw .unknown(field: "gossip version", value: UInt64(version))
    }
    self = try Self.body(of: kind, from: &reader)
    try reader.finish()
  }

  private static func body(
    of kind: Kind, from reader: inout ByteReader
  ) throws(WireError) -> GossipMessage {
    switch kind {
    case .ping:
      .ping(sequence: try reader.integer(), updates: try reader.updates())
    case .ack:
      .ack(sequence: try reader.integer(), updates: try reader.updates())
    case .pingRequest:
      .pingRequest(
        sequence: try reader.integer(), target: try reader.id(), updates: try reader.updates())
    case .nack:
      .nack(sequence: try reader.integer())
    case .updates:
      .updates(try reader.updates())
    case .syncOffer:
      try reader.syncOffer()
    case .recordRequest:
      .recordRequest(
        try reader.list("requests", limit: mostRequests) { (reader) throws(WireError) in
          try reader.id()
        })
    case .records:
      .records(try reader.signedRecords())
    case .ledger:
      .ledger(try reader.blob("ledger", limit: payloadBytes))
    case .custom:
      .custom(
        kind: try reader.integer(), payload: try reader.blob("custom", limit: payloadBytes))
    }
  }
}

extension ByteWriter {
  fileprivate mutating func updates(_ updates: [MemberUpdate]) {
    list(updates) { writer, update in
      writer.id(update.peer)
      writer.integer(update.incarnation.value)
      switch update.claim {
      case .alive: writer.integer(UInt8(0))
      case .suspect(let observer):
        writer.integer(UInt8(1))
        writer.id(observer)
      case .dead: writer.integer(UInt8(2))
      case .left: writer.integer(UInt8(3))
      }
    }
  }
}

extension ByteReader {
  fileprivate mutating func updates() throws(WireError) -> [MemberUpdate] {
    try list("updates", limit: GossipMessage.mostUpdates) { (reader) throws(WireError) in
      let peer: PeerID = try reader.id()
      let incarnation = Incarnation(try reader.integer())
      return MemberUpdate(peer, incarnation, try reader.claim())
    }
  }

  private mutating func claim() throws(WireError) -> MemberClaim {
    let tag: UInt8 = try integer()
    switch tag {
    case 0: return .alive
    case 1: return .suspect(observer: try id())
    case 2: return .dead
    case 3: return .left
    case _: throw .unknown(field: "claim", value: UInt64(tag))
    }
  }

  fileprivate mutating func syncOffer() throws(WireError) -> GossipMessage {
    let isReply = try flag("reply")
    var buckets: [UInt64] = []
    for _ in 0..<TableFingerprint.bucketCount { buckets.append(try integer()) }
    return .syncOffer(TableFingerprint(buckets: buckets), isReply: isReply)
  }

  fileprivate mutating func signedRecords() throws(WireError) -> [SignedRecord] {
    try list("records", limit: 16) { (reader) throws(WireError) in
      let author: PeerID = try reader.id()
      let signature = Array(try reader.take(SignedRecord.signatureBytes))
      let body = try reader.blob("record", limit: Limits.recordBytes)
      guard let record = SignedRecord(body: body, author: author, signature: signature) else {
        throw .invalid(field: "record")
      }
      return record
    }
  }
}
