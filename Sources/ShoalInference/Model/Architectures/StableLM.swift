// StableLM 3B and 2 (arXiv 2402.17834): a Llama with layer norms and heads turned in part; the
// large ones have branches side by side and a norm for each head.

extension Architecture {
  static let stableLM = Architecture(
    "stablelm", gguf: ["stablelm"], huggingFace: ["stablelm"]
  ) { model in
    var shape = try model.decoder(norm: .layer, rotary: .halves, activation: .silu)
    shape.residual.isParallel = try model.flag(.usesParallelResidual, default: false)
    let hasNorms =
      try model.isGGUF
      ? model.weights.tensor("blk.0.attn_q_norm.weight") != nil
      : model.flag(.normalisesHeads, default: false)
    if hasNorms { shape.attention.queryKeyNorm = .eachHead }
    return shape
  } tensors: { shape in
    let (gguf, layer) = ("blk.{layer}", "model.layers.{layer}")
    return .all([
      .vocabulary("model.embed_tokens"),
      .norm(.outputNorm, "output_norm", "model.norm", bias: .outputNormBias),
      .norm(
        .attentionNorm, "\(gguf).attn_norm", "\(layer).input_layernorm", bias: .attentionNormBias),
      // Side by side, both branches read the one norm.
      .norm(
        .feedForwardNorm, "\(gguf).ffn_norm", "\(layer).post_attention_layernorm",
        bias: .feedForwardNormBias, optional: shape.residual.isParallel),
      .llamaAttention(biases: true),
      shape.attention.queryKeyNorm == .none ? [] : .normsOfEachHead,
      .llamaFeedForward(),
    ])
  }
}

extension [TensorDeclaration] {
  fileprivate static var normsOfEachHead: Self {
    let name = { (part: String) in
      TensorPlace("model.layers.{layer}.self_attn.\(part)_layernorm.norms.{head}.weight")
    }
    return [
      .init(.queryNorm, "blk.{layer}.attn_q_norm.weight", name("q")),
      .init(.keyNorm, "blk.{layer}.attn_k_norm.weight", name("k")),
    ]
  }
}

extension HeaderKey {
  static let normalisesHeads = HeaderKey(nil, "qk_layernorm")
}
