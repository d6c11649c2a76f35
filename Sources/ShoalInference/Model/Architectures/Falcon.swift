// Falcon (arXiv 2311.16867): attention and feed-forward side by side, few key-value heads or one,
// layer norms. The 7B has one norm for both branches, the 40B one for each.

extension Architecture {
  static let falcon = Architecture(
    "falcon", gguf: ["falcon"], huggingFace: ["falcon", "RefinedWeb", "RefinedWebModel"],
    prefix: "transformer."
  ) { model in
    if try model.flag(.usesALiBi, default: false) {
      throw model.refused(.usesALiBi, "positions by ALiBi")
    }
    var shape = try model.decoder(
      norm: .layer, rotary: .halves, activation: .geluErf, isGated: false)
    // In the older kind a flag overrules the number of key-value heads. The first headers told the
    // kinds apart by the type's name.
    let isNew = try model.isGGUF || model.header.architecture == "RefinedWeb"
    let countsHeads = try model.flag(.isNewFalcon, default: isNew)
    if !countsHeads {
      shape.attention.keyValueHeads =
        try model.flag(.isMultiQuery, default: true) ? 1 : shape.attention.heads
    }
    shape.residual.isParallel = try model.flag(.hasParallelBranches, default: true)
    return shape
  } tensors: { shape in
    let (gguf, layer) = ("blk.{layer}", "transformer.h.{layer}")
    return .all([
      .vocabulary("transformer.word_embeddings"),
      .norm(.outputNorm, "output_norm", "transformer.ln_f", bias: .outputNormBias),
      .norm(
        .attentionNorm, ["\(gguf).attn_norm_2", "\(gguf).attn_norm"],
        ["\(layer).ln_attn", "\(layer).input_layernorm"], bias: .attentionNormBias),
      // GGUF files call the feed-forward's norm, or the one that both read, `attn_norm`.
      .norm(
        .feedForwardNorm, ["\(gguf).attn_norm"],
        ["\(layer).ln_mlp", "\(layer).post_attention_layernorm"], bias: .feedForwardNormBias,
        optional: shape.residual.isParallel),
      [TensorRole.query, .key, .value].flatMap {
        [TensorDeclaration].product(
          $0, "\(gguf).attn_qkv", "\(layer).self_attention.query_key_value", biases: .sometimes,
          fused: (.queriesKeysValues, .byGroup))
      },
      .product(
        .attentionOutput, "\(gguf).attn_output", "\(layer).self_attention.dense",
        biases: .sometimes),
      .product(.up, "\(gguf).ffn_up", "\(layer).mlp.dense_h_to_4h", biases: .sometimes),
      .product(.down, "\(gguf).ffn_down", "\(layer).mlp.dense_4h_to_h", biases: .sometimes),
    ])
  }
}

extension HeaderKey {
  static let usesALiBi = HeaderKey(nil, "alibi")
  static let isNewFalcon = HeaderKey(nil, "new_decoder_architecture")
  static let isMultiQuery = HeaderKey(nil, "multi_query")
  static let hasParallelBranches = HeaderKey(nil, "parallel_attn")
}
