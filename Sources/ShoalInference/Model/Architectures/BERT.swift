// BERT (arXiv 1810.04805) and those with its layers: RoBERTa (1907.11692), XLM-R and CamemBERT,
// whose positions begin behind the padding token's, and DistilBERT (1910.01108) under other names.

extension Architecture {
  /// GGUF files call all of them so.
  static let bert = Architecture(
    "bert", gguf: ["bert"], huggingFace: ["bert"], prefix: "bert.", ignored: unusedByEncoders,
    synonyms: ["LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"]
  ) { model in
    var shape = try model.encoder()
    try model.learnedPositions(&shape)
    try model.tokenTypes(&shape)
    return shape
  } tensors: { shape in
    .encoder(shape, "bert") + .bertLayer("bert.encoder.layer.{layer}")
  }

  static let roberta = Architecture(
    "roberta", gguf: [], huggingFace: ["roberta", "xlm-roberta", "camembert"],
    prefix: "roberta.", ignored: unusedByEncoders
  ) { model in
    guard try model.integer(.padding, default: 1) == 1 else {
      throw model.refused(.padding, "a padding token other than 1")
    }
    var shape = try model.encoder()
    try model.learnedPositions(&shape, unused: positionsUpToPadding)
    try model.tokenTypes(&shape)
    return shape
  } tensors: { shape in
    .encoder(shape, "roberta", skipping: positionsUpToPadding)
      + .bertLayer("roberta.encoder.layer.{layer}")
  }

  static let distilBERT = Architecture(
    "distilbert", gguf: [], huggingFace: ["distilbert"], prefix: "distilbert.",
    ignored: unusedByEncoders
  ) { model in
    var shape = try model.encoder(epsilon: 1e-12)
    try model.learnedPositions(&shape)
    return shape
  } tensors: { shape in
    .encoder(shape, "distilbert") + .distilledLayer
  }

  /// Positions count from the padding token's number, 1, plus one.
  private static let positionsUpToPadding = 2

  /// Heads that are trained on something else than the last rows, and tables of numbers.
  static let unusedByEncoders =
    [
      "pooler.dense.weight", "pooler.dense.bias", "embeddings.position_ids",
      "seq_relationship.weight", "seq_relationship.bias", "vocab_projector.weight",
      "vocab_projector.bias", "lm_head.bias",
    ]
    + [
      "predictions.decoder", "predictions.transform.dense", "predictions.transform.LayerNorm",
      "vocab_transform", "vocab_layer_norm", "lm_head.dense", "lm_head.decoder",
      "lm_head.layer_norm",
    ].flatMap { part in ["weight", "bias", "gamma", "beta"].map { "\(part).\($0)" } }
    + ["predictions.bias"]
}

extension [TensorDeclaration] {
  /// Words, positions and types, and the norm over their sum.
  ///
  /// - Parameter skipping: positions that the checkpoint has in front and no token stands at.
  static func encoder(
    _ shape: Hyperparameters, _ model: String, skipping: Int = 0
  ) -> Self {
    let embeddings = "\(model).embeddings"
    return .all([
      .product(.embedding, "token_embd", "\(embeddings).word_embeddings"),
      shape.embedding.positions == 0
        ? []
        : [
          .init(
            .positions, "position_embd.weight",
            TensorPlace("\(embeddings).position_embeddings.weight", skips: skipping))
        ],
      shape.embedding.tokenTypes == 0
        ? [] : .product(.tokenTypes, "token_types", "\(embeddings).token_type_embeddings"),
      .norm(
        .embeddingNorm, "token_embd_norm", "\(embeddings).LayerNorm", bias: .embeddingNormBias),
    ])
  }

  fileprivate static func bertLayer(_ layer: String) -> Self {
    let (gguf, attention) = ("blk.{layer}", "\(layer).attention")
    return .all([
      .product(.query, "\(gguf).attn_q", "\(attention).self.query", biases: .sometimes),
      .product(.key, "\(gguf).attn_k", "\(attention).self.key", biases: .sometimes),
      .product(.value, "\(gguf).attn_v", "\(attention).self.value", biases: .sometimes),
      .product(
        .attentionOutput, "\(gguf).attn_output", "\(attention).output.dense", biases: .sometimes),
      .norm(
        .attentionPostNorm, "\(gguf).attn_output_norm", "\(attention).output.LayerNorm",
        bias: .attentionPostNormBias),
      .product(.up, "\(gguf).ffn_up", "\(layer).intermediate.dense", biases: .sometimes),
      .product(.down, "\(gguf).ffn_down", "\(layer).output.dense", biases: .sometimes),
      .norm(
        .feedForwardPostNorm, "\(gguf).layer_output_norm", "\(layer).output.LayerNorm",
        bias: .feedForwardPostNormBias),
    ])
  }

  fileprivate static var distilledLayer: Self {
    let (gguf, layer) = ("blk.{layer}", "distilbert.transformer.layer.{layer}")
    return .all([
      .product(.query, "\(gguf).attn_q", "\(layer).attention.q_lin", biases: .always),
      .product(.key, "\(gguf).attn_k", "\(layer).attention.k_lin", biases: .always),
      .product(.value, "\(gguf).attn_v", "\(layer).attention.v_lin", biases: .always),
      .product(
        .attentionOutput, "\(gguf).attn_output", "\(layer).attention.out_lin", biases: .always),
      .norm(
        .attentionPostNorm, "\(gguf).attn_output_norm", "\(layer).sa_layer_norm",
        bias: .attentionPostNormBias),
      .product(.up, "\(gguf).ffn_up", "\(layer).ffn.lin1", biases: .always),
      .product(.down, "\(gguf).ffn_down", "\(layer).ffn.lin2", biases: .always),
      .norm(
        .feedForwardPostNorm, "\(gguf).layer_output_norm", "\(layer).output_layer_norm",
        bias: .feedForwardPostNormBias),
    ])
  }
}

extension HeaderKey {
  static let padding = HeaderKey(nil, "pad_token_id")
}
