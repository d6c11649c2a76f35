// How a header states the scaling of rotary positions, in either dialect.

extension ModelDescription {
  /// The scaling of the model's main rotary base.
  func rotaryScaling() throws -> RotaryScaling {
    if isGGUF, let factors = try ggufFactors() { return factors }
    let type = try header.text(.scalingType) ?? "none"
    let factor = Double(try float(.scalingFactor, default: 1))
    let context = Double(try integer(.context, default: 2_048))
    let original = try header.integer(.originalContext).map { Double($0) }
    switch type {
    case "none", "default": return .none
    case "linear": return .linear(factor: Double(try float(.scalingFactor)))
    case "dynamic": return .dynamic(factor: factor, originalContext: original ?? context)
    case "llama3":
      return .llama3(
        factor: Double(try float(.scalingFactor)), low: Double(try float(.lowFrequency)),
        high: Double(try float(.highFrequency)),
        originalContext: original ?? context)
    case "yarn":
      return .yarn(
        factor: factor, fast: Double(try float(.betaFast, default: 32)),
        slow: Double(try float(.betaSlow, default: 1)), originalContext: original ?? context,
        amplitude: try yarnAmplitude(factor), rounds: try flag(.roundsRamp, default: true))
    case "longrope", "su":
      guard let short = try header.floats(.shortFactors), let long = try header.floats(.longFactors)
      else { throw ModelError.missing(key: header.spelling(.shortFactors)) }
      return .longRoPE(
        short: short, long: long, originalContext: original ?? context,
        amplitude: try longAmplitude(
          // Phi-3 states both lengths, others a factor.
          factor: original.map { context / $0 } ?? factor, original: original ?? context))
    case _: throw refused(.scalingType, "rotary scaling \(type)")
    }
  }

  /// The longest text that the model reads, in tokens. `dynamic` scaling leaves what the header
  /// says untouched and stretches beyond it, as many times as its factor says.
  func longestContext() throws -> Int {
    let stated = try integer(.context, default: 2_048)
    guard case .dynamic(let factor, let original) = try rotaryScaling(),
      original == Double(stated), factor > 1
    else { return stated }
    return Int(exactly: (Double(stated) * factor).rounded()) ?? stated
  }

  /// Factors that GGUF keeps as tensors.
  private func ggufFactors() throws -> RotaryScaling? {
    if try weights.tensor("rope_freqs.weight") != nil {
      return .factors(try weights.floats("rope_freqs.weight"))
    }
    guard try weights.tensor("rope_factors_short.weight") != nil else { return nil }
    let context = Double(try integer(.context))
    let original = Double(try integer(.originalContext, default: Int(context)))
    return .longRoPE(
      short: try weights.floats("rope_factors_short.weight"),
      long: try weights.floats("rope_factors_long.weight"), originalContext: original,
      amplitude: try longAmplitude(factor: context / original, original: original))
  }

  /// 0.1 ln(factor) + 1 (Peng et al. 2023, equation 22). GGUF states a further factor of it,
  /// `config.json` the whole, or what the logarithm is multiplied by above and below a line
  /// (DeepSeek).
  private func yarnAmplitude(_ factor: Double) throws -> Double {
    let stated = try header.float(.attentionFactor).map { Double($0) }
    let scaled = { (scale: Double) in factor > 1 ? 0.1 * scale * Canon.log(factor) + 1 : 1 }
    if isGGUF { return scaled(1) * (stated ?? 1) }
    if let stated { return stated }
    guard let scale = try header.float(.amplitudeScale),
      let divisor = try header.float(.amplitudeDivisor), scale != 0, divisor != 0
    else { return scaled(1) }
    return scaled(Double(scale)) / scaled(Double(divisor))
  }

  /// sqrt(1 + ln(factor) / ln(original)) (Ding et al. 2024, as transformers has it), unless the
  /// header states it.
  private func longAmplitude(factor: Double, original: Double) throws -> Double {
    if let stated = try header.float(.attentionFactor) { return Double(stated) }
    guard original > 1, factor > 1 else { return 1 }
    return (1 + Canon.log(factor) / Canon.log(original)).squareRoot()
  }
}
