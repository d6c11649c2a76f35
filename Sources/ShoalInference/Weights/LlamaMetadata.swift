// Reads a Llama's shape from GGUF metadata (keys: `docs/gguf.md` in ggml's repository, section
// "LLM").

import ShoalProtocol

extension Llama {
  /// The shape that `file` describes. Features that this declaration does not compute are refused
  /// by name.
  static func shape(_ file: GGUFFile) throws -> Hyperparameters {
    let metadata = file.metadata
    let key = { (name: String) in "\(architecture).\(name)" }
    if let experts = try metadata.integerIfPresent(key("expert_count")), experts > 0 {
      throw ModelError.unsupportedFeature("\(experts) experts in a layer")
    }
    let hidden = try metadata.integer(key("embedding_length"))
    let heads = try metadata.integer(key("attention.head_count"))
    guard heads > 0, hidden > 0 else {
      throw ModelError.outOfRange(
        key: key("attention.head_count"), value: heads, allowed: 1...4_096)
    }
    let dimension = try metadata.integerIfPresent(key("attention.key_length")) ?? hidden / heads
    let valueDimension =
      try metadata.integerIfPresent(key("attention.value_length")) ?? dimension
    guard valueDimension == dimension else {
      throw ModelError.unsupportedFeature("values of \(valueDimension) beside keys of \(dimension)")
    }
    let embedding = try file.required("token_embd.weight")
    return try Hyperparameters(
      hidden: hidden,
      layers: metadata.integer(key("block_count")),
      heads: heads,
      keyValueHeads: metadata.integerIfPresent(key("attention.head_count_kv")) ?? heads,
      headDimension: dimension,
      rotaryDimension: metadata.integerIfPresent(key("rope.dimension_count")) ?? dimension,
      feedForward: metadata.integer(key("feed_forward_length")),
      vocabulary: embedding.rows,
      context: metadata.integerIfPresent(key("context_length")) ?? 2_048,
      normEpsilon: metadata.float(key("attention.layer_norm_rms_epsilon")),
      rotaryBase: metadata.floatIfPresent(key("rope.freq_base")) ?? 10_000,
      rotaryStyle: .interleaved,
      rotaryScaling: try scaling(file),
      keyValueType: try keyValueType(file)
    ).checked()
  }

  private static func scaling(_ file: GGUFFile) throws -> RotaryScaling {
    if file.tensors["rope_freqs.weight"] != nil {
      return .factors(try file.floats("rope_freqs.weight"))
    }
    let type = try file.metadata.stringIfPresent("\(architecture).rope.scaling.type") ?? "none"
    switch type {
    case "none": return .none
    case "linear":
      return .linear(
        factor: Double(try file.metadata.float("\(architecture).rope.scaling.factor")))
    case _: throw ModelError.unsupportedFeature("rotary scaling \(type)")
    }
  }

  /// f32 where the file's weights are, f16 otherwise: rounding keys and values to f16 is then
  /// smaller than what the weights have lost.
  private static func keyValueType(_ file: GGUFFile) throws -> KVType {
    try file.required("blk.0.attn_q.weight").format == .f32 ? .f32 : .f16
  }
}
