// Qwen 1.5, 2 and 2.5 (arXiv 2407.10671): a Llama with biases on queries, keys and values.

extension Architecture {
  static let qwen2 = Architecture("qwen2", gguf: ["qwen2"], huggingFace: ["qwen2"]) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    try model.switchedWindows(&shape) { layer, first in layer >= first }
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .llamaFeedForward()
  }
}
