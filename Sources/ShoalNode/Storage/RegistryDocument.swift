// The embedded registry as one peer keeps it between starts.

public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

extension SigningPurpose {
  static let modelEntry = SigningPurpose("shoal/1 model entry")
  package static let capabilityRecord = SigningPurpose("shoal/1 capability record")
}

/// Loads, changes and saves the registry of one data directory.
public struct RegistryDocument: Sendable {
  private let documents: any DocumentStore
  private let identity: PeerIdentity
  private static let name = "registry"

  public init(documents: any DocumentStore, identity: PeerIdentity) {
    self.documents = documents
    self.identity = identity
  }

  /// Verifies by the publisher's Ed25519 key.
  public static let verification: EntryVerification = { signed in
    guard let signature = Signature(signed.signature) else { return false }
    return signature.isValid(
      for: signed.entry.bytes, purpose: .modelEntry, by: signed.entry.publisher)
  }

  public func load() throws -> EmbeddedRegistry {
    var registry = EmbeddedRegistry(verify: Self.verification)
    if let bytes = try documents.read(Self.name) { try registry.load(bytes) }
    return registry
  }

  public func save(_ registry: EmbeddedRegistry) throws {
    try documents.write(Self.name, registry.bytes, isSecret: false)
  }

  /// Says, signed, that `name` stands for `model`. No new revision where it already does.
  public func register(
    name: String, model: ModelID, byteCount: UInt64, now: UInt64
  ) throws -> ModelEntry {
    var registry = try load()
    let known = registry.models.first { $0.publisher == identity.id && $0.name == name }
    if let known, known.model == model { return known }
    let entry = ModelEntry(
      publisher: identity.id, name: String(name.prefix(ModelEntry.nameLimit)),
      revision: registry.nextRevision(of: name, by: identity.id), model: model,
      byteCount: byteCount, isRetired: false, written: now)
    _ = registry.merge(sign(entry))
    try save(registry)
    return entry
  }

  public func sign(_ entry: ModelEntry) -> SignedEntry {
    SignedEntry(
      entry: entry, signature: identity.sign(entry.bytes, purpose: .modelEntry).bytes)
  }
}
