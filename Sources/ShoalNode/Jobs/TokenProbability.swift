// How probable a chosen token was, and what could have come instead.

internal import ShoalInference

/// By the model alone, at temperature 1: before penalties, biases, masks and the cuts of sampling.
public struct TokenProbability: Sendable, Hashable {
  public struct Alternative: Sendable, Hashable {
    public let token: UInt32
    /// What it adds to a text; need not be whole characters. A control token has its name.
    public let bytes: [UInt8]
    /// The natural logarithm of its probability.
    public let logprob: Double

    public init(token: UInt32, bytes: [UInt8], logprob: Double) {
      self.token = token
      self.bytes = bytes
      self.logprob = logprob
    }
  }

  public let chosen: Alternative
  /// The most probable first; the chosen one is among them if it is one of them.
  public let top: [Alternative]

  public init(chosen: Alternative, top: [Alternative]) {
    self.chosen = chosen
    self.top = top
  }

  /// - Parameters:
  ///   - candidate: what was chosen; rules may have changed its logit.
  ///   - logits: the model's own, where all are known; else the candidate's is the model's.
  init(
    of candidate: Candidate, logits: [Float], _ distribution: VocabularyDistribution,
    alternatives: Int, _ tokenizer: Tokenizer
  ) {
    let entry = { (token: Int, logit: Float) in
      Alternative(
        token: UInt32(token), bytes: tokenizer.bytes(of: TokenID(token)),
        logprob: distribution.logProbability(ofLogit: logit))
    }
    let own = logits.indices.contains(candidate.token) ? logits[candidate.token] : candidate.logit
    chosen = entry(candidate.token, own)
    top = distribution.candidates.prefix(alternatives).map { entry($0.token, $0.logit) }
  }
}
