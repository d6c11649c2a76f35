// Gemma 3 (arXiv 2503.19786), text: a Gemma 2 with normalised queries and keys instead of caps,
// and five layers with windows, and a rotary base of their own, to one that sees everything.

extension Architecture {
  static let gemma3 = Architecture(
    "gemma3", gguf: ["gemma3"], huggingFace: ["gemma3_text"]
  ) { model in
    if try model.flag(.seesBothWays, default: false) {
      throw ModelError.unsupportedFeature("a decoder that sees what follows")
    }
    var shape = try model.gemma()
    shape.residual.normalisesBranch = true
    shape.attention.queryKeyNorm = .perHead
    shape.attention.softCap = try model.float(.scoreCap, default: 0)
    shape.head.softCap = try model.float(.logitCap, default: 0)
    shape.attention.scale = try model.gemmaScale(shape, ofLargest: 62)
    let period = try model.integer(.windowPeriod, default: 6)
    try model.check(.windowPeriod, period, 1...Hyperparameters.mostLayers)
    try model.windows(&shape) { ($0 + 1) % period != 0 }
    try model.localPositions(&shape)
    return shape
  } tensors: { _ in
    .gemma(branchNorms: true) + .queryKeyNorms(addsOne: true)
  }
}

extension ModelDescription {
  /// Layers with windows turn heads by a base of their own, unscaled.
  fileprivate func localPositions(_ shape: inout Hyperparameters) throws {
    shape.attention.rotaries[0].base = try float(.rotaryBase, default: 1_000_000)
    var local = shape.attention.rotaries[0]
    local.base = try float(.localRotaryBase, default: 10_000)
    local.scaling = .none
    shape.attention.rotaries.append(local)
    for layer in 0..<shape.layers where shape.attention.layers[layer].window > 0 {
      shape.attention.layers[layer].rotary = 1
    }
  }
}

extension HeaderKey {
  static let seesBothWays = HeaderKey(nil, "use_bidirectional_attention")
  /// One layer in so many sees everything.
  static let windowPeriod = HeaderKey(nil, "sliding_window_pattern", "_sliding_window_pattern")
  static let localRotaryBase = HeaderKey(
    "rope.freq_base_swa", "rope_local_base_freq", "rope_parameters.sliding_attention.rope_theta")
}
