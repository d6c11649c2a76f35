// Qwen 1.5, 2 and 2.5 (arXiv 2407.10671): a Llama with biases on queries, keys and values.

extension Architecture {
  static let qwen2 = Architecture("qwen2", gguf: ["qwen2"], huggingFace: ["qwen2"]) { model in
    var shape = try model.decoder(norm: .rms, rotary: .halves, activation: .silu)
    if try model.flag(.usesWindow, default: false) {
      let first = try model.integer(.firstWindowedLayer, default: 0)
      try model.windows(&shape) { $0 >= first }
    }
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .llamaFeedForward()
  }
}

extension HeaderKey {
  static let usesWindow = HeaderKey(nil, "use_sliding_window")
  /// Layers below it see everything.
  static let firstWindowedLayer = HeaderKey(nil, "max_window_layers")
}
