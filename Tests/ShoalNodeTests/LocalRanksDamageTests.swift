// Models that must be refused: wrong files, flipped bits, mangled manifests and atoms. Each is a
// typed error that names what and where; none leaves a model behind.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

/// What is done to a sound file, and how it is then refused.
struct ImportDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let error: ModelError
  let damage: @Sendable (inout GGUFModelFile) -> Void

  init(
    _ description: String, _ error: ModelError,
    _ damage: @escaping @Sendable (inout GGUFModelFile) -> Void
  ) {
    testDescription = description
    self.error = error
    self.damage = damage
  }

  private static func key(
    _ description: String, _ key: String, _ value: GGUFModelFile.Value, _ error: ModelError
  ) -> ImportDamage {
    ImportDamage("\(description): \(key)", error) { $0.set(key, value) }
  }

  static let tensors = [
    ImportDamage(
      "a tensor of another shape",
      .wrongShape(tensor: "blk.1.attn_k.weight", expected: [32, 32], found: [30, 32])
    ) { file in
      file.change("blk.1.attn_k.weight") { tensor in
        tensor.dimensions = [32, 30]
        tensor.bytes = Array(tensor.bytes.prefix(30 * 34))
      }
    },
    ImportDamage("a missing tensor", .missingTensor("blk.0.ffn_up.weight")) { file in
      file.tensors.removeAll { $0.name == "blk.0.ffn_up.weight" }
    },
    ImportDamage("a missing norm", .missingTensor("output_norm.weight")) { file in
      file.tensors.removeAll { $0.name == "output_norm.weight" }
    },
    ImportDamage(
      "a tensor of another model", .unsupportedFeature("tensor blk.0.attn_q_norm.weight")
    ) {
      $0.tensors.append(
        .init(
          name: "blk.0.attn_q_norm.weight", dimensions: [32], type: 0,
          bytes: .init(repeating: 0, count: 128)))
    },
    ImportDamage(
      "a bias of another width",
      .wrongShape(tensor: "blk.0.attn_q.bias", expected: [1, 32], found: [1, 16])
    ) {
      $0.tensors.append(
        .init(
          name: "blk.0.attn_q.bias", dimensions: [16], type: 0,
          bytes: .init(repeating: 0, count: 64)))
    },
    ImportDamage(
      "a format without kernels",
      .unsupportedFormat(tensor: "blk.0.attn_v.weight", format: "MXFP4")
    ) { file in
      file.change("blk.0.attn_v.weight") { tensor in
        tensor.type = 39
        tensor.bytes = .init(repeating: 0, count: 32 * 17)
      }
    },
    ImportDamage(
      "too few rotary factors", .wrongCount(key: "rotary factors", expected: 8, found: 3)
    ) {
      $0.tensors.append(
        .init(
          name: "rope_freqs.weight", dimensions: [3], type: 0,
          bytes: GGUFModelFile.floats([1, 1, 1])))
    },
    ImportDamage("a rotary factor of zero", .notFinite(key: "rotary scaling")) {
      $0.tensors.append(
        .init(
          name: "rope_freqs.weight", dimensions: [8], type: 0,
          bytes: GGUFModelFile.floats([1, 1, 1, 1, 1, 1, 1, 0])))
    },
  ]

  static let metadata = [
    key(
      "another architecture", "general.architecture", .string("perceptron"),
      .unknownArchitecture("perceptron", known: Architecture.all.flatMap(\.gguf).sorted())),
    key(
      "no heads", "llama.attention.head_count", .uint32(0),
      .outOfRange(key: "llama.attention.head_count", value: 0, allowed: 1...4_096)),
    key(
      "no groups", "llama.attention.head_count_kv", .uint32(0),
      .outOfRange(key: "key-value heads", value: 0, allowed: 1...4_096)),
    key(
      "heads that do not divide", "llama.attention.head_count", .uint32(3),
      .indivisible(key: "heads", value: 3, by: "key-value heads", divisor: 2)),
    key(
      "2^40 layers", "llama.block_count", .uint64(1 << 40),
      .outOfRange(key: "llama.block_count", value: 1 << 40, allowed: 1...1_024)),
    key(
      "2^62 hidden", "llama.embedding_length", .uint64(1 << 62),
      .outOfRange(key: "llama.embedding_length", value: 1 << 62, allowed: 1...(1 << 17))),
    key(
      "heads of another width", "llama.attention.value_length", .uint32(8),
      .unsupportedFeature(
        "llama.attention.value_length asks for values of 8 beside keys of 16")),
    key(
      "an odd rotary dimension", "llama.rope.dimension_count", .uint32(15),
      .indivisible(key: "rotary dimension", value: 15, by: "2", divisor: 2)),
    key(
      "no feed-forward", "llama.feed_forward_length", .uint32(0),
      .outOfRange(key: "feed-forward width", value: 0, allowed: 1...(1 << 20))),
    key(
      "an epsilon that is no number", "llama.attention.layer_norm_rms_epsilon",
      .float32(.nan),
      .notFinite(key: "llama.attention.layer_norm_rms_epsilon")),
    key(
      "a base of zero", "llama.rope.freq_base", .float32(0),
      .notFinite(key: "rotary base")),
    key(
      "experts of unknown use", "llama.expert_count", .uint32(8),
      .missing(key: "llama.expert_used_count")),
    key(
      "another scaling", "llama.rope.scaling.type", .string("cubic"),
      .unsupportedFeature("llama.rope.scaling.type asks for rotary scaling cubic")),
    ImportDamage(
      "a negative head dimension",
      .outOfRange(key: "head dimension", value: -16, allowed: 1...4_096)
    ) { file in
      file.set("llama.attention.key_length", .int32(-16))
      file.set("llama.attention.value_length", .int32(-16))
    },
    ImportDamage("a scaling by zero", .notFinite(key: "rotary scaling")) { file in
      file.set("llama.rope.scaling.type", .string("linear"))
      file.set("llama.rope.scaling.factor", .float32(0))
    },
  ]
}

