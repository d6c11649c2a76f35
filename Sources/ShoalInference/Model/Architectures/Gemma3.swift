// Gemma 3 (arXiv 2503.19786), text: a Gemma 2 with normalised queries and keys instead of caps,
// and five layers with windows, and a rotary base of their own, to one that sees everything.

extension Architecture {
  static let gemma3 = Architecture(
    "gemma3", gguf: ["gemma3"], huggingFace: ["gemma3_text"]
  ) { model in
    if try model.flag(.seesBothWays, default: false) {
      throw model.refused(.seesBothWays, "a decoder that sees what follows")
    }
    // Headers of the hub leave out what its class takes for granted.
    let model = model.isGGUF ? model : model.assuming(integers: usualSizes, floats: usualNumbers)
    var shape = try model.gemma()
    shape.residual.normalisesBranch = true
    shape.attention.queryKeyNorm = .perHead
    // Headers have a key for a cap of scores; no program computes with it, norms have its place.
    shape.head.softCap = try model.float(.logitCap, default: 0)
    shape.attention.scale = try model.gemmaScale(shape, ofLargest: 62)
    let period = try model.integer(.windowPeriod, default: 6)
    try model.check(.windowPeriod, period, 1...Hyperparameters.mostLayers)
    try model.windows(&shape) { ($0 + 1) % period != 0 }
    try model.localPositions(&shape, base: try model.float(.localRotaryBase, default: 10_000))
    return shape
  } tensors: { _ in
    .gemma(branchNorms: true) + .queryKeyNorms(addsOne: true)
  }

  private static let usualSizes: [HeaderKey: Int] = [
    .heads: 8, .keyValueHeads: 4, .headDimension: 256, .vocabulary: 262_208, .context: 131_072,
  ]
  private static let usualNumbers: [HeaderKey: Float] = [
    .rmsEpsilon: 1e-6, .rotaryBase: 1_000_000, .queryScalar: 256,
  ]
}

extension HeaderKey {
  static let seesBothWays = HeaderKey(nil, "use_bidirectional_attention")
  /// One layer in so many sees everything.
  static let windowPeriod = HeaderKey(nil, "sliding_window_pattern", "_sliding_window_pattern")
}
