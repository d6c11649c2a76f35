// What an entry of a registry log says: that a name now stands for a model, or no longer. Each
// change names the revision that it replaces.

public import ShoalProtocol

public struct RegistryChange: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    case register = 1
    case update = 2
    case retire = 3
  }

  public let kind: Kind
  /// What people call the model, unique for its publisher; at most `ModelEntry.nameLimit` bytes.
  public let name: String
  /// The revision that it replaces: compare and swap. Zero to register.
  public let replaces: UInt32
  public let model: ModelID
  /// Of all atoms and the tokenizer.
  public let byteCount: UInt64
  /// Where else the model can be had, as `hf:ORG/REPO` or a URL; may be empty. A hint: what comes
  /// from there is checked by hash.
  public let location: String

  public static let locationLimit = 160

  public init(
    kind: Kind, name: String, replaces: UInt32, model: ModelID, byteCount: UInt64,
    location: String
  ) {
    self.kind = kind
    self.name = name
    self.replaces = replaces
    self.model = model
    self.byteCount = byteCount
    self.location = location
  }

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(kind.rawValue)
    writer.string(name)
    writer.integer(replaces)
    writer.id(model)
    writer.integer(byteCount)
    writer.string(location)
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let code = try reader.integer(UInt8.self)
    guard let kind = Kind(rawValue: code) else {
      throw .unknown(field: "registry change", value: UInt64(code))
    }
    self.kind = kind
    name = try reader.string("name", limit: ModelEntry.nameLimit)
    replaces = try reader.integer()
    model = try reader.id()
    byteCount = try reader.integer()
    location = try reader.string("location", limit: Self.locationLimit)
    try reader.finish()
  }
}

/// Why a name could not be changed.
public enum RegistryError: Error, Hashable, Sendable {
  case emptyName
  case nameTooLong(bytes: Int, limit: Int)
  case locationTooLong(bytes: Int, limit: Int)
  /// Somebody changed it meanwhile, under the same key.
  case revision(expected: UInt32, found: UInt32)
  case notRegistered(String)
  case alreadyRetired(String)
  /// This peer's own log is forked: two machines use one identity, or an old disk came back.
  case ownLogForked(at: UInt64)
  case ownLogFull(limit: Int)
}

extension RegistryError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String {
    switch self {
    case .emptyName: "a model needs a name"
    case .nameTooLong(let bytes, let limit): "the name has \(bytes) bytes; at most \(limit) fit"
    case .locationTooLong(let bytes, let limit):
      "the location has \(bytes) bytes; at most \(limit) fit"
    case .revision(let expected, let found):
      "the name is at revision \(found), not \(expected): somebody changed it meanwhile"
    case .notRegistered(let name): "this peer has published no model named \(name)"
    case .alreadyRetired(let name): "\(name) is retired already"
    case .ownLogForked(let sequence):
      "this peer's identity signed two different entries as number \(sequence): two machines use"
        + " it, or an old copy of its data came back. Nobody takes its word any more; make a new"
        + " identity"
    case .ownLogFull(let limit): "this peer has changed its models \(limit) times, which is all"
    }
  }
}