@Suite struct LocalRanksImportTests {
  @Test(arguments: ImportDamage.tensors + ImportDamage.metadata)
  func `a wrong file is refused by name and leaves nothing`(_ damage: ImportDamage) throws {
    var file = try TinyLlama.smallest.file()
    damage.damage(&file)
    let blobs = MemoryBlobStore()
    let refusal = ModelFileError(file: "test.gguf", reason: damage.error)
    #expect(throws: refusal) { try Engine(file.bytes, in: blobs) }
    #expect(blobs.list().isEmpty)
  }

  @Test func `a file without a tokenizer is refused`() throws {
    var file = try TinyLlama.smallest.file()
    file.remove("tokenizer.ggml.tokens")
    let blobs = MemoryBlobStore()
    #expect(throws: ModelTokenizerError.self) { try Engine(file.bytes, in: blobs) }
    #expect(blobs.list().isEmpty)
  }

  @Test func `a file cut short anywhere is refused and leaves nothing`() throws {
    let bytes = try TinyLlama.smallest.file().bytes
    let blobs = MemoryBlobStore()
    var lengths = Array(stride(from: 0, to: bytes.count, by: 211))
    // The last tensor's bytes end in padding that nothing needs.
    lengths.append(bytes.count - 33)
    for length in lengths {
      #expect(throws: GGUFError.self, "\(length) of \(bytes.count) bytes") {
        try Engine(Array(bytes.prefix(length)), in: blobs)
      }
    }
    #expect(blobs.list().isEmpty)
  }

  @Test func `a disk that fills half-way leaves no model, and the next try completes it`() throws {
    let bytes = try TinyLlama.smallest.file().bytes
    let model = try Engine(bytes).model
    let blobs = MemoryBlobStore(room: UInt64(bytes.count) * 11 / 10 + 64)
    // A rival takes the room between the check and the writing.
    let library = ModelLibrary(blobs: blobs)
    #expect(throws: BlobStoreError.self) {
      try library.importModel(.gguf(MemoryByteSource(name: "a", bytes: bytes))) { done, _ in
        if done > UInt64(bytes.count / 2) { blobs.allow(100) }
      }
    }
    #expect(!library.contains(model))
    #expect(!blobs.list().isEmpty)
    blobs.allow(1 << 40)
    #expect(try Engine(bytes, in: blobs).model == model)
  }

  @Test func `a disk without room is refused before anything is written`() throws {
    let bytes = try TinyLlama.smallest.file().bytes
    let blobs = MemoryBlobStore(room: 1_000)
    let needed = ByteCount(bytes.count + bytes.count / 10)
    #expect(throws: LibraryError.tooLarge(needed: needed, available: ByteCount(UInt64(1_000)))) {
      try Engine(bytes, in: blobs)
    }
    #expect(blobs.list().isEmpty)
  }

  @Test func `importing twice gives the same model, and tied heads are one blob`() throws {
    let shape = TinyLlama.all[3]
    let blobs = MemoryBlobStore()
    let first = try Engine(shape.file().bytes, in: blobs)
    let count = blobs.list().count
    #expect(try Engine(shape.file().bytes, in: blobs).model == first.model)
    #expect(blobs.list().count == count)
    let blob = Dictionary(
      first.manifest.atoms.map { ($0.key, $0.blob) }, uniquingKeysWith: { first, _ in first })
    #expect(blob[.embedding(block: 3)] == blob[.output(block: 3)])
    #expect(blob[.embedding(block: 3)] != blob[.output(block: 4)])
  }

  @Test(.enabled(if: ReferenceData.exists("gguf"), "the shared data is absent"))
  func `files of formats and families that are not computed are refused by name`() throws {
    let file = "gguf/llama-k256-tq1_0.gguf"
    let refusal = ModelFileError(
      file: file, reason: .unsupportedFormat(tensor: "blk.0.attn_q.weight", format: "TQ1_0"))
    #expect(throws: refusal) { try Engine(shared: file).model }
  }

  @Test func `an unknown family is refused by name, with those that are known`() throws {
    var file = try TinyLlama.smallest.file()
    file.set("general.architecture", .string("perceptron"))
    let refusal = ModelFileError(
      file: "test.gguf",
      reason: .unknownArchitecture(
        "perceptron", known: Architecture.all.flatMap(\.gguf).sorted()))
    #expect(throws: refusal) { try Engine(file.bytes) }
  }
}

