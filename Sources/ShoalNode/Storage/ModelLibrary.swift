// The models of one machine: manifests, tokenizers and atoms by the hash of their bytes. Blocking,
// for the thread of whoever owns it.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// Why a model could not be opened here.
public enum LibraryError: Error, Sendable, Hashable {
  /// Nobody has imported or announced it.
  case unknownModel(String)
  /// The bytes of an atom are not what its name says. It is in quarantine.
  case damaged(BlobID, AtomKey)
  case tooLarge(needed: ByteCount, available: ByteCount)
}

extension LibraryError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownModel(let model): "the model \(model) is not in this store"
    case .damaged(let blob, let key):
      "\(key) is damaged on disk (blob \(blob)); it was moved to quarantine: import the model again"
        + " or let a peer fetch it"
    case .tooLarge(let needed, let available):
      "the model needs \(needed) of disk, \(available) are free"
    }
  }
}

/// Reads and writes models in a blob store. A manifest is a blob whose hash is the model's id.
public struct ModelLibrary: Sendable {
  public let blobs: any BlobStore

  public init(blobs: any BlobStore) { self.blobs = blobs }

  // MARK: Import

  /// Cuts a model into atoms and keeps them. The manifest is written last, so that what an
  /// interruption leaves behind is never taken for a model.
  ///
  /// - Parameter precision: atoms that are to be stored in lower formats than the files'.
  public func importModel(
    _ files: ModelFiles, precision: PrecisionMap = PrecisionMap(),
    progress: ModelImporter.Progress
  ) throws -> ModelID {
    let model = try ModelReading(files, precision: precision)
    try checkRoom(for: model.byteCount)
    let manifest = try unsafe model.importer.run(
      tokenizer: model.tokenizer.canonicalBytes, chatTemplate: model.chatTemplate,
      keep: { bytes in
        let blob = BlobID(unsafe BLAKE2b.hash(bytes))
        try unsafe blobs.put(blob, bytes)
        return blob
      }, progress: progress)
    let bytes = manifest.canonicalBytes
    let id = ModelID(BLAKE2b.hash(bytes))
    try unsafe bytes.withUnsafeBytes { try unsafe blobs.put(BlobID(id.raw), $0) }
    return id
  }

  private func checkRoom(for byteCount: UInt64) throws {
    // Packed rows are padded to 16 and scales to 64 bytes: under a tenth more than the file.
    let needed = ByteCount(byteCount + byteCount / 10)
    let available = try blobs.freeBytes()
    guard needed <= available else {
      throw LibraryError.tooLarge(needed: needed, available: available)
    }
  }

  // MARK: Open

  public func contains(_ model: ModelID) -> Bool { blobs.contains(BlobID(model.raw)) }

  public func manifest(_ model: ModelID) throws -> ModelManifest {
    guard contains(model) else { throw LibraryError.unknownModel(model.short) }
    let blob = try blobs.map(BlobID(model.raw))
    let bytes = unsafe Array(blob.bytes)
    guard BLAKE2b.hash(bytes) == model.raw else {
      try blobs.quarantine(BlobID(model.raw))
      throw ModelError.damagedManifest(.invalid(field: "hash"))
    }
    return try ModelManifest(canonicalBytes: bytes)
  }

  public func tokenizer(_ manifest: ModelManifest) throws -> Tokenizer {
    let blob = try blobs.map(manifest.tokenizer)
    let bytes = unsafe Array(blob.bytes)
    guard BLAKE2b.hash(bytes) == manifest.tokenizer.raw else {
      try blobs.quarantine(manifest.tokenizer)
      throw ModelError.damagedAtom(manifest.tokenizer, reason: "tokenizer")
    }
    return try Tokenizer(TokenizerDefinition(canonicalBytes: bytes))
  }

  /// The atoms of `keys` that are not here yet.
  public func missing(_ manifest: ModelManifest, _ keys: some Sequence<AtomKey>) -> [AtomEntry] {
    let wanted = Set(keys)
    return manifest.atoms.filter { wanted.contains($0.key) && !blobs.contains($0.blob) }
  }

  /// Opens one atom, in place, after its bytes were checked against its name.
  public func atom(_ entry: AtomEntry) throws -> AtomBlob {
    guard try blobs.verify(entry.blob) else {
      try blobs.quarantine(entry.blob)
      throw LibraryError.damaged(entry.blob, entry.key)
    }
    let mapped = try isLookedUp(entry.key) ? blobs.mapRows(entry.blob) : blobs.load(entry.blob)
    return try unsafe AtomBlob(id: entry.blob, bytes: mapped.bytes, owner: mapped)
  }
}

extension ModelLibrary {
  /// Whether a token needs single rows of an atom only.
  private func isLookedUp(_ key: AtomKey) -> Bool {
    if case .embedding = key { true } else { false }
  }

  /// What a model is called where nobody says: the directory's name, or the file's without its
  /// ending.
  public static func name(ofFile path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let ending = ".gguf"
    guard file.lowercased().hasSuffix(ending), file.count > ending.count else { return file }
    return String(file.dropLast(ending.count))
  }
}
