// Qwen 1.5 MoE, Qwen 2 MoE and Qwen 3 MoE (arXiv 2407.10671, 2505.09388): many small experts; the
// older ones with a shared expert beside them, behind a gate of its own.

extension Architecture {
  static let qwen2MoE = Architecture(
    "qwen2moe", gguf: ["qwen2moe"], huggingFace: ["qwen2_moe"]
  ) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    // As transformers has it: every second layer, up to a certain one.
    try model.switchedWindows(&shape) { layer, end in layer.isMultiple(of: 2) && layer < end }
    try model.checkEveryLayerHasExperts()
    try model.experts(&shape, normalises: false, shared: true)
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .qwenExperts() + .qwenSharedExpert()
  }

  static let qwen3MoE = Architecture(
    "qwen3moe", gguf: ["qwen3moe"], huggingFace: ["qwen3_moe"]
  ) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    shape.attention.queryKeyNorm = .perHead
    try model.switchedWindows(&shape) { _, _ in true }
    try model.checkEveryLayerHasExperts()
    try model.experts(&shape, normalises: model.isGGUF)
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .queryKeyNorms() + .qwenExperts()
  }
}

extension ModelDescription {
  /// All layers of a stage are dealt alike, so that none of them may be dense.
  fileprivate func checkEveryLayerHasExperts() throws {
    if try integer(.expertStep, default: 1) != 1 {
      throw refused(.expertStep, "dense layers between those with experts")
    }
    if let dense = try header.integers(.denseLayers), !dense.isEmpty {
      throw refused(.denseLayers, "dense layers between those with experts")
    }
  }
}

extension HeaderKey {
  /// One layer in so many has experts.
  static let expertStep = HeaderKey(nil, "decoder_sparse_step")
  static let denseLayers = HeaderKey(nil, "mlp_only_layers")
}

extension [TensorDeclaration] {
  fileprivate static func qwenExperts() -> Self {
    let (gguf, mlp) = ("blk.{layer}", "model.layers.{layer}.mlp")
    return .all([
      .product(.router, "\(gguf).ffn_gate_inp", "\(mlp).gate"),
      .product(.expertGate, "\(gguf).ffn_gate_exps", "\(mlp).experts.{expert}.gate_proj"),
      .product(.expertUp, "\(gguf).ffn_up_exps", "\(mlp).experts.{expert}.up_proj"),
      .product(.expertDown, "\(gguf).ffn_down_exps", "\(mlp).experts.{expert}.down_proj"),
    ])
  }

  fileprivate static func qwenSharedExpert() -> Self {
    let (gguf, mlp) = ("blk.{layer}", "model.layers.{layer}.mlp")
    return .all([
      .product(.sharedGate, "\(gguf).ffn_gate_inp_shexp", "\(mlp).shared_expert_gate"),
      .product(.gate, "\(gguf).ffn_gate_shexp", "\(mlp).shared_expert.gate_proj"),
      .product(.up, "\(gguf).ffn_up_shexp", "\(mlp).shared_expert.up_proj"),
      .product(.down, "\(gguf).ffn_down_shexp", "\(mlp).shared_expert.down_proj"),
    ])
  }
}
