// What one rank remembers of a job between steps, and which steps it accepts.

/// The step-by-step state of one rank. Refuses whatever does not follow from what it has seen.
public struct RankSession: Sendable {
  public let plan: PlanID
  public let term: Term
  /// Positions reserved at PREPARE.
  public let context: Int
  /// Tokens of the longest step.
  public let batch: Int
  public private(set) var binding: StepBinding
  /// Positions that the key-value cache holds.
  public private(set) var position = 0
  public private(set) var sequence: UInt32 = 0

  public init(job: JobID, plan: PlanID, term: Term, context: Int, batch: Int) {
    self.plan = plan
    self.term = term
    self.context = context
    self.batch = batch
    binding = StepBinding(job: job, term: term, plan: plan)
  }

  /// Takes a step in if it is the next one. Nothing changes where it is refused.
  public mutating func accept(
    _ step: Step, vocabulary: Int, from entry: PeerID
  ) throws(JobFailure) {
    guard step.term == term else { throw .staleTerm(mine: term, yours: step.term) }
    guard step.sequence == sequence, step.position == position else {
      throw .protocolViolation(entry, .invalid(field: "step order"))
    }
    guard !step.tokens.isEmpty, step.tokens.count <= batch else {
      throw .protocolViolation(
        entry, .tooLong(field: "step", limit: batch, announced: step.tokens.count))
    }
    guard step.tokens.allSatisfy({ $0 < vocabulary }) else {
      throw .protocolViolation(entry, .invalid(field: "token"))
    }
    guard step.position + step.tokens.count <= context else { throw .contextFull(limit: context) }
    binding.absorb(position: step.position, tokens: step.tokens)
    position += step.tokens.count
    sequence += 1
  }

  /// Takes in a step of whole texts, which leave nothing behind.
  ///
  /// - Parameters:
  ///   - positions: what all texts take of the key-value cache.
  ///   - tokenTypes: types that the model knows.
  public mutating func accept(
    _ step: EmbeddingStep, positions: Int, vocabulary: Int, tokenTypes: Int, from entry: PeerID
  ) throws(JobFailure) {
    guard step.term == term else { throw .staleTerm(mine: term, yours: step.term) }
    guard step.sequence == sequence, position == 0 else {
      throw .protocolViolation(entry, .invalid(field: "step order"))
    }
    let count = step.texts.reduce(0) { $0 + $1.count }
    guard !step.texts.isEmpty, step.texts.allSatisfy({ $0.count > 0 }), count <= batch else {
      throw .protocolViolation(
        entry, .tooLong(field: "step", limit: batch, announced: count))
    }
    guard step.texts.allSatisfy({ $0.tokens.allSatisfy { $0 < vocabulary } }) else {
      throw .protocolViolation(entry, .invalid(field: "token"))
    }
    guard step.texts.allSatisfy({ $0.hasTypes(below: max(1, tokenTypes)) }) else {
      throw .protocolViolation(entry, .invalid(field: "token types"))
    }
    guard positions <= context else { throw .contextFull(limit: context) }
    for text in step.texts {
      binding.absorb(position: text.count, tokens: text.tokens)
      binding.absorb(position: text.count, tokens: text.types.map { UInt32($0) })
    }
    sequence += 1
  }
}
