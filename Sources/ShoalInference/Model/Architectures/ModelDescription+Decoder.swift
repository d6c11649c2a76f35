// The figures that nearly all decoders state alike; what a family has of its own it sets after.

extension ModelDescription {
  /// The common part of a decoder's shape: sizes, heads, rotary positions in every layer, one
  /// feed-forward.
  ///
  /// - Parameters:
  ///   - rotary: which elements of a head form pairs, in the files of this dialect; nil: heads are
  ///     not turned.
  ///   - epsilon: where the header does not say.
  func decoder(
    norm: NormOptions.Kind, rotary style: RotaryStyle?, activation: Activation,
    isGated: Bool = true, epsilon fallback: Float? = nil
  ) throws -> Hyperparameters {
    let hidden = try integer(.hidden)
    let layers = try integer(.layers)
    try check(.hidden, hidden, 1...Hyperparameters.largestHidden)
    try check(.layers, layers, 1...Hyperparameters.mostLayers)
    let key = norm == .rms ? HeaderKey.rmsEpsilon : .layerEpsilon
    let epsilon = try fallback.map { try float(key, default: $0) } ?? float(key)
    guard epsilon.isFinite, epsilon > 0 else {
      throw ModelError.notFinite(key: header.spelling(key))
    }
    return Hyperparameters(
      hidden: hidden, layers: layers, vocabulary: try vocabulary(),
      context: try longestContext(), norm: NormOptions(norm, epsilon: epsilon),
      attention: try attention(hidden: hidden, layers: layers, style),
      feedForward: FeedForwardOptions(
        width: try header.integer(.feedForward) ?? 4 * hidden,
        activation: try stated(activation), isGated: isGated))
  }

  /// What the header says the nonlinearity is, where it says so; else the family's.
  private func stated(_ activation: Activation) throws -> Activation {
    switch try header.text(.activation) {
    case nil: return activation
    case "silu", "swish", "swiglu": return .silu
    case "gelu", "gelu_python": return .geluErf
    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh":
      return .geluTanh
    case "relu": return .relu
    case let other?: throw refused(.activation, "the activation \(other)")
    }
  }

  /// GGUF files count rows of the embedding; the key is newer than many of them.
  func vocabulary() throws -> Int {
    try isGGUF ? weights.required("token_embd.weight").rows : integer(.vocabulary)
  }

  private func attention(
    hidden: Int, layers: Int, _ style: RotaryStyle?
  ) throws -> AttentionOptions {
    let heads = try integer(.heads)
    try check(.heads, heads, 1...Hyperparameters.mostHeads)
    let dimension = try integer(.headDimension, default: hidden / heads)
    let values = try integer(.valueDimension, default: dimension)
    guard values == dimension else {
      throw refused(.valueDimension, "values of \(values) beside keys of \(dimension)")
    }
    let rotaries = try style.map { [try rotary(headDimension: dimension, $0)] } ?? []
    return AttentionOptions(
      heads: heads, keyValueHeads: try integer(.keyValueHeads, default: heads),
      headDimension: dimension, rotaries: rotaries,
      layers: Array(
        repeating: LayerAttention(rotary: rotaries.isEmpty ? nil : 0), count: layers),
      keyValueType: try keyValueType())
  }

  private func rotary(headDimension: Int, _ style: RotaryStyle) throws -> RotaryOptions {
    let fraction = try float(.rotaryFraction, default: 1)
    // Transformers cuts what is no whole number, and turns whole pairs. A fraction such as 0.7 is
    // just below itself.
    let turned = Int(exactly: (Float(headDimension) * fraction + 0x1p-10).rounded(.down)) ?? -1
    let dimension = try integer(.rotaryDimension, default: turned + turned % 2)
    return RotaryOptions(
      dimension: dimension, base: try float(.rotaryBase, default: 10_000), style: style,
      scaling: try rotaryScaling())
  }

  /// f32 where the file's weights are, f16 otherwise: rounding keys and values to f16 is then
  /// smaller than what the weights have lost.
  private func keyValueType() throws -> KVType {
    for name in weights.tensorNames where name.hasSuffix("weight") {
      guard let tensor = try weights.tensor(name), tensor.rows > 1 else { continue }
      if tensor.format != .f32 { return .f16 }
    }
    return .f32
  }

  /// A window of `window` positions in the layers that `isSliding` picks by number, counted from 0;
  /// where `config.json` lists them, in those that it lists.
  func windows(
    _ shape: inout Hyperparameters, _ isSliding: (Int) -> Bool
  ) throws {
    guard let window = try header.integer(.window), window > 0 else { return }
    let types = try header.texts(.layerTypes)
    if let types, types.count != shape.layers {
      throw ModelError.wrongCount(
        key: header.spelling(.layerTypes), expected: shape.layers, found: types.count)
    }
    for layer in 0..<shape.layers {
      let slides = types.map { $0[layer] == "sliding_attention" } ?? isSliding(layer)
      if slides { shape.attention.layers[layer].window = window }
    }
  }

  /// Layers with windows turn heads by `base`, unscaled (Gemma 3, OLMo 3).
  func localPositions(_ shape: inout Hyperparameters, base: Float) throws {
    if let scaling = try header.text(.localScaling), scaling != "default" {
      throw refused(.localScaling, "rotary scaling \(scaling) in layers with windows")
    }
    guard var local = shape.attention.rotaries.first,
      shape.attention.layers.contains(where: { $0.window > 0 })
    else { return }
    local.base = base
    local.scaling = .none
    shape.attention.rotaries.append(local)
    for layer in 0..<shape.layers where shape.attention.layers[layer].window > 0 {
      shape.attention.layers[layer].rotary = 1
    }
  }

  /// Windows where the header switches them on (Qwen).
  ///
  /// - Parameter isSliding: of a layer, and the number of layers that the header calls
  ///   `max_window_layers`: each family means something else by it.
  func switchedWindows(
    _ shape: inout Hyperparameters, in isSliding: (_ layer: Int, _ limit: Int) -> Bool
  ) throws {
    guard try flag(.usesWindow, default: false) else { return }
    let limit = try integer(.windowLimit, default: 28)
    try windows(&shape) { isSliding($0, limit) }
  }

  /// Before anything is computed from a number.
  func check(_ key: HeaderKey, _ value: Int, _ range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ModelError.outOfRange(key: header.spelling(key), value: value, allowed: range)
    }
  }
}

extension HeaderKey {
  static let usesWindow = HeaderKey(nil, "use_sliding_window")
  static let windowLimit = HeaderKey(nil, "max_window_layers")
  static let localScaling = HeaderKey(nil, "rope_parameters.sliding_attention.rope_type")
  static let localRotaryBase = HeaderKey(
    "rope.freq_base_swa", "rope_local_base_freq", "rope_parameters.sliding_attention.rope_theta")
}
