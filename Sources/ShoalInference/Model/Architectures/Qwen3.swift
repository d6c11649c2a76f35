// Qwen 3 (arXiv 2505.09388): a Llama whose queries and keys are normalised, head by head.

extension Architecture {
  static let qwen3 = Architecture("qwen3", gguf: ["qwen3"], huggingFace: ["qwen3"]) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    shape.attention.queryKeyNorm = .perHead
    try model.switchedWindows(&shape) { layer, first in layer >= first }
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .queryKeyNorms() + .llamaFeedForward()
  }
}

extension [TensorDeclaration] {
  static func queryKeyNorms(addsOne: Bool = false) -> Self {
    let name = { (part: String) in
      TensorPlace("model.layers.{layer}.self_attn.\(part)_norm.weight", addsOne: addsOne)
    }
    return [
      .init(.queryNorm, "blk.{layer}.attn_q_norm.weight", name("q")),
      .init(.keyNorm, "blk.{layer}.attn_k_norm.weight", name("k")),
    ]
  }
}
