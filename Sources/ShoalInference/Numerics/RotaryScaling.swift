// How the frequencies of rotary positions are stretched, so that a model reads longer contexts than
// it was first trained on.

/// How the frequencies theta^(-2i/d) are changed for longer contexts.
public enum RotaryScaling: Hashable, Sendable {
  case none
  /// All angles divided by `factor` (position interpolation, Chen et al. 2023).
  case linear(factor: Double)
  /// Llama 3.1: wavelengths beyond originalContext / low are divided by `factor`, those below
  /// originalContext / high are kept, and between them the two are blended.
  case llama3(factor: Double, low: Double, high: Double, originalContext: Double)
  /// Frequency i is divided by factors[i] (GGUF `rope_freqs.weight`); one factor per pair.
  case factors([Float])
  /// The base grows with the job's context beyond `originalContext` ("dynamic NTK": bloc97 2023, as
  /// transformers' `_compute_dynamic_ntk_parameters` has it).
  case dynamic(factor: Double, originalContext: Double)
  /// YaRN (Peng et al. 2023, section 3): pairs that turn more than `fast` times in the original
  /// context are kept, those that turn less than `slow` times divided by `factor`, between them a
  /// ramp, whose ends are whole pairs where it `rounds`; cosines and sines are multiplied by
  /// `amplitude`.
  case yarn(
    factor: Double, fast: Double, slow: Double, originalContext: Double, amplitude: Double,
    rounds: Bool = true)
  /// LongRoPE (Ding et al. 2024): one factor per pair, `long` where the job's context is beyond
  /// `originalContext`, else `short`; cosines and sines are multiplied by `amplitude`.
  case longRoPE(short: [Float], long: [Float], originalContext: Double, amplitude: Double)
}

extension RotaryScaling {
  /// Whether frequencies depend on the job's context limit, which PREPARE fixes (docs/NUMERICS.md).
  public var dependsOnContext: Bool {
    switch self {
    case .none, .linear, .llama3, .factors, .yarn: false
    case .dynamic, .longRoPE: true
    }
  }

  /// What cosines and sines are multiplied by.
  var amplitude: Double {
    switch self {
    case .none, .linear, .llama3, .factors, .dynamic: 1
    case .yarn(_, _, _, _, let amplitude, _), .longRoPE(_, _, _, let amplitude): amplitude
    }
  }

  /// Radians per position for each of `pairs` pairs, in f64.
  func frequencies(pairs: Int, base: Double, context: Int) -> [Double] {
    let dimension = Double(2 * pairs)
    var logarithm = Canon.log(base)
    if case .dynamic(let factor, let original) = self, Double(context) > original, pairs > 1 {
      let growth = factor * Double(context) / original - (factor - 1)
      logarithm += Canon.log(growth) * (dimension / (dimension - 2))
    }
    return (0..<pairs).map { pair in
      let frequency = Canon.exp(-(Double(2 * pair) / dimension) * logarithm)
      return scaled(frequency, pair: pair, dimension: dimension, logarithm, context: context)
    }
  }

  private func scaled(
    _ frequency: Double, pair: Int, dimension: Double, _ logarithm: Double, context: Int
  ) -> Double {
    switch self {
    case .none, .dynamic: return frequency
    case .linear(let factor): return frequency / factor
    case .llama3(let factor, let low, let high, let originalContext):
      let wavelength = 2 * Double.pi / frequency
      if wavelength < originalContext / high { return frequency }
      if wavelength > originalContext / low { return frequency / factor }
      let blend = (originalContext / wavelength - low) / (high - low)
      return (1 - blend) * (frequency / factor) + blend * frequency
    case .factors(let factors): return frequency / Double(factors[pair])
    case .yarn(let factor, let fast, let slow, let originalContext, _, let rounds):
      // The pair whose frequency makes `turns` turns in the original context.
      let place = { (turns: Double) in
        dimension * Canon.log(originalContext / (turns * 2 * Double.pi)) / (2 * logarithm)
      }
      let (first, last) = (place(fast), place(slow))
      let low = max(rounds ? first.rounded(.down) : first, 0)
      let high = min(rounds ? last.rounded(.up) : last, dimension - 1)
      let ramp = min(1, max(0, (Double(pair) - low) / max(high - low, 0.001)))
      return (frequency / factor) * ramp + frequency * (1 - ramp)
    case .longRoPE(let short, let long, let originalContext, _):
      return frequency / Double((Double(context) > originalContext ? long : short)[pair])
    }
  }

  /// Every number of it that must be finite and positive, and the lists that need one per pair.
  var parameters: (numbers: [Double], lists: [[Float]]) {
    switch self {
    case .none: ([], [])
    case .linear(let factor): ([factor], [])
    case .llama3(let factor, let low, let high, let original):
      ([factor, low, high, original, high - low], [])
    case .factors(let factors): ([], [factors])
    case .dynamic(let factor, let original): ([factor, original], [])
    case .yarn(let factor, let fast, let slow, let original, let amplitude, _):
      ([factor, fast, slow, original, amplitude], [])
    case .longRoPE(let short, let long, let original, let amplitude):
      ([original, amplitude], [short, long])
    }
  }
}
