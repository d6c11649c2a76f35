// Gemma 1 and 2 (arXiv 2403.08295, 2408.00118): wide heads, a GELU gate, embeddings scaled by the
// root of their width. Gemma 2 normalises what branches add, caps scores and logits softly, and
// has windows in every other layer.

extension Architecture {
  static let gemma = Architecture("gemma", gguf: ["gemma"], huggingFace: ["gemma"]) { model in
    try model.gemma()
  } tensors: { _ in
    .gemma(branchNorms: false)
  }

  static let gemma2 = Architecture("gemma2", gguf: ["gemma2"], huggingFace: ["gemma2"]) { model in
    var shape = try model.gemma()
    shape.residual.normalisesBranch = true
    shape.attention.softCap = try model.float(.scoreCap, default: 0)
    shape.head.softCap = try model.float(.logitCap, default: 0)
    shape.attention.scale = try model.gemmaScale(shape, ofLargest: 46)
    try model.windows(&shape) { $0 % 2 == 0 }
    return shape
  } tensors: { _ in
    .gemma(branchNorms: true)
  }
}

extension ModelDescription {
  /// What all Gemmas have.
  func gemma() throws -> Hyperparameters {
    var shape = try decoder(norm: .rms, rotary: .halves, activation: .geluTanh)
    // The first headers say "gelu" and mean this form of it.
    shape.feedForward.activation = .geluTanh
    shape.embedding.scale = Float(shape.hidden).squareRoot()
    return shape
  }

  /// 1 / sqrt of what the header says. GGUF files do not say it: it is the head's dimension, but
  /// in the largest model, known by its layers, the hidden size for each head.
  func gemmaScale(_ shape: Hyperparameters, ofLargest layers: Int) throws -> Float {
    let isLargest = isGGUF && shape.layers == layers
    let perHead = Float(shape.hidden) / Float(shape.attention.heads)
    let scalar = try float(
      .queryScalar, default: isLargest ? perHead : Float(shape.attention.headDimension))
    return 1 / scalar.squareRoot()
  }
}

extension [TensorDeclaration] {
  /// Norms are stored as weight - 1 in checkpoints.
  static func gemma(branchNorms: Bool) -> Self {
    let (gguf, layer) = ("blk.{layer}", "model.layers.{layer}")
    let norm = { (role: TensorRole, short: String, long: String) in
      Self.norm(role, "\(gguf).\(short)", "\(layer).\(long)_layernorm", addsOne: true)
    }
    let norms =
      branchNorms
      ? [
        norm(.attentionPostNorm, "post_attention_norm", "post_attention"),
        norm(.feedForwardNorm, "ffn_norm", "pre_feedforward"),
        norm(.feedForwardPostNorm, "post_ffw_norm", "post_feedforward"),
      ] : [norm(.feedForwardNorm, "ffn_norm", "post_attention")]
    return .all([
      .vocabulary("model.embed_tokens"),
      .norm(.outputNorm, "output_norm", "model.norm", addsOne: true),
      norm(.attentionNorm, "attn_norm", "input"),
      .all(norms),
      .llamaAttention(biases: true),
      .llamaFeedForward(),
    ])
  }
}

extension HeaderKey {
  static let scoreCap = HeaderKey("attn_logit_softcapping", "attn_logit_softcapping")
  static let logitCap = HeaderKey("final_logit_softcapping", "final_logit_softcapping")
  static let queryScalar = HeaderKey(nil, "query_pre_attn_scalar")
}
