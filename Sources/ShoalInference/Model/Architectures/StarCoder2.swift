// StarCoder 2 (arXiv 2402.19173): grouped-query attention with rotary positions and windows, layer
// norms, biases everywhere, a plain GELU feed-forward.

extension Architecture {
  static let starCoder2 = Architecture(
    "starcoder2", gguf: ["starcoder2"], huggingFace: ["starcoder2"]
  ) { model in
    var shape = try model.decoder(
      norm: .layer, rotary: .halves, activation: .geluTanh, isGated: false)
    try model.windows(&shape) { _ in true }
    return shape
  } tensors: { _ in
    let (gguf, layer) = ("blk.{layer}", "model.layers.{layer}")
    return .all([
      .vocabulary("model.embed_tokens"),
      .norm(.outputNorm, "output_norm", "model.norm", bias: .outputNormBias),
      .norm(
        .attentionNorm, "\(gguf).attn_norm", "\(layer).input_layernorm", bias: .attentionNormBias),
      .norm(
        .feedForwardNorm, "\(gguf).ffn_norm", "\(layer).post_attention_layernorm",
        bias: .feedForwardNormBias),
      .llamaAttention(biases: true),
      .product(.up, "\(gguf).ffn_up", "\(layer).mlp.c_fc", biases: .sometimes),
      .product(.down, "\(gguf).ffn_down", "\(layer).mlp.c_proj", biases: .sometimes),
    ])
  }
}
