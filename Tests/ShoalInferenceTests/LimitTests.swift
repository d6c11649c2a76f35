// Each bound on what a model's files may say, reached: what is at it is read, what is one above it is
// refused with both numbers.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct GGUFLimitTests {
  private static func refusal(_ file: GGUFWriting) -> GGUFError.Reason? {
    do throws(GGUFError) {
      _ = try GGUFFile(file.source)
      return nil
    } catch { return error.reason }
  }

  @Test func `a key has as many bytes as the format allows, and no more`() {
    let limit = Limits.ggufKeyBytes
    for (length, reason) in [
      (limit, nil),
      (limit + 1, .tooLong(field: "key", limit: limit, announced: UInt64(limit + 1))),
    ] as [(Int, GGUFError.Reason?)] {
      var file = GGUFWriting.sound()
      file.entry([UInt8](repeating: UInt8(ascii: "k"), count: length), type: 0, [1])
      #expect(Self.refusal(file) == reason)
    }
  }

  @Test func `a tensor's name is no longer than names are`() {
    let limit = Limits.ggufTensorNameBytes
    for (length, reason) in [
      (limit, nil),
      (limit + 1, .tooLong(field: "tensor name", limit: limit, announced: UInt64(limit + 1))),
    ] as [(Int, GGUFError.Reason?)] {
      var file = GGUFWriting.sound()
      file.tensor(String(repeating: "t", count: length), [1], type: 0, offset: 96)
      file.weights += [UInt8](repeating: 0, count: 64)
      #expect(Self.refusal(file) == reason)
    }
  }

  /// The file is as long as such counts need: what is refused is the count, not its absence.
  @Test func `more entries or tensors than there are anywhere are refused before they are read`() {
    var entries = GGUFWriting()
    entries.metadataCount = UInt64(Limits.ggufMetadataEntries + 1)
    entries.weights = [UInt8](repeating: 0, count: 13 * (Limits.ggufMetadataEntries + 1))
    #expect(
      Self.refusal(entries)
        == .tooLong(
          field: "metadata count", limit: Limits.ggufMetadataEntries,
          announced: UInt64(Limits.ggufMetadataEntries + 1)))
    var tensors = GGUFWriting()
    tensors.tensorCount = UInt64(Limits.ggufTensors + 1)
    tensors.weights = [UInt8](repeating: 0, count: 32 * (Limits.ggufTensors + 2))
    #expect(
      Self.refusal(tensors)
        == .tooLong(
          field: "tensor count", limit: Limits.ggufTensors,
          announced: UInt64(Limits.ggufTensors + 1)))
  }

  @Test func `arrays lie in arrays as deep as the limit, and no deeper`() {
    let level = GGUFWriting.integer(UInt32(9)) + GGUFWriting.integer(UInt64(1))
    let last = GGUFWriting.integer(UInt32(0)) + GGUFWriting.integer(UInt64(1)) + [7]
    for (depth, reason) in [
      (Limits.ggufArrayDepth, nil),
      (Limits.ggufArrayDepth + 1, .tooDeep(limit: Limits.ggufArrayDepth)),
    ] as [(Int, GGUFError.Reason?)] {
      var file = GGUFWriting.sound()
      let levels = [[UInt8]](repeating: level, count: depth - 1).flatMap(\.self)
      file.entry("deep".utf8, type: 9, levels + last)
      #expect(Self.refusal(file) == reason)
    }
  }

  /// A file of terabytes: nobody asks for more of it than a header may have.
  @Test func `no more of a file is read for its header than a header may have`() {
    let source = EndlessSource(byteCount: 1 << 42)
    do throws(GGUFError) {
      _ = try GGUFFile(source)
      Issue.record("read")
    } catch {
      #expect(error.reason == .unreadable("asked for \(Limits.ggufHeaderBytes)"))
    }
  }
}

/// Says how many bytes it has, and at the first question how many it was asked for.
private struct EndlessSource: ByteSource {
  struct Asked: Error, CustomStringConvertible {
    let count: Int
    var description: String { "asked for \(count)" }
  }
  let name = "endless"
  let byteCount: UInt64

