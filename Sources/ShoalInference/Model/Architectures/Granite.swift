// Granite 3 (IBM 2024): a Llama with multipliers for the embedding, the scores, what branches add,
// and the logits (muP: arXiv 2203.03466).

extension Architecture {
  static let granite = Architecture(
    "granite", gguf: ["granite"], huggingFace: ["granite"]
  ) { model in
    var shape = try model.decoder(
      norm: .rms, rotary: model.isGGUF ? .interleaved : .halves, activation: .silu)
    shape.embedding.scale = try model.float(.embeddingScale, default: 1)
    // Where `config.json` says nothing, scores are not scaled at all.
    shape.attention.scale = try model.float(
      .attentionScale, default: model.isGGUF ? shape.attention.scale : 1)
    shape.residual.branchScale = try model.float(.branchScale, default: 1)
    // Headers state what logits are divided by.
    shape.head.logitScale = 1 / (try model.float(.logitDivisor, default: 1))
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .llamaFeedForward(biases: true)
  }
}

extension HeaderKey {
  static let embeddingScale = HeaderKey("embedding_scale", "embedding_multiplier")
  static let attentionScale = HeaderKey("attention.scale", "attention_multiplier")
  static let branchScale = HeaderKey("residual_scale", "residual_multiplier")
  static let logitDivisor = HeaderKey("logit_scale", "logits_scaling")
}
