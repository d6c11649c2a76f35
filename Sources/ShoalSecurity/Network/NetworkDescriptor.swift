// What a network is: the part that its id is the hash of, its key, and where to start.
public import ShoalProtocol

/// How a peer comes to belong.
public enum Admission: UInt8, Hashable, Sendable, CaseIterable {
  /// Anybody; the network key is public. Members of a job can read its prompts.
  case open = 0
  /// Whoever holds an invite, which carries the network key.
  case invite = 1
  /// Whoever was given the network key.
  case key = 2

  /// As a descriptor file spells it.
  public var name: String {
    switch self {
    case .open: "open"
    case .invite: "invite"
    case .key: "key"
    }
  }
}

/// The ledger that a network keeps its models and settlements in.
public struct NetworkLedger: Hashable, Sendable {
  /// Such as `embedded` or `evm`.
  public let backend: String
  /// What that backend needs to know: chain id, contract addresses.
  public let settings: [String: String]
  public init(backend: String, settings: [String: String] = [:]) {
    (self.backend, self.settings) = (backend, settings)
  }
}

/// Why a descriptor was refused.
public enum DescriptorError: Error, Hashable, Sendable {
  /// A private network without its key.
  case keyMissing(Admission)
  /// A public network has no secret.
  case keyNotExpected
  /// A text or list beyond its limit.
  case tooLong(field: String, limit: Int, count: Int)
  case empty(field: String)
  case outOfRange(field: String, limit: Int, value: Int)
}

/// A network descriptor. Its id commits to everything but the bootstrap addresses.
public struct NetworkDescriptor: Sendable {
  /// The keys of a descriptor file, in the order in which it is written.
  public static let fields = [
    "name", "admission", "salt", "key", "bootstrap", "peers", "ledger",
  ]
  static let nameLimit = 64
  static let bootstrapLimit = 8
  /// A host name (RFC 1035, section 2.3.4) with its port.
  static let addressLimit = 261
  static let settingLimit = 16
  static let textLimit = 128

  public let name: String
  public let admission: Admission
  /// Makes networks of one name different.
  public let salt: Bytes32
  /// Nil for an open network.
  public let privateKey: NetworkKey?
  /// `host:port`, `192.0.2.1:7433` or `[2001:db8::1]:7433`; not part of the id.
  public let bootstrap: [String]
  /// The most peers that members keep track of.
  public let peers: Int
  public let ledger: NetworkLedger?

  public let id: NetworkID
  /// What members share: the private key, or the public one that the id gives.
  public let key: NetworkKey

  public init(
    name: String, admission: Admission, salt: Bytes32 = .zero, privateKey: NetworkKey? = nil,
    bootstrap: [String] = [], peers: Int = Limits.peers, ledger: NetworkLedger? = nil
  ) throws(DescriptorError) {
    guard !name.isEmpty else { throw .empty(field: "name") }
    try Self.check("name", name.utf8.count, Self.nameLimit)
    try Self.check("bootstrap", bootstrap.count, Self.bootstrapLimit)
    for address in bootstrap { try Self.check("bootstrap", address.utf8.count, Self.addressLimit) }
    guard (2...Limits.peers).contains(peers) else {
      throw .outOfRange(field: "peers", limit: Limits.peers, value: peers)
    }
    if let ledger {
      try Self.check("ledger", ledger.settings.count, Self.settingLimit)
      for text in [ledger.backend] + ledger.settings.flatMap({ [$0.key, $0.value] }) {
        try Self.check("ledger", text.utf8.count, Self.textLimit)
      }
    }
    switch admission {
    case .open: guard privateKey == nil else { throw .keyNotExpected }
    case .invite, .key: guard privateKey != nil else { throw .keyMissing(admission) }
    }
    (self.name, self.admission, self.salt, self.privateKey) = (name, admission, salt, privateKey)
    (self.bootstrap, self.peers, self.ledger) = (bootstrap, peers, ledger)
    var writer = ByteWriter()
    Self.writeFixed(name, admission, salt, peers, ledger, to: &writer)
    let commitment = privateKey.map { BLAKE2b.derive("commitment", from: $0.secret).exposed }
    let id = NetworkID(
      BLAKE2b.hash(Array("shoal/1 network".utf8) + writer.bytes + (commitment ?? [])))
    self.id = id
    key = privateKey ?? NetworkKey(ofPublic: id)
  }

