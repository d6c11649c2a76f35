// What the entry of a job and its ranks say to each other: PREPARE and its answers, steps and
// their results.

/// Everything a rank needs to compute the very plan that the entry pinned.
public struct Prepare: Hashable, Sendable {
  public let job: JobID
  public let term: Term
  public let model: ModelID
  /// The plan as the entry computed it. A rank computes its own and refuses a difference.
  public let plan: PlanID
  public let objective: PlanObjective
  /// Positions of the longest sequence.
  public let context: Int
  /// The same of all sequences together that the lane wants to have at a time; a rank may grant
  /// fewer, and no fewer than `context`.
  public let positions: Int
  /// Tokens of the longest step.
  public let batch: Int
  /// The signed records that the plan was computed from.
  public let view: [SignedRecord]
  /// Peers that the entry leaves out, sorted.
  public let distrusted: [PeerID]
  /// What the entry pays every rank for its work; nil: nothing.
  public let payment: PaymentTerms?

  public init(
    job: JobID, term: Term, model: ModelID, plan: PlanID, objective: PlanObjective, context: Int,
    positions: Int, batch: Int, view: [SignedRecord], distrusted: [PeerID],
    payment: PaymentTerms? = nil
  ) {
    self.job = job
    self.term = term
    self.model = model
    self.plan = plan
    self.objective = objective
    self.context = context
    self.positions = positions
    self.batch = batch
    self.view = view
    self.distrusted = distrusted
    self.payment = payment
  }

  /// The same under another name and term.
  public func renamed(_ job: JobID, _ term: Term) -> Prepare {
    Prepare(
      job: job, term: term, model: model, plan: plan, objective: objective, context: context,
      positions: positions, batch: batch, view: view, distrusted: distrusted, payment: payment)
  }
}

/// Which positions of a step get logits.
public enum LogitsWanted: UInt8, Sendable, Hashable {
  case none = 0
  case last = 1
  case all = 2
}

/// What one job wants next of its ranks: tokens at consecutive positions.
public struct Step: Hashable, Sendable {
  public let term: Term
  /// Counts the job's steps in a term from 0.
  public let sequence: UInt32
  /// The position of the first token.
  public let position: Int
  public let tokens: [UInt32]
  public let logits: LogitsWanted
  /// Whole slices of logits are to be returned, not only candidates.
  public let slices: Bool
  /// How many candidates each vocabulary atom returns, at most.
  public let candidates: Int

  public init(
    term: Term, sequence: UInt32, position: Int, tokens: [UInt32], logits: LogitsWanted,
    slices: Bool, candidates: Int
  ) {
    self.term = term
    self.sequence = sequence
    self.position = position
    self.tokens = tokens
    self.logits = logits
    self.slices = slices
    self.candidates = candidates
  }
}

/// What one vocabulary atom says of one sampled position.
public struct VocabularyVote: Hashable, Sendable {
  /// The atom's index.
  public let block: Int
  /// Which position of the step that gets logits, counted from 0 over all spans.
  public let row: Int
  public let maximum: Float
  /// Sum of exponentials of (logit - maximum).
  public let exponentials: Float
  /// Hash of the atom's logits as little-endian f32.
  public let hash: Bytes32
  /// Best first: token and logit.
  public let candidates: [TokenCandidate]
  /// All logits of the atom, or empty.
  public let slice: [Float]

  public init(
    block: Int, row: Int, maximum: Float, exponentials: Float, hash: Bytes32,
    candidates: [TokenCandidate], slice: [Float]
  ) {
    self.block = block
    self.row = row
    self.maximum = maximum
    self.exponentials = exponentials
    self.hash = hash
    self.candidates = candidates
    self.slice = slice
  }
}

/// A token and its logit.
public struct TokenCandidate: Hashable, Sendable {
  public let token: UInt32
  public let logit: Float
  public init(token: UInt32, logit: Float) {
    self.token = token
    self.logit = logit
  }
}

/// Where a rank's time of one step went, in nanoseconds, and what it sent.
public struct StepCost: Hashable, Sendable {
  public var compute: UInt64
  public var wait: UInt64
  public var exchange: UInt64
  public var bytesSent: UInt64

  public static let zero = StepCost(compute: 0, wait: 0, exchange: 0, bytesSent: 0)

  public static func += (total: inout StepCost, part: StepCost) {
    total.compute += part.compute
    total.wait += part.wait
    total.exchange += part.exchange
    total.bytesSent += part.bytesSent
  }
  /// What `rows` of a step of `total` rows had of it.
  public func share(of rows: Int, in total: Int) -> StepCost {
    guard rows < total else { return self }
    let part = { (amount: UInt64) in
      UInt64(Double(amount) * Double(rows) / Double(total))
    }
    return StepCost(
      compute: part(compute), wait: part(wait), exchange: part(exchange),
      bytesSent: part(bytesSent))
  }

  public init(compute: UInt64, wait: UInt64, exchange: UInt64, bytesSent: UInt64) {
    self.compute = compute
    self.wait = wait
    self.exchange = exchange
    self.bytesSent = bytesSent
  }
}

/// A message on a job stream.
public enum JobMessage: Hashable, Sendable {
  /// Entry to rank.
  case prepare(Prepare)
  /// All ranks are ready: open the links between them.
  case connect
  case step(BatchStep)
  case finish
  /// Entry to rank: no job is in the lane for now. A rank may end it for what it needs more.
  case rest
  /// Rank to entry: still fetching atoms, `remaining` bytes to go.
  case fetching(remaining: UInt64, total: UInt64)
  /// The plan as the rank computed it, and for how many positions it holds keys and values.
  case ready(PlanID, positions: Int)
  case result(sequence: UInt32, votes: [VocabularyVote], cost: StepCost)
  /// Entry to rank: texts to make vectors of.
  case embed(EmbeddingStep)
  case embedded(sequence: UInt32, [TextVector], cost: StepCost)
  case failed(JobFailure)
}
