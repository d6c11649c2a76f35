// The registry of one data directory: loads it, signs this peer's changes, keeps them.

public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

extension SigningPurpose {
  static let logEntry = SigningPurpose("shoal/1 log entry")
  /// Of entries in stores of version 1.
  static let modelEntry = SigningPurpose("shoal/1 model entry")
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
    let signed = sign(entry)
    try store.append([signed])
    return signed
  }

  private func sign(_ entry: LogEntry) -> SignedLogEntry {
    SignedLogEntry(
      entry: entry, signature: identity.sign(entry.bytes, purpose: .logEntry).bytes)
  }

  /// Says once more, in this peer's log, what it said in a store of version 1. Names that the log
  /// knows stay as the log has them. All is kept at once, or nothing.
  ///
  /// Entries depend on the document alone, times included: who carries copies of one store over on
  /// two machines says the same on both, which is no fork.
  ///
  /// - Returns: how many names were carried over.
  /// - Throws: `RegistryError` where the log is full, and what the store throws.
  public func carryOver(_ former: FormerRegistry) throws -> Int {
    var registry = try load()
    guard registry.book.fork(LogName(author: identity.id, topic: .registry)) == nil else {
      return 0
    }
    var carried: [SignedLogEntry] = []
    for entry in former.offers(of: identity.id) {
      let model = entry.model
      guard !model.name.isEmpty, registry.entry(of: model.name, by: identity.id) == nil,
        let signature = Signature(entry.signature),
        signature.isValid(for: entry.signedBytes, purpose: .modelEntry, by: identity.id),
        let change = try registry.registration(
          of: model.name, as: model.model, byteCount: model.byteCount, location: "",
          by: identity.id, written: model.written)
      else { continue }
      let signed = sign(change)
      _ = registry.append(signed)
      carried.append(signed)
    }
    if !carried.isEmpty { try store.append(carried) }
    return carried.count
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
