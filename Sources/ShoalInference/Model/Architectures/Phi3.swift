// Phi-3 and Phi-4 (arXiv 2404.14219, 2412.08905): a Llama that keeps queries, keys and values in
// one product, gate and up in another; longer contexts by LongRoPE.

extension Architecture {
  static let phi3 = Architecture("phi3", gguf: ["phi3"], huggingFace: ["phi3"]) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    try model.windows(&shape) { _ in true }
    return shape
  } tensors: { shape in
    let (gguf, layer) = ("blk.{layer}", "model.layers.{layer}")
    let joined = (TensorPlace.Fusion.queriesKeysValues, TensorPlace.Fusion.queriesKeysValues)
    let halves = (TensorPlace.Fusion.gateThenUp, TensorPlace.Fusion.gateThenUp)
    return .all([
      .decoder(shape),
      [TensorRole.query, .key, .value].flatMap {
        [TensorDeclaration].product(
          $0, "\(gguf).attn_qkv", "\(layer).self_attn.qkv_proj", fused: joined)
      },
      .product(.attentionOutput, "\(gguf).attn_output", "\(layer).self_attn.o_proj"),
      [TensorRole.gate, .up].flatMap {
        [TensorDeclaration].product(
          $0, "\(gguf).ffn_up", "\(layer).mlp.gate_up_proj", fused: halves)
      },
      .product(.down, "\(gguf).ffn_down", "\(layer).mlp.down_proj"),
    ])
  }
}