  func withBytes<Result>(
    _ range: Range<UInt64>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result { throw Asked(count: range.count) }
}

/// A directory whose files are as long as they say, and have nothing in them.
private struct EndlessDirectory: ModelDirectory {
  let name = "model"
  let files: [String: UInt64]
  func fileNames() -> [String] { files.keys.sorted() }
  func file(_ name: String) -> (any ByteSource)? {
    files[name].map { EndlessSource(byteCount: $0) }
  }
}

@Suite struct DirectoryLimitTests {
  private static func tooLarge(_ name: String, _ limit: Int) -> ModelDirectoryError {
    .tooLarge(name, directory: "model", bytes: UInt64(limit) + 1, limit: limit)
  }

  @Test func `documents beyond their size are refused before they are read`() {
    let index = "model.safetensors.index.json"
    #expect(throws: Self.tooLarge(index, Limits.checkpointIndexBytes)) {
      try SafetensorsCheckpoint(
        EndlessDirectory(files: [index: UInt64(Limits.checkpointIndexBytes) + 1]))
    }
    #expect(throws: Self.tooLarge("config.json", Limits.modelConfigBytes)) {
      try HuggingFaceHeader(
        EndlessDirectory(files: ["config.json": UInt64(Limits.modelConfigBytes) + 1]))
    }
  }

  @Test func `more shards than any model has are refused before one is opened`() {
    let count = Limits.checkpointShards + 1
    let map = (0..<count).map { "\"t\($0)\":\"s\($0).safetensors\"" }.joined(separator: ",")
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsCheckpoint(
        MemoryModelDirectory([
          "model.safetensors.index.json": Array("{\"weight_map\":{\(map)}}".utf8)
        ]))
    }
    #expect(error?.reason == .tooMany(tensors: count, limit: Limits.checkpointShards))
  }

  @Test func `more tensors in a file than any model has are refused`() {
    let count = Limits.tensors + 1
    var file = SafetensorsWriting()
    file.header =
      "{" + (0..<count).map { "\"\($0)\":{}" }.joined(separator: ",") + "}"
    let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(file.source) }
    #expect(error?.reason == .tooMany(tensors: count, limit: Limits.tensors))
  }

  @Test func `a tensor has as many dimensions as the limit, and no more`() throws {
    for (count, isRead) in [(Limits.tensorDimensions, true), (Limits.tensorDimensions + 1, false)] {
      var file = SafetensorsWriting()
      let shape = [Int](repeating: 1, count: count - 1) + [2]
      file.floats("a", shape, [1, 2])
      if isRead {
        #expect(try SafetensorsFile(file.source).tensors.first?.shape == shape)
      } else {
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(file.source) }
        #expect(error?.reason == .shape(shape))
      }
    }
  }
}

@Suite struct TokenizerLimitTests {
  /// A vocabulary of so many empty tokens.
  private static func definition(
    _ count: Int = 2, model: TokenizerModel = .wordLevel
  ) -> TokenizerDefinition {
    var tokens = ByteStrings()
    tokens.reserve(strings: count)
    for _ in 0..<count { tokens.append([UInt8]()) }
    return TokenizerDefinition(
      model: model, tokens: tokens, types: Array(repeating: .normal, count: count))
  }