  /// Built in: the peers of one local network that were told nothing.
  public static let lan: NetworkDescriptor = {
    do throws(DescriptorError) {
      return try NetworkDescriptor(name: "lan", admission: .open)
    } catch {
      preconditionFailure("the descriptor of lan: \(error)")
    }
  }()

  private static func check(
    _ field: String, _ count: Int, _ limit: Int
  ) throws(DescriptorError) {
    guard count <= limit else { throw .tooLong(field: field, limit: limit, count: count) }
  }
}

// MARK: - Bytes

extension NetworkDescriptor {
  ///     string       name: u32 length, UTF-8
  ///     u8           admission: 0 open, 1 invite, 2 key
  ///     32 B         salt
  ///     u32          peers
  ///     string       ledger's backend, empty for none
  ///     list         ledger's settings by key: u32 count, then key and value as strings
  private static func writeFixed(
    _ name: String, _ admission: Admission, _ salt: Bytes32, _ peers: Int,
    _ ledger: NetworkLedger?, to writer: inout ByteWriter
  ) {
    writer.string(name)
    writer.integer(admission.rawValue)
    writer.raw(salt.bytes)
    writer.integer(UInt32(peers))
    writer.string(ledger?.backend ?? "")
    let settings = (ledger?.settings ?? [:]).sorted { $0.key < $1.key }
    writer.list(settings) { writer, setting in
      writer.string(setting.key)
      writer.string(setting.value)
    }
  }

  /// The fixed part, then the key (32 B, unless open) and the bootstrap addresses as a list.
  func write(to writer: inout ByteWriter) {
    Self.writeFixed(name, admission, salt, peers, ledger, to: &writer)
    if let privateKey { writer.raw(privateKey.secret.exposed) }
    writer.list(bootstrap) { $0.string($1) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let name = try reader.string("name", limit: Self.nameLimit)
    let code = try reader.integer(UInt8.self)
    guard let admission = Admission(rawValue: code) else {
      throw .unknown(field: "admission", value: UInt64(code))
    }
    let salt = try reader.bytes32()
    let peers = try reader.count("peers", limit: Limits.peers)
    let backend = try reader.string("ledger", limit: Self.textLimit)
    let pairs = try reader.list("settings", limit: Self.settingLimit) {
      (reader) throws(WireError) in
      (
        try reader.string("setting", limit: Self.textLimit),
        try reader.string("setting", limit: Self.textLimit)
      )
    }
    // One descriptor has one form: keys ascend, and none without a backend.
    guard zip(pairs, pairs.dropFirst()).allSatisfy({ $0.0 < $1.0 }),
      !backend.isEmpty || pairs.isEmpty
    else { throw .invalid(field: "settings") }
    let secret = admission == .open ? nil : SecretBytes(try reader.take(NetworkKey.count))
    let bootstrap = try reader.list("bootstrap", limit: Self.bootstrapLimit) {
      (reader) throws(WireError) in try reader.string("address", limit: Self.addressLimit)
    }
    do throws(DescriptorError) {
      try self.init(
        name: name, admission: admission, salt: salt, privateKey: secret.flatMap { NetworkKey($0) },
        bootstrap: bootstrap, peers: peers,
        ledger: backend.isEmpty
          ? nil
          : NetworkLedger(backend: backend, settings: Dictionary(uniqueKeysWithValues: pairs)))
    } catch {
      throw .invalid(field: "descriptor")
    }
  }
}
