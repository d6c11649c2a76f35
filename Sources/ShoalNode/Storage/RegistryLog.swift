// The registry of one data directory: loads it, signs this peer's changes, keeps them.

public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

extension SigningPurpose {
  static let logEntry = SigningPurpose("shoal/1 log entry")
  package static let capabilityRecord = SigningPurpose("shoal/1 capability record")
}

public struct RegistryLog: Sendable {
  private let store: any LogStore
  private let identity: PeerIdentity

  public init(store: any LogStore, identity: PeerIdentity) {
    self.store = store
    self.identity = identity
  }

  /// Verifies by the author's Ed25519 key.
  public static let verification: LogVerification = { signed in
    guard let signature = Signature(signed.signature) else { return false }
    return signature.isValid(
      for: signed.entry.bytes, purpose: .logEntry, by: signed.entry.log.author)
  }

  public func load() throws -> EmbeddedRegistry {
    var registry = EmbeddedRegistry(verify: Self.verification)
    let contents = try store.load()
    for proof in contents.forks { _ = registry.append(proof) }
    for entry in contents.entries { _ = registry.append(entry) }
    return registry
  }

  /// Keeps what arrived.
  public func keep(_ reaction: LogReaction) throws {
    for proof in reaction.proofs { try store.add(proof) }
    if !reaction.appended.isEmpty { try store.append(reaction.appended) }
  }

  /// Signs a change and keeps it.
  public func publish(_ entry: LogEntry) throws -> SignedLogEntry {
    let signature = identity.sign(entry.bytes, purpose: .logEntry)
    let signed = SignedLogEntry(entry: entry, signature: signature.bytes)
    try store.append([signed])
    return signed
  }

  /// Says, without a running peer, that `name` stands for `model`.
  public func register(
    name: String, model: ModelID, byteCount: UInt64, location: String = "", now: UInt64
  ) throws -> ModelEntry {
    var registry = try load()
    if let entry = try registry.registration(
      of: name, as: model, byteCount: byteCount, location: location, by: identity.id,
      written: now)
    {
      _ = registry.append(try publish(entry))
    }
    guard let entry = registry.entry(of: name, by: identity.id) else {
      throw RegistryError.notRegistered(name)
    }
    return entry
  }

  /// Says, without a running peer, that `name` is no longer offered.
  public func retire(name: String, now: UInt64) throws -> ModelEntry {
    var registry = try load()
    let entry = try registry.retirement(of: name, revision: nil, by: identity.id, written: now)
    _ = registry.append(try publish(entry))
    guard let retired = registry.entry(of: name, by: identity.id) else {
      throw RegistryError.notRegistered(name)
    }
    return retired
  }
}
