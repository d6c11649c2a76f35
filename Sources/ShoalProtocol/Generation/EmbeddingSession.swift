// A job that makes vectors of texts, as its entry sees it: which texts go into which step, and
// whether all ranks say the same. Decides; sends nothing.

/// What one job asks of its ranks.
public struct EmbeddingOrder: Sendable, Hashable {
  /// None is empty.
  public let texts: [EncodedText]
  public let pooling: PoolingOptions
  /// Which texts each step takes: neighbours.
  public let steps: [Range<Int>]
  /// Tokens of the longest step.
  public let batch: Int
  /// Positions of the longest step.
  public let context: Int

  /// - Parameters:
  ///   - budget: positions of one step, unless one text takes more.
  ///   - leastContext: positions to reserve in any case.
  ///   - positions: what a text of so many tokens takes.
  public init(
    texts: [EncodedText], pooling: PoolingOptions, budget: Int, leastContext: Int = 0,
    positions: (Int) -> Int
  ) {
    self.texts = texts
    self.pooling = pooling
    var steps: [Range<Int>] = []
    var (batch, context, taken) = (0, leastContext, 0)
    var tokens = 0
    for (index, text) in texts.enumerated() {
      let needed = positions(text.count)
      if let last = steps.last, taken + needed <= budget, last.count < Limits.stepTexts {
        steps[steps.count - 1] = last.lowerBound..<index + 1
        (taken, tokens) = (taken + needed, tokens + text.count)
      } else {
        steps.append(index..<index + 1)
        (taken, tokens) = (needed, text.count)
      }
      (batch, context) = (max(batch, tokens), max(context, taken))
    }
    self.steps = steps
    self.batch = batch
    self.context = context
  }
}

/// The entry's side over one term. Vectors that earlier terms have made are not made again.
public struct EmbeddingSession: Sendable {
  public let order: EmbeddingOrder
  public let term: Term
  public let members: [PeerID]
  /// Vectors of whole steps, in the order of the texts.
  public private(set) var vectors: [TextVector]
  private var sequence: UInt32 = 0
  /// What ranks have said of the step under way.
  private var heard: [TextVector]?

  /// - Parameter vectors: what earlier terms have made, of whole steps.
  public init(
    order: EmbeddingOrder, term: Term, members: [PeerID], continuing vectors: [TextVector] = []
  ) {
    self.order = order
    self.term = term
    self.members = members
    self.vectors = vectors
  }

  /// The next step for all ranks; nil when all texts have their vectors.
  public func next() -> EmbeddingStep? {
    guard let texts = order.steps.first(where: { $0.lowerBound == vectors.count }) else {
      return nil
    }
    return EmbeddingStep(
      term: term, sequence: sequence, pooling: order.pooling, texts: Array(order.texts[texts]))
  }

  /// Takes in what a rank says of the step: nothing, before the last stage. A rank that says
  /// otherwise than those before it is refused.
  public mutating func take(
    _ vectors: [TextVector], of rank: Int, sequence theirs: UInt32, step: EmbeddingStep
  ) throws(JobFailure) {
    guard theirs == step.sequence, vectors.isEmpty || vectors.count == step.texts.count,
      Set(vectors.map(\.values.count)).count <= 1
    else { throw .protocolViolation(members[rank], .invalid(field: "vectors")) }
    guard !vectors.isEmpty else { return }
    guard heard == nil || heard == vectors else {
      throw .protocolViolation(members[rank], .invalid(field: "vectors that differ"))
    }
    heard = vectors
  }

  /// All ranks have answered the step, the last of them among those that have vectors.
  public mutating func finishStep() throws(JobFailure) {
    guard let heard else {
      throw .protocolViolation(members.last ?? PeerID(.zero), .invalid(field: "vectors"))
    }
    vectors += heard
    self.heard = nil
    sequence += 1
  }
}
