// Nomic Embed (arXiv 2402.01613): BERT's arrangement with rotary positions, a gated feed-forward
// and no biases.

extension Architecture {
  static let nomicBERT = Architecture(
    "nomic-bert", gguf: ["nomic-bert"], huggingFace: ["nomic_bert"], ignored: unusedByEncoders
  ) { model in
    for key in [HeaderKey.usesPrenorm, .usesInterleavedPairs]
    where try model.flag(key, default: false) {
      throw model.refused(key, "another arrangement than Nomic's")
    }
    let model = model.assuming(floats: [.rotaryBase: 1_000])
    var shape = try model.encoder(rotary: .halves, activation: .silu, isGated: true)
    try model.tokenTypes(&shape)
    return shape
  } tensors: { shape in
    let (gguf, layer) = ("blk.{layer}", "encoder.layers.{layer}")
    let qkv = (TensorPlace.Fusion.queriesKeysValues, TensorPlace.Fusion.queriesKeysValues)
    return .all([
      .product(.embedding, "token_embd", "embeddings.word_embeddings"),
      shape.embedding.tokenTypes == 0
        ? [] : .product(.tokenTypes, "token_types", "embeddings.token_type_embeddings"),
      .norm(.embeddingNorm, "token_embd_norm", "emb_ln", bias: .embeddingNormBias),
      [TensorRole.query, .key, .value].flatMap {
        [TensorDeclaration].product(
          $0, "\(gguf).attn_qkv", "\(layer).attn.Wqkv", biases: .sometimes, fused: qkv)
      },
      .product(
        .attentionOutput, "\(gguf).attn_output", "\(layer).attn.out_proj", biases: .sometimes),
      .norm(
        .attentionPostNorm, "\(gguf).attn_output_norm", "\(layer).norm1",
        bias: .attentionPostNormBias),
      .product(.up, "\(gguf).ffn_up", "\(layer).mlp.fc11", biases: .sometimes),
      .product(.gate, "\(gguf).ffn_gate", "\(layer).mlp.fc12", biases: .sometimes),
      .product(.down, "\(gguf).ffn_down", "\(layer).mlp.fc2", biases: .sometimes),
      .norm(
        .feedForwardPostNorm, "\(gguf).layer_output_norm", "\(layer).norm2",
        bias: .feedForwardPostNormBias),
    ])
  }
}

extension HeaderKey {
  static let usesPrenorm = HeaderKey(nil, "prenorm")
  static let usesInterleavedPairs = HeaderKey(nil, "rotary_emb_interleaved")
}
