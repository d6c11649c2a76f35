// SmolLM 3 (Hugging Face 2025): a Llama that leaves the heads of every fourth layer unturned
// (NoPE: arXiv 2305.19466).

extension Architecture {
  static let smolLM3 = Architecture(
    "smollm3", gguf: ["smollm3"], huggingFace: ["smollm3"]
  ) { model in
    let model = model.assuming(floats: [.rotaryBase: 2_000_000])
    var shape = try model.decoder(
      norm: .rms, rotary: model.isGGUF ? .interleaved : .halves, activation: .silu)
    let stated = try model.header.integers(.turnedLayers)
    if let stated, stated.count != shape.layers {
      throw ModelError.wrongCount(
        key: model.header.spelling(.turnedLayers), expected: shape.layers, found: stated.count)
    }
    let period = try model.integer(.turnedPeriod, default: 4)
    try model.check(.turnedPeriod, period, 1...Hyperparameters.mostLayers)
    for layer in 0..<shape.layers {
      let isTurned = stated.map { $0[layer] != 0 } ?? ((layer + 1) % period != 0)
      if !isTurned { shape.attention.layers[layer].rotary = nil }
    }
    if try model.flag(.usesWindow, default: false) {
      let turned = shape.attention.layers.map { $0.rotary != nil }
      try model.windows(&shape) { !turned[$0] }
    }
    return shape
  } tensors: { shape in
    .decoder(shape) + .llamaAttention(biases: true) + .llamaFeedForward(biases: true)
  }
}

extension HeaderKey {
  /// 1 for a layer whose heads are turned, whatever the name says.
  static let turnedLayers = HeaderKey(nil, "no_rope_layers")
  /// One layer in so many is not.
  static let turnedPeriod = HeaderKey(nil, "no_rope_layer_interval")
}
