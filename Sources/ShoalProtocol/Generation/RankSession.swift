// What one rank remembers of a lane between steps, and which steps it accepts.

/// The step-by-step state of one rank. Refuses whatever does not follow from what it has seen.
public struct RankSession: Sendable {
  private struct Sequence: Sendable {
    /// Positions that are known.
    var position: Int
    /// Positions that are reserved.
    let context: Int
  }

  public let plan: PlanID
  public let term: Term
  /// Positions of all sequences together, granted at PREPARE.
  public let positions: Int
  /// Tokens of the longest step.
  public let batch: Int
  public private(set) var binding: StepBinding
  public private(set) var sequence: UInt32 = 0
  /// By slot.
  private var sequences = [Sequence?](repeating: nil, count: Limits.laneSlots)
  /// Positions of the open sequences.
  public private(set) var reserved = 0

  public init(job: JobID, plan: PlanID, term: Term, positions: Int, batch: Int) {
    self.plan = plan
    self.term = term
    self.positions = positions
    self.batch = batch
    binding = StepBinding(job: job, term: term, plan: plan)
  }

  /// Positions of a sequence that are known; nil: there is none in the slot.
  public func position(of slot: Int) -> Int? { sequences[slot]?.position }

  /// Takes a step in if it is the next one. Nothing changes where it is refused.
  public mutating func accept(
    _ step: BatchStep, vocabulary: Int, from entry: PeerID
  ) throws(JobFailure) {
    guard step.term == term else { throw .staleTerm(mine: term, yours: step.term) }
    let isOrdered =
      step.closed.allSatisfy { sequences.indices.contains($0) && sequences[$0] != nil }
      && zip(step.closed, step.closed.dropFirst()).allSatisfy { $0 < $1 }
      && zip(step.spans, step.spans.dropFirst()).allSatisfy { $0.slot < $1.slot }
    guard step.sequence == sequence, isOrdered else {
      throw .protocolViolation(entry, .invalid(field: "step order"))
    }
    guard !step.tokens.isEmpty, step.tokens.count <= batch else {
      throw .protocolViolation(
        entry, .tooLong(field: "step", limit: batch, announced: step.tokens.count))
    }
    guard step.tokens.allSatisfy({ $0 < vocabulary }) else {
      throw .protocolViolation(entry, .invalid(field: "token"))
    }
    var wanted = reserved - step.closed.reduce(0) { $0 + (sequences[$1]?.context ?? 0) }
    for span in step.spans { wanted += try check(span, of: step, from: entry) }
    guard wanted <= positions else {
      throw .protocolViolation(
        entry, .tooLong(field: "positions", limit: positions, announced: wanted))
    }
    reserved = wanted
    take(step)
  }

  /// The positions that a span asks for: those of a sequence that it begins.
  private func check(
    _ span: StepSpan, of step: BatchStep, from entry: PeerID
  ) throws(JobFailure) -> Int {
    guard sequences.indices.contains(span.slot), span.count > 0 else {
      throw .protocolViolation(entry, .invalid(field: "span"))
    }
    let known = step.closed.contains(span.slot) ? nil : sequences[span.slot]
    if let source = span.source {
      // What it begins with was there before this step, and is there still.
      guard known == nil, span.position > 0, sequences.indices.contains(source),
        !step.closed.contains(source), let shared = sequences[source],
        shared.position >= span.position
      else { throw .protocolViolation(entry, .invalid(field: "source")) }
    } else if span.position != known?.position ?? 0 {
      throw .protocolViolation(entry, .invalid(field: "step order"))
    }
    let context = known?.context ?? span.context
    guard span.position + span.count <= context else { throw .contextFull(limit: context) }
    return known == nil ? context : 0
  }

  private mutating func take(_ step: BatchStep) {
    for slot in step.closed { sequences[slot] = nil }
    var first = 0
    for span in step.spans {
      binding.absorb(
        slot: span.slot, position: span.position, source: span.source,
        tokens: step.tokens[first..<first + span.count])
      sequences[span.slot] = Sequence(
        position: span.position + span.count,
        context: sequences[span.slot]?.context ?? span.context)
      first += span.count
    }
    sequence += 1
  }

  /// Takes in a step of whole texts, which leave nothing behind.
  ///
  /// - Parameters:
  ///   - positions: what all texts take of the key-value cache.
  ///   - tokenTypes: types that the model knows.
  public mutating func accept(
    _ step: EmbeddingStep, positions wanted: Int, vocabulary: Int, tokenTypes: Int,
    from entry: PeerID
  ) throws(JobFailure) {
    guard step.term == term else { throw .staleTerm(mine: term, yours: step.term) }
    guard step.sequence == sequence, reserved == 0 else {
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
    guard wanted <= positions else { throw .contextFull(limit: positions) }
    for text in step.texts {
      binding.absorb(position: text.count, tokens: text.tokens)
      binding.absorb(position: text.count, tokens: text.types.map { UInt32($0) })
    }
    sequence += 1
  }
}