  @Test func `as many tokens as the limit are a vocabulary, one more are none`() throws {
    try Self.definition(Limits.tokens).validate()
    #expect(
      throws: TokenizerError.tooMany(
        field: "tokens", limit: Limits.tokens, found: Limits.tokens + 1)
    ) { try Self.definition(Limits.tokens + 1).validate() }
  }

  @Test func `merges have their limit`() {
    var definition = Self.definition(model: .pairs(PairRules()))
    definition.merges.reserve(strings: 2 * (Limits.merges + 1))
    for _ in 0..<2 * (Limits.merges + 1) { definition.merges.append([UInt8]()) }
    #expect(
      throws: TokenizerError.tooMany(
        field: "merges", limit: Limits.merges, found: Limits.merges + 1)
    ) { try definition.validate() }
  }

  @Test func `steps have their limit, each kind by itself`() throws {
    let count = Limits.tokenizerSteps
    var definition = Self.definition()
    definition.normalizers = Array(repeating: .lowercase, count: count)
    definition.cuts = Array(repeating: .whitespace, count: count)
    definition.decoding = Array(repeating: .fuse, count: count)
    try definition.validate()
    var changed = definition
    changed.normalizers.append(.lowercase)
    #expect(
      throws: TokenizerError.tooMany(field: "normalizers", limit: count, found: count + 1)
    ) { try changed.validate() }
    changed = definition
    changed.cuts.append(.whitespace)
    #expect(
      throws: TokenizerError.tooMany(field: "pre-tokenizers", limit: count, found: count + 1)
    ) { try changed.validate() }
    changed = definition
    changed.decoding.append(.fuse)
    #expect(
      throws: TokenizerError.tooMany(field: "decoders", limit: count, found: count + 1)
    ) { try changed.validate() }
  }

  @Test func `a token has its length`() throws {
    for (length, isRead) in [(Limits.tokenBytes, true), (Limits.tokenBytes + 1, false)] {
      var tokens = ByteStrings()
      tokens.append([UInt8](repeating: 32, count: length))
      let definition = TokenizerDefinition(model: .wordLevel, tokens: tokens, types: [.normal])
      if isRead {
        try definition.validate()
      } else {
        #expect(
          throws: TokenizerError.tokenTooLong(token: 0, limit: Limits.tokenBytes, bytes: length)
        ) { try definition.validate() }
      }
    }
  }

  @Test func `texts and tables of steps have theirs where bytes of others are read`() throws {
    let text = Limits.tokenizerTextBytes
    let table = Limits.charsmapBytes
    for (step, field, limit) in [
      (.prepend(String(repeating: "a", count: text + 1), .always), "prefix", text),
      (.charsmap([UInt8](repeating: 0, count: table + 1), byGrapheme: false), "charsmap", table),
    ] as [(NormalizerStep, String, Int)] {
      var definition = Self.definition()
      definition.normalizers = [step]
      #expect(
        throws: TokenizerError.wire(.tooLong(field: field, limit: limit, announced: limit + 1))
      ) { try TokenizerDefinition(canonicalBytes: definition.canonicalBytes) }
    }
    var sound = Self.definition()
    sound.normalizers = [
      .prepend(String(repeating: "a", count: text), .always),
      .charsmap([UInt8](repeating: 0, count: table), byGrapheme: false),
    ]
    #expect(try TokenizerDefinition(canonicalBytes: sound.canonicalBytes) == sound)
  }

  @Test func `bytes beyond those of a tokenizer are refused unread`() {
    let count = Limits.tokenizerBytes + 1
    #expect(
      throws: TokenizerError.tooMany(field: "bytes", limit: Limits.tokenizerBytes, found: count)
    ) { try TokenizerDefinition(canonicalBytes: [UInt8](repeating: 0, count: count)) }
  }
}

@Suite struct ManifestLimitTests {
  /// The bytes of a manifest that says how long one atom and the tokenizer are.
  private static func bytes(atom: UInt64, tokenizer: UInt64) -> [UInt8] {
    ModelManifest(
      architecture: "llama",
      shape: Hyperparameters(
        hidden: 32, layers: 1, vocabulary: 64, context: 128,
        norm: NormOptions(.rms, epsilon: 1e-5),
        attention: AttentionOptions(
          heads: 4, keyValueHeads: 2, headDimension: 8,
          rotaries: [RotaryOptions(dimension: 8, base: 10_000, style: .interleaved)],
          layers: [LayerAttention()], keyValueType: .f32),
        feedForward: FeedForwardOptions(width: 64, activation: .silu)),
      unitExponent: 20, tokenizer: BlobID(.zero), tokenizerByteCount: tokenizer,
      chatTemplate: "", format: .f32,
      atoms: [AtomEntry(key: .common, blob: BlobID(.zero), byteCount: atom)]
    ).canonicalBytes
  }

  @Test func `no atom and no tokenizer is announced longer than one may be`() {
    let (atom, tokenizer) = (UInt64(Limits.blobBytes), UInt64(Limits.tokenizerBytes))
    for (bytes, error) in [
      // At both limits what is wrong is that atoms are missing.
      (Self.bytes(atom: atom, tokenizer: tokenizer), .invalid(field: "atoms")),
      (
        Self.bytes(atom: atom + 1, tokenizer: 1),
        .tooLong(field: "atom", limit: Limits.blobBytes, announced: Limits.blobBytes + 1)
      ),
      (
        Self.bytes(atom: 1, tokenizer: tokenizer + 1),
        .tooLong(
          field: "tokenizer", limit: Limits.tokenizerBytes, announced: Limits.tokenizerBytes + 1)
      ),
    ] as [([UInt8], WireError)] {
      #expect(throws: ModelError.damagedManifest(error)) {
        try ModelManifest(canonicalBytes: bytes)
      }
    }
  }
}
