// GPT-2 (Radford et al. 2019): layer norms, learned positions, queries, keys and values in one
// product, a plain GELU feed-forward, a head tied to the embedding.

extension Architecture {
  static let gpt2 = Architecture(
    "gpt2", gguf: ["gpt2"], huggingFace: ["gpt2"], prefix: "transformer.",
    ignored: [".attn.bias", ".attn.masked_bias"]
  ) { model in
    var shape = try model.decoder(norm: .layer, rotary: nil, activation: .geluTanh, isGated: false)
    shape.embedding.positions = shape.context
    let scalesScores = try model.flag(.scalesScores, default: true)
    if !scalesScores { shape.attention.scale = 1 }
    if try model.flag(.scalesScoresByLayer, default: false) {
      throw model.refused(.scalesScoresByLayer, "scores divided by the number of their layer")
    }
    return shape
  } tensors: { _ in
    let (gguf, layer) = ("blk.{layer}", "transformer.h.{layer}")
    // Checkpoints keep products as (inputs, outputs).
    let weights: [(TensorRole, String, String, TensorPlace.Fusion)] = [
      (.query, "attn_qkv", "attn.c_attn", .queriesKeysValues),
      (.key, "attn_qkv", "attn.c_attn", .queriesKeysValues),
      (.value, "attn_qkv", "attn.c_attn", .queriesKeysValues),
      (.attentionOutput, "attn_output", "attn.c_proj", .none),
      (.up, "ffn_up", "mlp.c_fc", .none), (.down, "ffn_down", "mlp.c_proj", .none),
    ]
    return .all([
      .vocabulary("transformer.wte"),
      [.init(.positions, "position_embd.weight", "transformer.wpe.weight")],
      .norm(.outputNorm, "output_norm", "transformer.ln_f", bias: .outputNormBias),
      .norm(.attentionNorm, "\(gguf).attn_norm", "\(layer).ln_1", bias: .attentionNormBias),
      .norm(.feedForwardNorm, "\(gguf).ffn_norm", "\(layer).ln_2", bias: .feedForwardNormBias),
      weights.flatMap { role, short, long, fusion in
        [TensorDeclaration].product(
          role, "\(gguf).\(short)", "\(layer).\(long)", biases: .always, fused: (fusion, fusion),
          transposed: true)
      },
    ])
  }
}

extension HeaderKey {
  /// False: scores are not divided by the root of the head's dimension.
  static let scalesScores = HeaderKey(nil, "scale_attn_weights")
  static let scalesScoresByLayer = HeaderKey(nil, "scale_attn_by_inverse_layer_idx")
}
