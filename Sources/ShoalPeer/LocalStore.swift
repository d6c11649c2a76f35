// What a data directory holds: identity, documents, blobs and the log of models.

public import Foundation
public import ShoalInference
public import ShoalLedger
public import ShoalNode
import ShoalProtocol
public import ShoalSecurity
public import ShoalSystem

/// The store of one data directory, with its identity and its registry. One peer at a time uses it.
public struct LocalStore: Sendable {
  public let directory: URL
  public let documents: DirectoryDocuments
  public let blobs: DirectoryBlobStore
  public let library: ModelLibrary
  public let logs: any LogStore
  public let identity: PeerIdentity
  /// Opens sealed keys.
  public let password: PasswordSource
  /// What opening it changed; nil: it was of this version already.
  public let migration: StoreMigration?

  /// Opens the directory, which is made where it is not there, as is the peer's identity.
  ///
  /// - Parameters:
  ///   - directory: for its owner alone.
  ///   - password: asked where a key is sealed and SHOAL_PASSWORD is not set.
  /// - Throws: `PeerError.newerStore` before anything is changed, `PeerError.damagedDocument` where
  ///   what an older version wrote cannot be read, and what the disk and a key throw.
  public init(_ directory: URL, password: @escaping PasswordSource = { _ in nil }) throws {
    self.directory = directory
    self.password = password
    documents = try DirectoryDocuments(path: directory.path)
    let version = try StoreVersion(of: documents)
    blobs = try unsafe DirectoryBlobStore(root: directory.path, hash: BLAKE2b.contentHash)
    library = ModelLibrary(blobs: blobs)
    identity = try LocalStore.identity(documents, password)
    logs = DocumentLogStore(documents: documents)
    migration = try version.migrate(documents, RegistryLog(store: logs, identity: identity))
  }

  /// A key that lies nowhere on this disk: 64 hexadecimal digits.
  public static let identityVariable = "SHOAL_IDENTITY"

  private static func identity(
    _ documents: DirectoryDocuments, _ password: PasswordSource
  ) throws -> PeerIdentity {
    if let text = ProcessInfo.processInfo.environment[identityVariable] {
      guard let bytes = Hex.decode(text), let identity = PeerIdentity(seed: SecretBytes(bytes))
      else {
        throw PeerError.setting(
          source: identityVariable, value: "...", expected: "64 hexadecimal digits")
      }
      return identity
    }
    if let seed = try KeyFile.read("identity", documents, password) {
      guard let identity = PeerIdentity(seed: seed) else {
        throw PeerError.damagedIdentity(path: "\(documents.path)/identity", count: seed.count)
      }
      return identity
    }
    let seed = Entropy().bytes(32)
    try documents.write("identity", seed, isSecret: true)
    guard let identity = PeerIdentity(seed: SecretBytes(seed)) else {
      throw PeerError.damagedIdentity(path: "\(documents.path)/identity", count: seed.count)
    }
    return identity
  }

  /// Milliseconds since 1970.
  public var now: UInt64 { SystemClock().unixMilliseconds() }

  public func registryLog() -> RegistryLog { RegistryLog(store: logs, identity: identity) }

  public func registry() throws -> EmbeddedRegistry { try registryLog().load() }

  /// Brings a GGUF file or a Hugging Face directory into the store under a name.
  ///
  /// - Parameters:
  ///   - path: of the file or of the directory.
  ///   - name: nil: the name of the file or of the directory.
  ///   - precision: formats that atoms are to have; empty: as they are stored.
  ///   - progress: told how many bytes of how many are in the store.
  public func importModel(
    path: String, name: String?, precision: PrecisionMap = PrecisionMap(),
    progress: (UInt64, UInt64) -> Void
  ) throws -> ModelEntry {
    let model = try library.importModel(
      ModelFiles(path: path), precision: precision, progress: progress)
    if precision == PrecisionMap() { ImportedFiles(documents).note(path, model) }
    return try register(model, name: name ?? ModelLibrary.name(ofFile: path))
  }

  private func register(_ model: ModelID, name: String) throws -> ModelEntry {
    let manifest = try library.manifest(model)
    return try registryLog().register(
      name: name, model: model,
      byteCount: manifest.byteCount + manifest.tokenizerByteCount, now: now)
  }

  /// The model that a person means: a name in the store, or a GGUF file or Hugging Face directory,
  /// which is imported first where it was not before.
  ///
  /// - Throws: `PeerError.unknownModel`, and what an import throws.
  public func resolve(
    _ model: String, progress: (UInt64, UInt64) -> Void = { _, _ in }
  ) throws -> ModelEntry {
    if let entry = try registry().resolve(model, own: identity.id) { return entry }
    guard FileManager.default.fileExists(atPath: model) else {
      throw PeerError.unknownModel(model)
    }
    if let known = ImportedFiles(documents).model(of: model, in: library) {
      return try register(known, name: ModelLibrary.name(ofFile: model))
    }
    return try importModel(path: model, name: nil, progress: progress)
  }
}
