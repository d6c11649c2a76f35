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
}
