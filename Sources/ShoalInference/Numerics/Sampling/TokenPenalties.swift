// Lowers the logits of tokens that have been: on a slice of the vocabulary, by whoever holds it.

/// The repetition penalty looks at the prompt and the answer, as Keskar et al. 2019 ("CTRL",
/// section 4.1) have it; presence and frequency penalties look at the answer alone.
public struct TokenPenalties: Sendable {
  /// How often each token has been in the answer; 0 for one of the prompt alone.
  private var times: [Int: Int] = [:]
  private let options: SamplingOptions

  /// Before the first token of an answer to `prompt`.
  public init(prompt: some Sequence<Int>, _ options: SamplingOptions) {
    self.options = options
    if options.repetitionPenalty != 1 { for token in prompt { times[token] = 0 } }
  }

  /// After `answer`.
  public init(after answer: some Sequence<Int>, _ options: SamplingOptions) {
    self.options = options
    for token in answer { note(token) }
  }

  /// Takes in a token that was chosen.
  public mutating func note(_ token: Int) {
    if options.penalises { times[token, default: 0] += 1 }
  }

  /// A positive logit is divided by the repetition penalty, a negative one multiplied; then the
  /// presence penalty and, each time that it has been, the frequency penalty are taken off.
  public func apply(to logits: UnsafeMutableBufferPointer<Float>, firstToken: Int) {
    // Tokens do not look at each other, so that their order makes no difference.
    for (token, times) in times where token >= firstToken && token < firstToken + logits.count {
      var logit = unsafe logits[token - firstToken]
      let penalty = options.repetitionPenalty
      logit = logit > 0 ? logit / penalty : logit * penalty
      if times > 0 {
        logit -= Float(times) * options.frequencyPenalty + options.presencePenalty
      }
      unsafe logits[token - firstToken] = logit
    }
  }
}
