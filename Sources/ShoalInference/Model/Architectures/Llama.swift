// Llama 1, 2 and 3 (arXiv 2302.13971, 2307.09288, 2407.21783) and Mistral (2310.06825): pre-norm,
// grouped-query attention with rotary positions, a gated SiLU feed-forward. GGUF calls Mistral and
// Mixtral (2401.04088) by the same name: a window, or experts, make the difference.

extension Architecture {
  static let llama = Architecture(
    "llama", gguf: ["llama"], huggingFace: ["llama", "mistral", "mixtral"]
  ) { model in
    let isMixture = try model.header.architecture == "mixtral"
    let model = isMixture ? model.assuming(floats: [.rotaryBase: 1_000_000]) : model
    // GGUF keeps queries and keys in the paper's order of pairs.
    var shape = try model.decoder(
      norm: .rms, rotary: model.isGGUF ? .interleaved : .halves, activation: .silu)
    try model.windows(&shape) { _ in true }
    try model.experts(&shape)
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true)
      + (shape.feedForward.experts == nil
        ? .llamaFeedForward(biases: true) : .mixtralExperts)
  }
}

extension [TensorDeclaration] {
  /// Embedding, last norm, head, and a norm before attention and before the feed-forward.
  static func decoder(_ shape: Hyperparameters) -> Self {
    [
      .init(.embedding, "token_embd.weight", "model.embed_tokens.weight"),
      .init(.outputNorm, "output_norm.weight", "model.norm.weight"),
      // Absent where the head is tied to the embedding.
      .init(.output, "output.weight", "lm_head.weight", optional: true),
      .init(
        .attentionNorm, "blk.{layer}.attn_norm.weight",
        "model.layers.{layer}.input_layernorm.weight"),
      .init(
        .feedForwardNorm, "blk.{layer}.ffn_norm.weight",
        "model.layers.{layer}.post_attention_layernorm.weight"),
    ]
  }

  static func llamaAttention(biases: Bool = false) -> Self {
    let part = { (gguf: String, huggingFace: String) in
      (
        TensorPlace("blk.{layer}.attn_\(gguf)"),
        TensorPlace("model.layers.{layer}.self_attn.\(huggingFace)")
      )
    }
    let weights: [(TensorRole, TensorRole, String, String)] = [
      (.query, .queryBias, "q", "q_proj"), (.key, .keyBias, "k", "k_proj"),
      (.value, .valueBias, "v", "v_proj"),
      (.attentionOutput, .attentionOutputBias, "output", "o_proj"),
    ]
    return weights.flatMap { role, bias, gguf, huggingFace in
      let weight = part("\(gguf).weight", "\(huggingFace).weight")
      let offset = part("\(gguf).bias", "\(huggingFace).bias")
      return [Element(role, weight.0, weight.1)]
        + (biases ? [Element(bias, offset.0, offset.1, optional: true)] : [])
    }
  }

  static func llamaFeedForward(biases: Bool = false) -> Self {
    let weights: [(TensorRole, TensorRole, String)] = [
      (.gate, .gateBias, "gate"), (.up, .upBias, "up"), (.down, .downBias, "down"),
    ]
    return weights.flatMap { role, bias, name in
      let gguf = "blk.{layer}.ffn_\(name)"
      let huggingFace = "model.layers.{layer}.mlp.\(name)_proj"
      return [
        Element(role, TensorPlace("\(gguf).weight"), TensorPlace("\(huggingFace).weight"))
      ]
        + (biases
          ? [
            Element(
              bias, TensorPlace("\(gguf).bias"), TensorPlace("\(huggingFace).bias"),
              optional: true)
          ] : [])
    }
  }

  static let mixtralExperts: Self = [
    .init(
      .router, "blk.{layer}.ffn_gate_inp.weight",
      "model.layers.{layer}.block_sparse_moe.gate.weight"),
    .init(
      .expertGate, "blk.{layer}.ffn_gate_exps.weight",
      "model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight"),
    .init(
      .expertUp, "blk.{layer}.ffn_up_exps.weight",
      "model.layers.{layer}.block_sparse_moe.experts.{expert}.w3.weight"),
    .init(
      .expertDown, "blk.{layer}.ffn_down_exps.weight",
      "model.layers.{layer}.block_sparse_moe.experts.{expert}.w2.weight"),
  ]
}
