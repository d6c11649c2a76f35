// OLMo 2 (arXiv 2501.00656): a Llama whose branches read the bare residual and are normalised on
// their way back, with one norm over all heads of the queries and one over those of the keys.
// OLMo 3 (Ai2 2025), which GGUF calls by the same name, has windows in three layers of four.

extension Architecture {
  static let olmo2 = Architecture(
    "olmo2", gguf: ["olmo2"], huggingFace: ["olmo2", "olmo3"]
  ) { model in
    let isThird = try model.header.architecture == "olmo3"
    let model = isThird ? model.assuming(floats: [.rotaryBase: 500_000]) : model
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    shape.residual.normalisesInput = false
    shape.residual.normalisesBranch = true
    shape.attention.queryKeyNorm = .fullWidth
    try model.windows(&shape) { ($0 + 1) % 4 != 0 }
    if let base = shape.attention.rotaries.first?.base {
      try model.localPositions(&shape, base: try model.float(.localRotaryBase, default: base))
    }
    return shape
  } tensors: { _ in
    let (gguf, layer) = ("blk.{layer}", "model.layers.{layer}")
    return .all([
      .vocabulary("model.embed_tokens"),
      .norm(.outputNorm, "output_norm", "model.norm"),
      .llamaAttention(biases: true),
      .queryKeyNorms(),
      .norm(
        .attentionPostNorm, "\(gguf).post_attention_norm", "\(layer).post_attention_layernorm"),
      .llamaFeedForward(),
      .norm(
        .feedForwardPostNorm, "\(gguf).post_ffw_norm", "\(layer).post_feedforward_layernorm"),
    ])
  }
}
