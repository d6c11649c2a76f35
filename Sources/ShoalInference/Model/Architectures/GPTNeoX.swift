// GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373): branches side by side, each with its norm,
// heads turned in part, a plain GELU feed-forward.

extension Architecture {
  static let gptNeoX = Architecture(
    "gptneox", gguf: ["gptneox"], huggingFace: ["gpt_neox"], prefix: "gpt_neox.",
    ignored: [".attention.bias", ".attention.masked_bias"]
  ) { model in
    var shape = try model.decoder(
      norm: .layer, rotary: .halves, activation: .geluErf, isGated: false)
    shape.residual.isParallel = try model.flag(.usesParallelResidual, default: true)
    return shape
  } tensors: { _ in
    let (gguf, layer) = ("blk.{layer}", "gpt_neox.layers.{layer}")
    let qkv = (TensorPlace.Fusion.queriesKeysValues, TensorPlace.Fusion.byGroup)
    return .all([
      .vocabulary("gpt_neox.embed_in", head: "embed_out"),
      .norm(.outputNorm, "output_norm", "gpt_neox.final_layer_norm", bias: .outputNormBias),
      .norm(
        .attentionNorm, "\(gguf).attn_norm", "\(layer).input_layernorm", bias: .attentionNormBias),
      .norm(
        .feedForwardNorm, "\(gguf).ffn_norm", "\(layer).post_attention_layernorm",
        bias: .feedForwardNormBias),
      [TensorRole.query, .key, .value].flatMap {
        [TensorDeclaration].product(
          $0, "\(gguf).attn_qkv", "\(layer).attention.query_key_value", biases: .sometimes,
          fused: qkv)
      },
      .product(
        .attentionOutput, "\(gguf).attn_output", "\(layer).attention.dense", biases: .sometimes),
      .product(.up, "\(gguf).ffn_up", "\(layer).mlp.dense_h_to_4h", biases: .sometimes),
      .product(.down, "\(gguf).ffn_down", "\(layer).mlp.dense_4h_to_h", biases: .sometimes),
    ])
  }
}

extension HeaderKey {
  static let usesParallelResidual = HeaderKey("use_parallel_residual", "use_parallel_residual")
}
