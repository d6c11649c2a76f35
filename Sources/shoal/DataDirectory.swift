// Where a peer keeps what it has: `--data`, else SHOAL_DATA, else ~/.shoal.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

/// The option that every command with a store takes.
struct DataDirectory: ParsableArguments {
  @Option(name: .customLong("data"), help: "The data directory (default: $SHOAL_DATA or ~/.shoal).")
  var path: String?

  var url: URL {
    let environment = ProcessInfo.processInfo.environment
    if let path = path ?? environment["SHOAL_DATA"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: environment["HOME"] ?? ".").appendingPathComponent(".shoal")
  }

  func open() throws -> LocalStore { try LocalStore(url) }
}

/// The store of one data directory, with its identity and its registry.
struct LocalStore {
  let directory: URL
  let documents: DirectoryDocuments
  let blobs: DirectoryBlobStore
  let library: ModelLibrary
  let logs: any LogStore
  let identity: PeerIdentity

  init(_ directory: URL) throws {
    self.directory = directory
    documents = try DirectoryDocuments(path: directory.path)
    blobs = try unsafe DirectoryBlobStore(root: directory.path, hash: BLAKE2b.contentHash)
    library = ModelLibrary(blobs: blobs)
    identity = try LocalStore.identity(documents)
    logs = DocumentLogStore(documents: documents)
  }

  static let identityVariable = "SHOAL_IDENTITY"

  /// The peer's key: of the environment, else of the directory, where it is made on first use.
  private static func identity(_ documents: DirectoryDocuments) throws -> PeerIdentity {
    if let text = ProcessInfo.processInfo.environment[identityVariable] {
      guard let bytes = Hex.decode(text), let identity = PeerIdentity(seed: SecretBytes(bytes))
      else { throw UserError("\(identityVariable) is no key: 64 hexadecimal digits") }
      return identity
    }
    if let seed = try KeyFile.read("identity", documents) {
      guard let identity = PeerIdentity(seed: seed) else {
        throw UserError("\(documents.path)/identity is damaged: it has \(seed.count) bytes, not 32")
      }
      return identity
    }
    let seed = Entropy().bytes(32)
    try documents.write("identity", seed, isSecret: true)
    guard let identity = PeerIdentity(seed: SecretBytes(seed)) else {
      throw UserError("no identity can be made of 32 random bytes")
    }
    return identity
  }

  /// Milliseconds since 1970.
  var now: UInt64 { SystemClock().unixMilliseconds() }

  func registryLog() -> RegistryLog { RegistryLog(store: logs, identity: identity) }

  func registry() throws -> EmbeddedRegistry { try registryLog().load() }

  /// Brings a GGUF file or a Hugging Face directory into the store under a name.
  func importModel(
    path: String, name: String?, progress: (UInt64, UInt64) -> Void
  ) throws -> ModelEntry {
    let model = try library.importModel(ModelFiles(path: path), progress: progress)
    let manifest = try library.manifest(model)
    return try registryLog().register(
      name: name ?? ModelLibrary.name(ofFile: path), model: model,
      byteCount: manifest.byteCount + manifest.tokenizerByteCount,
      now: SystemClock().unixMilliseconds())
  }

  /// The model that a person means: a name in the store, or a GGUF file or Hugging Face directory,
  /// which is imported first.
  func resolve(_ model: String, progress: (UInt64, UInt64) -> Void) throws -> ModelEntry {
    if let entry = try registry().resolve(model, own: identity.id) { return entry }
    guard FileManager.default.fileExists(atPath: model) else {
      throw UserError(
        "no model named \(model): `shoal models` lists what there is, `shoal import PATH` adds one")
    }
    return try importModel(path: model, name: nil, progress: progress)
  }
}
