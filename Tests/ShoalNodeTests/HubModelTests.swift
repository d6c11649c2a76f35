// Hugging Face directories of every family: dealt, spread over shards, damaged.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct HubModelTests {
  /// Families that generate text by attention; of those with several names one each.
  static let families = Architecture.all.flatMap(\.huggingFace).filter { family in
    !["mistral", "olmo3", "RefinedWeb", "RefinedWebModel", "mamba"].contains(family)
      && (try? HubModel.shape(of: family).head.hasLogits) == true
  }

  @Test func `no family is left out`() { #expect(Self.families.count >= 17) }

  @Test(arguments: families)
  func `a family has one digest, however its parts are dealt`(_ family: String) async throws {
    let engine = try Engine(.directory(HubModel(family: family).directory))
    let prompt = (0..<21).map { UInt32($0 * 37 % 290 + 5) }
    let alone = try await engine.generate(prompt, count: 3, Dealing(kernel: .reference))
    for dealing in [
      Dealing(), Dealing(weights: [5, 2, 1]),
      Dealing(weights: [1, 1, 1], asCards: true, threads: 2, batch: 5),
      Dealing(weights: [3, 1, 4, 1, 5, 9, 2], batch: 8),
    ] {
      let dealt = try await engine.generate(prompt, count: 3, dealing)
      #expect(dealt.digest == alone.digest, "\(dealing)")
    }
  }

  @Test(arguments: families)
  func `every tensor of a family changes its logits`(_ family: String) async throws {
    let model = try HubModel(family: family)
    let prompt = (0..<9).map { UInt32($0 * 37 % 290 + 5) }
    let before = try await Engine(.directory(model.directory)).generate(prompt, count: 1)
    for name in model.tensors.map(\.name)
    where !name.contains(/(layers|h)\.[02-9]\.|experts\.[1-9]\./) {
      var changed = model
      // Of experts all, since few are used.
      for each in model.tensors.map(\.name)
      where each.replacing(/experts\.\d/, with: "experts.0") == name {
        changed.change(each) { tensor in
          for index in stride(from: 3, to: tensor.bytes.count, by: 32) {
            tensor.bytes[index] ^= 0x80
          }
        }
      }
      let after = try await Engine(.directory(changed.directory)).generate(prompt, count: 1)
      #expect(after.digest != before.digest, "\(name)")
    }
  }

  @Test func `shards are one model`() throws {
    var model = try HubModel(family: "gpt2")
    let whole = try Engine(.directory(model.directory)).model
    model.shards = 3
    #expect(try Engine(.directory(model.directory)).model == whole)
  }

  /// As models are saved that are trained for vectors.
  @Test(arguments: families)
  func `a checkpoint of the bare model, whose names have no prefix, is the same model`(
    _ family: String
  ) throws {
    let whole = try HubModel(family: family)
    var bare = whole
    for prefix in ["model.", "transformer.", "gpt_neox."] {
      for index in bare.tensors.indices where bare.tensors[index].name.hasPrefix(prefix) {
        bare.tensors[index].name.removeFirst(prefix.count)
      }
    }
    #expect(bare.tensors.contains { $0.name.hasPrefix("layers.") || $0.name.hasPrefix("h.") })
    #expect(
      try Engine(.directory(bare.directory)).model == Engine(.directory(whole.directory)).model)
  }

  @Test func `the text part of a model that sees is the text model`() throws {
    let plain = try HubModel(family: "gemma3_text")
    let expected = try Engine(.directory(plain.directory)).manifest.atoms
    for (old, new) in [("", "language_model."), ("model.", "model.language_model.")] {
      var model = plain
      let members = plain.config.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
      model.config = [
        "model_type": "\"gemma3\"", "text_config": "{\(members.joined(separator: ", "))}",
        "vision_config": "{\"hidden_size\": 7}",
      ]
      for index in model.tensors.indices where model.tensors[index].name.hasPrefix(old) {
        model.tensors[index].name = new + model.tensors[index].name.dropFirst(old.count)
      }
      model.tensors.append(
        .init(name: "vision_tower.patch.weight", shape: [1], bytes: [0, 0, 0, 0]))
      #expect(try Engine(.directory(model.directory)).manifest.atoms == expected, "\(new)")
    }
  }

  @Test func `a Gemma 3 that says little has the sizes of its class`() throws {
    let directory = MemoryDirectory(files: [
      "config.json": Array(
        """
        {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 2560,
         "intermediate_size": 10240, "num_hidden_layers": 34, "sliding_window": 1024,
         "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}}
        """.utf8)
    ])
    let shape = try ModelOutline(.directory(directory)).shape
    #expect(shape.attention.heads == 8 && shape.attention.keyValueHeads == 4)
    #expect(shape.attention.headDimension == 256 && shape.vocabulary == 262_208)
    #expect(shape.attention.rotaries.map(\.base) == [1_000_000, 10_000])
    #expect(shape.attention.rotaries.map(\.scaling) == [.linear(factor: 8), .none])
    #expect(shape.attention.layers[4].rotary == 1 && shape.attention.layers[5].rotary == 0)
    #expect(shape.attention.layers[5].window == 0)
  }

  @Test func `a head is what the configuration says it is`() throws {
    var model = try HubModel(family: "llama")
    func isTied(_ manifest: ModelManifest) -> Bool {
      let blobs = Dictionary(manifest.atoms.map { ($0.key, $0.blob) }) { first, _ in first }
      return blobs[.embedding(block: 1)] == blobs[.output(block: 1)]
    }
    #expect(try !isTied(Engine(.directory(model.directory)).manifest))
    // A copy that a tied model carries along.
    model.config["tie_word_embeddings"] = "true"
    #expect(try isTied(Engine(.directory(model.directory)).manifest))
    model.tensors.removeAll { $0.name == "lm_head.weight" }
    #expect(try isTied(Engine(.directory(model.directory)).manifest))
    model.config["tie_word_embeddings"] = "null"
    #expect(try isTied(Engine(.directory(model.directory)).manifest))
    model.config["tie_word_embeddings"] = "false"
    let refusal = ModelFileError(file: "hub-model", reason: .missingTensor("lm_head.weight"))
    #expect(throws: refusal) { try Engine(.directory(model.directory)) }
  }

  @Test(arguments: HubDamage.all)
  func `a wrong directory is refused by name and leaves nothing`(_ damage: HubDamage) throws {
    var model = try HubModel(family: damage.family)
    damage.model(&model)
    var directory = model.directory
    damage.files(&directory.files)
    let blobs = MemoryBlobStore()
    let error = #expect(throws: (any Error).self) {
      try Engine(.directory(directory), in: blobs)
    }
    let message = error.map { "\($0)" } ?? ""
    for word in damage.words { #expect(message.contains(word), "\(message)") }
    #expect(blobs.list().isEmpty)
  }

  @Test func `a link out of the directory is refused, and one within is followed`() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appending(path: "model")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let model = try HubModel(family: "llama")
    for (name, bytes) in model.directory.files {
      try Data(bytes).write(to: folder.appending(path: name))
    }
    let weights = folder.appending(path: "model.safetensors")
    let inside = folder.appending(path: "blob")
    try FileManager.default.moveItem(at: weights, to: inside)
    try FileManager.default.createSymbolicLink(at: weights, withDestinationURL: inside)
    let whole = try Engine(.directory(model.directory)).model
    #expect(try Engine(ModelFiles(path: folder.path)).model == whole)
    let outside = root.appending(path: "elsewhere")
    try FileManager.default.removeItem(at: weights)
    try FileManager.default.moveItem(at: inside, to: outside)
    try FileManager.default.createSymbolicLink(at: weights, withDestinationURL: outside)
    let blobs = MemoryBlobStore()
    let error = #expect(throws: ModelDirectoryError.self) {
      try Engine(ModelFiles(path: folder.path), in: blobs)
    }
    #expect(error.map { "\($0)" }?.contains("model.safetensors is a link out of") == true)
    #expect(blobs.list().isEmpty)
  }
}

