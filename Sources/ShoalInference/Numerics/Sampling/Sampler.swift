// Chooses the next token; the same choice on every peer that has the same distribution.

/// Why no token can be chosen.
public enum SamplingError: Error, Hashable, Sendable {
  /// An option outside of its range.
  case optionOutOfRange(name: String, value: Double)
  /// Every token is masked.
  case noCandidate
}

/// How the next token is chosen. Steps in this order: penalties (on the logits, by whoever computes
/// them), temperature, topK, topP, minP, draw.
public struct SamplingOptions: Hashable, Sendable {
  /// Logits are divided by it; 0 takes the best token.
  public var temperature: Float = 0.8
  /// How many of the best take part; 0 for as many as are gathered.
  public var topK = 40
  /// The least set of best tokens that has this share of the probability of those left by topK
  /// (Holtzman et al. 2019); 1 keeps all.
  public var topP: Float = 1
  /// Tokens below this share of the best one's probability are dropped (Nguyen et al. 2024).
  public var minP: Float = 0
  public var seed: UInt64 = 0
  /// Penalties on tokens that have been; see `TokenPenalties`.
  public var repetitionPenalty: Float = 1
  public var presencePenalty: Float = 0
  public var frequencyPenalty: Float = 0

  public init() {}

  /// Whether tokens that have been are treated differently.
  public var penalises: Bool {
    repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0
  }

  public static let greedy: SamplingOptions = {
    var options = SamplingOptions()
    options.temperature = 0
    return options
  }()

  /// Candidates to ask of each atom, so that the draw is that of the whole vocabulary. Without topK
  /// the tail beyond 1,024 is cut, and that is the definition.
  public var candidatesNeeded: Int {
    if temperature == 0 { return 1 }
    return topK > 0 ? min(topK, 1_024) : 1_024
  }

  /// Refuses what cannot be meant.
  public func validate() throws(SamplingError) {
    let checks: [(String, Float, Bool)] = [
      ("temperature", temperature, temperature >= 0 && temperature <= 100),
      ("top_k", Float(topK), topK >= 0),
      ("top_p", topP, topP > 0 && topP <= 1),
      ("min_p", minP, minP >= 0 && minP <= 1),
      ("repetition_penalty", repetitionPenalty, repetitionPenalty > 0 && repetitionPenalty <= 100),
      ("presence_penalty", presencePenalty, presencePenalty.magnitude <= 100),
      ("frequency_penalty", frequencyPenalty, frequencyPenalty.magnitude <= 100),
    ]
    for (name, value, holds) in checks where !holds {
      throw .optionOutOfRange(name: name, value: Double(value))
    }
  }
}

/// Draws tokens by `SamplingOptions`. Holds no state: the draw for a position depends on the seed
/// and the position alone.
public enum Sampler {
  /// The token for `position`, counted over the whole sequence.
  public static func choose(
    from distribution: VocabularyDistribution, _ options: SamplingOptions, position: Int
  ) throws(SamplingError) -> Candidate {
    guard let best = distribution.candidates.first else { throw .noCandidate }
    if options.temperature == 0 { return best }
    let limit = options.candidatesNeeded
    let weights = kept(
      distribution.candidates.prefix(limit).map { candidate in
        let difference = Double(candidate.logit) - Double(best.logit)
        return Canon.exp(difference / Double(options.temperature))
      }, options)
    let total = weights.reduce(0, +)
    let target = Philox.uniform(seed: options.seed, position: UInt64(position)) * total
    var sum = 0.0
    for (index, weight) in weights.enumerated() {
      sum += weight
      if target < sum { return distribution.candidates[index] }
    }
    return distribution.candidates[weights.count - 1]
  }

  /// The weights that topP and minP leave: a prefix, since weights descend from 1.
  private static func kept(_ weights: [Double], _ options: SamplingOptions) -> [Double] {
    let share = weights.reduce(0, +) * Double(options.topP)
    var (count, sum) = (0, 0.0)
    while count < weights.count, options.topP == 1 || count == 0 || sum < share {
      sum += weights[count]
      count += 1
    }
    let least = Double(options.minP)
    return Array(weights.prefix(count).prefix { $0 >= least })
  }
}
