// What a generation should be, and what of it the ranks must send.

public import ShoalInference
internal import ShoalProtocol

public struct GenerationOptions: Sendable, Hashable {
  public var maximumTokens: Int
  public var sampling: SamplingOptions
  public var stop: [String]
  /// One position at a time through the prompt, instead of as many as a step takes.
  public var prefillsByStep = false
  /// Whole rows of logits are wanted.
  public var wantsLogits = false
  /// Probabilities are wanted: of each token, and of so many that could have come instead.
  public var topLogprobs: Int?
  public var format = AnswerFormat.text
  /// Added to the logits of tokens before one is chosen.
  public var bias: [TokenBias] = []
  /// Refuse what does not fit the context whole, instead of ending where the context does.
  public var mustFit = false

  public init(maximumTokens: Int, sampling: SamplingOptions, stop: [String] = []) {
    self.maximumTokens = maximumTokens
    self.sampling = sampling
    self.stop = stop
  }

  /// Whether a choice needs all logits, not only the best: penalties, biases and masks may put any
  /// token first.
  var needsSlices: Bool {
    wantsLogits || sampling.penalises || format != .text || !bias.isEmpty
  }

  /// The best of the vocabulary that a choice, or what is told of it, looks at.
  var candidatesNeeded: Int {
    min(max(sampling.candidatesNeeded, topLogprobs ?? 0), Limits.candidates)
  }
}

/// A number that is added to one token's logit.
public struct TokenBias: Sendable, Hashable {
  public let token: UInt32
  public let amount: Float

  public init(token: UInt32, amount: Float) {
    self.token = token
    self.amount = amount
  }
}
