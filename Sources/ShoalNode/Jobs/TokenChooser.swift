// From votes to text: merges what the blocks say, samples, decodes, watches for the end.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// Chooses tokens for one generation and remembers what came of it. Sendable because one thread
/// uses it while the generation runs, and another reads what came of it when that has ended.
public final class TokenChooser: @unchecked Sendable {
  private let options: GenerationOptions
  private let tokenizer: Tokenizer
  private var detokenizer: StreamingDetokenizer
  private var stops: StopStrings
  private var rules: AnswerRules
  private var position: Int
  private let emit: @Sendable (GeneratedToken) throws -> Void
  public private(set) var tokens: [UInt32] = []
  public private(set) var text = ""
  /// The hash over the logits of every position that was sampled, each chained to the one before:
  /// equal runs have equal digests.
  public private(set) var digest = Bytes32.zero
  /// What the digest is taken of, in memory that stays.
  private var chain: [UInt8] = []

  /// - Parameters:
  ///   - prompt: tokens before the first that is chosen.
  ///   - emit: called with each token, on the caller's thread.
  /// - Throws: where the answer is to have a form that it cannot be held to.
  public init(
    options: GenerationOptions, tokenizer: Tokenizer, prompt: [UInt32],
    emit: @escaping @Sendable (GeneratedToken) throws -> Void
  ) throws(SchemaError) {
    self.options = options
    self.tokenizer = tokenizer
    self.emit = emit
    detokenizer = StreamingDetokenizer(
      tokenizer, continuing: prompt.count > tokenizer.definition.before.count)
    stops = StopStrings(options.stop)
    rules = try AnswerRules(options, tokenizer, prompt: prompt)
    position = prompt.count
  }

  /// Decides on one token from the votes of one position, sorted by block.
  public func choose(
    _ votes: [VocabularyVote], _ cost: StepCost
  ) throws -> GenerationRunner.Choice {
    extendDigest(votes)
    let distribution = VocabularyDistribution(
      votes.map(\.summary), keeping: options.candidatesNeeded)
    let logits = options.needsSlices ? votes.flatMap(\.slice) : []
    let chosen = try Sampler.choose(
      from: rules.apply(to: distribution, logits: logits), options.sampling, position: position)
    position += 1
    let probability = options.topLogprobs.map { count in
      TokenProbability(
        of: chosen, logits: logits, distribution, alternatives: count, tokenizer)
    }
    return try take(
      UInt32(chosen.token), logits: options.wantsLogits ? logits : [], probability, cost)
  }

  /// Takes in what was chosen before, and what the digest was after it. True: it ended the text.
  func recall(_ chosen: some Sequence<UInt32>, digest: Bytes32) throws -> Bool {
    var endsText = false
    for token in chosen {
      position += 1
      endsText = try take(token, logits: [], nil, .zero).endsText
    }
    self.digest = digest
    return endsText
  }

  private func take(
    _ token: UInt32, logits: [Float], _ probability: TokenProbability?, _ cost: StepCost
  ) throws -> GenerationRunner.Choice {
    let endsModel = tokenizer.isEndOfGeneration(TokenID(token))
    if !endsModel { tokens.append(token) }
    let isWhole = rules.take(token, endsModel: endsModel)
    let isLast = endsModel || isWhole || tokens.count == options.maximumTokens
    let (shown, isStopped) = decode(token, endsModel: endsModel, isLast: isLast)
    text += shown
    try emit(
      GeneratedToken(
        token: token, text: shown, logits: logits, cost: cost,
        probability: endsModel ? nil : probability))
    return .init(token: token, endsText: endsModel || isWhole || isStopped)
  }

  private func extendDigest(_ votes: [VocabularyVote]) {
    let count = 32 * (1 + votes.count)
    if chain.count != count { chain = [UInt8](repeating: 0, count: count) }
    unsafe chain.withUnsafeMutableBytes { bytes in
      unsafe digest.store(to: bytes)
      for (index, vote) in votes.enumerated() {
        unsafe vote.hash.store(
          to: UnsafeMutableRawBufferPointer(rebasing: bytes[(32 * (1 + index))...]))
      }
    }
    digest = BLAKE2b.hash(chain)
  }

  private func decode(
    _ token: UInt32, endsModel: Bool, isLast: Bool
  ) -> (text: String, isStopped: Bool) {
    var piece = endsModel ? "" : detokenizer.append(TokenID(token))
    if isLast { piece += detokenizer.finish() }
    let (shown, isStopped) = stops.append(piece)
    return (isLast && !isStopped ? shown + stops.finish() : shown, isStopped)
  }
}

extension VocabularyVote {
  var summary: VocabularySummary {
    VocabularySummary(
      candidates: candidates.map { Candidate(token: Int($0.token), logit: $0.logit) },
      maximum: maximum, sumOfExponentials: exponentials)
  }
}
