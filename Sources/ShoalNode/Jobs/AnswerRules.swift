// What is done to all logits before a token is chosen: penalties, biases, and the mask of the form
// that the answer is to have. On the entry, with the same bits whatever the split.

internal import ShoalInference

struct AnswerRules {
  private let isNeeded: Bool
  private let keeping: Int
  private let bias: [TokenBias]
  private let tokenizer: Tokenizer
  private var penalties: TokenPenalties
  private var constraint: TokenConstraint?

  init(
    _ options: GenerationOptions, _ tokenizer: Tokenizer, prompt: [UInt32]
  ) throws(SchemaError) {
    isNeeded =
      options.sampling.penalises || options.format != .text || !options.bias.isEmpty
    keeping = options.candidatesNeeded
    bias = options.bias
    self.tokenizer = tokenizer
    penalties = TokenPenalties(prompt: prompt.lazy.map { Int($0) }, options.sampling)
    if options.format != .text {
      constraint = try TokenConstraint(
        options.format, tokenizer, vocabulary: SortedVocabulary(tokenizer))
    }
  }

  /// What a token is chosen from.
  ///
  /// - Parameters:
  ///   - distribution: the model's own.
  ///   - logits: all of them, where rules need them.
  mutating func apply(
    to distribution: VocabularyDistribution, logits: [Float]
  ) -> VocabularyDistribution {
    guard isNeeded else { return distribution }
    var logits = logits
    unsafe logits.withUnsafeMutableBufferPointer { logits in
      unsafe penalties.apply(to: logits, firstToken: 0)
    }
    for one in bias where Int(one.token) < logits.count { logits[Int(one.token)] += one.amount }
    constraint?.mask().apply(to: &logits)
    var best = BestCandidates()
    best.reset(keeping: keeping)
    unsafe logits.withUnsafeBufferPointer { unsafe best.take($0, firstToken: 0) }
    let summary = VocabularySummary(
      candidates: best.candidates, maximum: best.candidates.first?.logit ?? -.infinity,
      sumOfExponentials: 0)
    return VocabularyDistribution([summary], keeping: keeping)
  }

  /// Takes in what was chosen. True: the answer has its form, and nothing can follow.
  mutating func take(_ token: UInt32, endsModel: Bool) -> Bool {
    penalties.note(Int(token))
    guard !endsModel, constraint != nil else { return false }
    constraint?.take(tokenizer.bytes(of: TokenID(token)))
    return constraint?.isComplete ?? false
  }
}
