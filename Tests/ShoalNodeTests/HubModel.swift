// Small models of random weights as Hugging Face directories, of any family that is declared.

import ShoalInference
import ShoalProtocol

/// Files by name.
struct MemoryDirectory: ModelDirectory {
  let name = "hub-model"
  var files: [String: [UInt8]] = [:]

  func fileNames() -> [String] { files.keys.sorted() }

  func file(_ name: String) throws -> (any ByteSource)? {
    let path = try parts(ofName: name).joined(separator: "/")
    return files[path].map { MemoryByteSource(name: "\(self.name)/\(path)", bytes: $0) }
  }
}

/// A directory in the making: what is stated is written, sound or not.
struct HubModel: Sendable {
  struct Tensor: Sendable {
    var name: String
    var dtype = "F32"
    var shape: [Int]
    var bytes: [UInt8]
  }

  /// Values as JSON.
  var config: [String: String] = [:]
  var tensors: [Tensor] = []
  /// Files that the weights are spread over.
  var shards = 1
  /// Files beside those of configuration and weights.
  var others: [String: [UInt8]] = ["vocab.txt": HubModel.vocabulary(300)]

  /// The shape that `FamilySplitTests` gives to GGUF files.
  init(family: String) throws {
    self.init(configuredAs: family)
    try addTensors()
  }

  static func shape(of family: String) throws -> Hyperparameters {
    try HubModel(configuredAs: family).declaration().shape
  }

  private func declaration() throws -> ModelDeclaration {
    try ModelDeclaration(
      ModelDescription(
        header: HuggingFaceHeader(directory), weights: SafetensorsCheckpoint(directory)))
  }

  private init(configuredAs family: String) {
    config = [
      "model_type": "\"\(family)\"", "hidden_size": "144", "num_hidden_layers": "4",
      "num_attention_heads": "6", "num_key_value_heads": "2", "head_dim": "24",
      "intermediate_size": "172", "vocab_size": "300", "max_position_embeddings": "128",
      "rms_norm_eps": "1e-5", "layer_norm_eps": "1e-5", "sliding_window": "5",
      "partial_rotary_factor": "0.75", "tie_word_embeddings": "false",
    ]
    for (key, value) in Self.own(family) { config[key] = value }
  }

  /// What a family has of its own.
  private static func own(_ family: String) -> [String: String] {
    switch family {
    case "falcon": ["new_decoder_architecture": "true"]
    case "gpt2", "gpt_neox": ["num_key_value_heads": "6"]
    case "gemma2": ["attn_logit_softcapping": "2.0", "final_logit_softcapping": "1.5"]
    case "olmo2": ["sliding_window": "null"]
    // One layer in six sees everything.
    case "gemma3_text": ["num_hidden_layers": "6"]
    case "granite": ["embedding_multiplier": "3.0", "residual_multiplier": "0.5"]
    case "mixtral": ["num_local_experts": "5", "num_experts_per_tok": "2"]
    case "qwen2_moe", "qwen3_moe":
      [
        "num_experts": "5", "num_experts_per_tok": "2", "moe_intermediate_size": "40",
        "shared_expert_intermediate_size": "72",
      ]
    case "qwen2", "qwen3": ["use_sliding_window": "true", "max_window_layers": "1"]
    case _: [:]
    }
  }

  /// One random tensor for each that the family declares, biases included.
  private mutating func addTensors() throws {
    var random = SeededGenerator(state: 5)
    let declaration = try declaration()
    let shape = declaration.shape
    let declared =
      declaration.model.map { ($0, 0) }
      + (0..<shape.layers).flatMap { layer in declaration.layer.map { ($0, layer) } }
    for (tensor, layer) in declared {
      guard let place = tensor.huggingFace else { continue }
      let stored = place.storedShape(tensor.role, shape)
      for expert in 0..<(place.isPerExpert ? shape.feedForward.experts?.count ?? 0 : 1) {
        let name = place.name(layer: layer, member: expert)
        // Parts of a fused tensor name it several times.
        guard !tensors.contains(where: { $0.name == name }) else { continue }
        let isNorm = stored.rows == 1 && tensor.role != .sharedGate
        add(name, stored.rows, stored.columns, isNorm: isNorm, place.addsOne, &random)
      }
    }
  }

  private mutating func add(
    _ name: String, _ rows: Int, _ columns: Int, isNorm: Bool, _ addsOne: Bool,
    _ random: inout SeededGenerator
  ) {
    let reach = isNorm ? 0.25 : (6 / Float(columns)).squareRoot()
    let middle: Float = isNorm && !addsOne ? 0.9 : 0
    let values = (0..<rows * columns).map { _ in
      middle + (Float(random.next() >> 40) * 0x1p-23 - 1) * reach
    }
    tensors.append(
      Tensor(
        name: name, shape: isNorm ? [columns] : [rows, columns],
        bytes: GGUFModelFile.floats(values)))
  }

  /// Changes one tensor by name; the test is wrong where there is none.
  mutating func change(_ name: String, _ body: (inout Tensor) -> Void) {
    for index in tensors.indices where tensors[index].name == name { body(&tensors[index]) }
  }

  // MARK: Files

  var directory: MemoryDirectory {
    var files = others
    let members = config.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
    files["config.json"] = Array("{\(members.joined(separator: ", "))}".utf8)
    guard shards > 1 else {
      files["model.safetensors"] = Self.safetensors(tensors)
      return MemoryDirectory(files: files)
    }
    var map: [String] = []
    for shard in 0..<shards {
      let name = "model-\(shard + 1)-of-\(shards).safetensors"
      let some = tensors.enumerated().filter { $0.offset % shards == shard }.map(\.element)
      files[name] = Self.safetensors(some)
      map += some.map { "\"\($0.name)\": \"\(name)\"" }
    }
    files["model.safetensors.index.json"] = Array(
      "{\"weight_map\": {\(map.joined(separator: ", "))}}".utf8)
    return MemoryDirectory(files: files)
  }

  static func safetensors(_ tensors: [Tensor]) -> [UInt8] {
    var offset = 0
    let entries = tensors.map { tensor in
      defer { offset += tensor.bytes.count }
      return "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":\(tensor.shape),"
        + "\"data_offsets\":[\(offset),\(offset + tensor.bytes.count)]}"
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    var writer = ByteWriter(reserving: 8 + header.count + offset)
    writer.integer(UInt64(header.count))
    writer.raw(header)
    for tensor in tensors { writer.raw(tensor.bytes) }
    return writer.bytes
  }

  /// BERT's list of words: the smallest tokenizer that there is.
  private static func vocabulary(_ count: Int) -> [UInt8] {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (5..<count).map { "word\($0)" }
    return Array(words.joined(separator: "\n").utf8)
  }
}