/// One thing that is wrong with a directory, and what the refusal says.
struct HubDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let family: String
  let words: [String]
  let model: @Sendable (inout HubModel) -> Void
  let files: @Sendable (inout [String: [UInt8]]) -> Void

  init(
    _ description: String, of family: String = "llama", _ words: String...,
    model: @escaping @Sendable (inout HubModel) -> Void = { _ in },
    files: @escaping @Sendable (inout [String: [UInt8]]) -> Void = { _ in }
  ) {
    self.init(description, of: family, words: words, model: model, files: files)
  }

  private init(
    _ description: String, of family: String, words: [String],
    model: @escaping @Sendable (inout HubModel) -> Void,
    files: @escaping @Sendable (inout [String: [UInt8]]) -> Void
  ) {
    testDescription = description
    self.family = family
    self.words = words
    self.model = model
    self.files = files
  }

  /// A key of `config.json` that says something else.
  private static func key(_ key: String, _ value: String, _ words: String...) -> HubDamage {
    HubDamage(
      "\(key) of \(value)", of: "llama", words: words, model: { $0.config[key] = value },
      files: { _ in })
  }

  static let all = configurations + weights + tokenizers

  private static let configurations = [
    key("model_type", "\"perceptron\"", "hub-model", "perceptron", "known are", "llama"),
    key("model_type", "7", "config.json", "model_type", "a string"),
    key("hidden_size", "\"wide\"", "config.json.hidden_size", "a string", "an integer"),
    key("hidden_size", "4611686018427387904", "config.json.hidden_size", "4611686018427387904"),
    key("hidden_size", "1e300", "config.json.hidden_size"),
    key("hidden_size", "0", "config.json.hidden_size is 0"),
    key("num_hidden_layers", "1099511627776", "config.json.num_hidden_layers"),
    key("num_attention_heads", "0", "config.json.num_attention_heads is 0"),
    key("num_key_value_heads", "4", "heads (6)", "key-value heads (4)"),
    key("head_dim", "-24", "head dimension is -24"),
    key("vocab_size", "1000000000000", "vocabulary is 1000000000000"),
    key("intermediate_size", "2000000", "feed-forward width"),
    key("max_position_embeddings", "100000000000", "context is 100000000000"),
    key("rms_norm_eps", "-1", "config.json.rms_norm_eps"),
    key("rms_norm_eps", "NaN", "config.json.rms_norm_eps"),
    key("rope_theta", "0.5", "rotary base"),
    key("partial_rotary_factor", "1.7", "rotary dimension is 40"),
    key("layer_types", "[\"sliding_attention\"]", "config.json.layer_types", "1 entries, not 4"),
    key("hidden_act", "\"sine\"", "the activation sine"),
    key("rope_scaling", "{\"type\": \"cubic\"}", "rotary scaling cubic"),
    key("rope_scaling", "{\"type\": \"linear\"}", "rope_scaling.factor is missing"),
    key(
      "rope_scaling", "{\"type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1]}",
      "rotary factors have 1 entries, not 9"),
    key("quantization_config", "{\"quant_method\": \"gptq\"}", "stored by gptq"),
    HubDamage("no configuration", "config.json is missing", files: { $0["config.json"] = nil }),
    HubDamage("no JSON", "config.json", files: { $0["config.json"] = Array("{".utf8) }),
    HubDamage(
      "depth", "config.json", "nested deeper",
      files: { $0["config.json"] = Array(repeating: UInt8(ascii: "["), count: 100_000) }),
  ]

  private static let weights = [
    HubDamage("a missing tensor", "the tensor model.norm.weight is missing") {
      $0.tensors.removeAll { $0.name == "model.norm.weight" }
    },
    HubDamage("a wrong shape", "model.layers.2.mlp.up_proj.weight", "[172, 144]", "[144, 172]") {
      $0.change("model.layers.2.mlp.up_proj.weight") { $0.shape.reverse() }
    },
    HubDamage("fused rows that do not add up", of: "phi3", "qkv_proj.weight", "[240, 144]") {
      $0.config["num_key_value_heads"] = "3"
    },
    HubDamage("weights of 64 bits", "lm_head.weight", "F64") {
      $0.change("lm_head.weight") { tensor in
        tensor.dtype = "F64"
        tensor.shape[0] /= 2
      }
    },
    HubDamage("a tensor that nobody knows", "tensor model.layers.0.self_attn.sinks") {
      $0.tensors.append(
        .init(name: "model.layers.0.self_attn.sinks", shape: [1], bytes: [0, 0, 0, 0]))
    },
    HubDamage(
      "pickles", "pytorch_model.bin", "pickles are programs",
      files: { files in
        files["model.safetensors"] = nil
        files["pytorch_model.bin"] = [0x80, 2]
      }),
    HubDamage(
      "no weights", "model.safetensors is missing", files: { $0["model.safetensors"] = nil }),
    HubDamage(
      "a shard that is not there", "model-2-of-3.safetensors", "not there",
      model: { $0.shards = 3 }, files: { $0["model-2-of-3.safetensors"] = nil }),
    HubDamage(
      "weights cut short", "model.safetensors", "ends at byte",
      files: { $0["model.safetensors"]?.removeLast(700) }),
    HubDamage(
      "a header longer than the file", "model.safetensors", "needs",
      files: { $0["model.safetensors"]?[2] = 0x7f }),
  ]

  private static let tokenizers = [
    HubDamage("an unknown pre-tokenizer", "tokenizer.json.pre_tokenizer", "Oracle") {
      $0.others["tokenizer.json"] = Array(
        """
        {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
         "pre_tokenizer": {"type": "Oracle"}}
        """.utf8)
    },
    HubDamage("no tokenizer", "tokenizer.json", "missing") { $0.others = [:] },
    HubDamage("an unknown tokenizer", "tokenizer.json", "Oracle") {
      $0.others["tokenizer.json"] = Array(
        "{\"model\": {\"type\": \"Oracle\", \"vocab\": {}}}".utf8)
    },
  ]
}