@Suite struct LocalRanksAtomTests {
  @Test func `an atom with a flipped bit is named, and taken out of use`() async throws {
    let blobs = MemoryBlobStore()
    let engine = try Engine(TinyLlama.smallest.file().bytes, in: blobs)
    let entry = try #require(
      engine.manifest.atoms.first { $0.key == .feedForward(layer: 1, block: 1) })
    blobs.damage(entry.blob) { $0[$0.count / 2] ^= 0x10 }
    let expected = LibraryError.damaged(entry.blob, entry.key)
    await #expect(throws: expected) { try await engine.generate([1, 2], count: 1) }
    #expect(blobs.quarantined == [entry.blob])
    #expect(engine.library.missing(engine.manifest, [entry.key]) == [entry])
    // A rank among others that lacks an atom: nobody waits for ever, and its own reason comes out.
    await #expect(throws: BlobStoreError.missing(entry.blob)) {
      try await engine.generate([1, 2], count: 1, Dealing(weights: [1, 1]))
    }
  }

  @Test func `4 KiB inverted on disk are found before they are used`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let blobs = try unsafe DirectoryBlobStore(root: folder.path, hash: BLAKE2b.contentHash)
    let engine = try Engine(TinyLlama.all[5].file().bytes, in: blobs)
    let entry = try #require(
      engine.manifest.atoms.first { $0.key == .feedForward(layer: 0, block: 2) })
    let hex = entry.blob.raw.hex
    let file = folder.appending(path: "blobs/\(hex.prefix(2))/\(hex)")
    var bytes = [UInt8](try Data(contentsOf: file))
    #expect(bytes.count > 4_500)
    for index in 384..<4_480 { bytes[index] = ~bytes[index] }
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    try Data(bytes).write(to: file)
    await #expect(throws: LibraryError.damaged(entry.blob, entry.key)) {
      try await engine.generate([1, 2], count: 1)
    }
    #expect(!blobs.contains(entry.blob))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/quarantine/" + hex))
  }

  @Test func `a damaged manifest is refused by its hash`() throws {
    let blobs = MemoryBlobStore()
    let engine = try Engine(TinyLlama.smallest.file().bytes, in: blobs)
    blobs.damage(BlobID(engine.model.raw)) { $0[40] ^= 1 }
    #expect(throws: ModelError.damagedManifest(.invalid(field: "hash"))) {
      try engine.library.manifest(engine.model)
    }
    #expect(!engine.library.contains(engine.model))
  }

  @Test func `a manifest of another version asks for a new import`() throws {
    var bytes = try Engine(TinyLlama.smallest.file().bytes).manifest.canonicalBytes
    bytes[3] = UInt8(ascii: "1")
    #expect(throws: ModelError.otherVersion(found: 1, known: Int(ModelManifest.version))) {
      try ModelManifest(canonicalBytes: bytes)
    }
  }

  @Test func `mangled manifests are refused or are sound manifests with other numbers`() throws {
    let sound = try Engine(TinyLlama.smallest.file().bytes).manifest.canonicalBytes
    #expect(try ModelManifest(canonicalBytes: sound).canonicalBytes == sound)
    var random = SeededGenerator(state: 7)
    var refused = 0
    for _ in 0..<3_000 {
      // Most of the bytes are hashes; half of the flips go for the fields before them.
      let reach = Bool.random(using: &random) ? 140 : sound.count
      let bytes = Mangling.bytes(sound, within: reach, using: &random)
      do {
        let manifest = try ModelManifest(canonicalBytes: bytes)
        let isCanonical = manifest.canonicalBytes == bytes
        #expect(isCanonical)
      } catch {
        refused += 1
      }
    }
    #expect((500..<3_000).contains(refused), "\(refused)")
  }

  @Test func `mangled atom tables are refused or read within their bytes`() throws {
    let blobs = MemoryBlobStore()
    let engine = try Engine(TinyLlama.smallest.file().bytes, in: blobs)
    let manifest = engine.manifest
    let key = AtomKey.query(layer: 0, unit: 1)
    let entry = try #require(manifest.atoms.first { $0.key == key })
    let sound = unsafe Array(try blobs.map(entry.blob).bytes)
    var random = SeededGenerator(state: 8)
    var (refused, unusable) = (0, 0)
    for _ in 0..<1_500 {
      let bytes = AlignedBytes.copy(Mangling.bytes(sound, within: 8 + 5 * 32, using: &random))
      do {
        let atom = try unsafe AtomBlob(id: entry.blob, bytes: bytes.bytes, owner: bytes)
        _ = try RankModel(manifest: manifest, share: .whole(manifest.cut)) {
          try $0.key == key ? atom : engine.library.atom($0)
        }
      } catch ModelError.damagedAtom(let blob, let reason) {
        #expect(blob == entry.blob)
        if reason.hasPrefix("query") || reason.hasPrefix("key") { unusable += 1 }
        refused += 1
      }
    }
    #expect((500..<1_500).contains(refused), "\(refused)")
    #expect(unusable > 0)
  }
}

/// Bytes as a bad disk or a bad peer would have them.
enum Mangling {
  /// One to three changed bytes, sometimes a cut or an insertion.
  static func bytes(
    _ sound: [UInt8], within reach: Int, using random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = sound
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let index = Int.random(in: 0..<min(reach, bytes.count), using: &random)
      bytes[index] ^= UInt8.random(in: 1...255, using: &random)
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
    case 1: bytes.append(UInt8.random(in: 0...255, using: &random))
    case _: break
    }
    return bytes
  }
}
