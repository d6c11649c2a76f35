// One term of a job as its entry sees it: PREPARE, what is known, token by token, end. Decides;
// sends nothing.

/// Why a generation ended well.
public enum FinishReason: String, Sendable, Hashable {
  /// The model said so, or a stop string was met.
  case stop
  /// The asked-for number of tokens, or the end of the context.
  case length
}

/// What one job asks of its ranks.
public struct GenerationOrder: Sendable, Hashable {
  public let prompt: [UInt32]
  public let maximumTokens: Int
  /// Positions to reserve, prompt included.
  public let context: Int
  /// Tokens of the longest step.
  public let batch: Int
  /// Logits of every prompt position, not only of the last.
  public let scoresPrompt: Bool
  /// Whole slices of logits, not only candidates.
  public let slices: Bool
  /// Candidates that each vocabulary atom returns, at most.
  public let candidates: Int

  public init(
    prompt: [UInt32], maximumTokens: Int, context: Int, batch: Int, scoresPrompt: Bool = false,
    slices: Bool = false, candidates: Int
  ) {
    self.prompt = prompt
    self.maximumTokens = maximumTokens
    self.context = context
    self.batch = batch
    self.scoresPrompt = scoresPrompt
    self.slices = slices
    self.candidates = candidates
  }

  /// The same job, as it is asked of ranks that have to read `log` first.
  public func replaying(_ log: [UInt32]) -> GenerationOrder {
    GenerationOrder(
      prompt: prompt, maximumTokens: maximumTokens, context: context,
      batch: max(batch, min(Limits.replayTokens, log.count)), scoresPrompt: scoresPrompt,
      slices: slices, candidates: candidates)
  }
}

/// The entry's side of one term of a job. The shell feeds in what ranks say and performs the
/// effects.
public struct GenerationSession: Sendable {
  public enum Event: Sendable, Hashable {
    case ready(rank: Int, PlanID)
    case failed(JobFailure)
    case result(rank: Int, sequence: UInt32, [VocabularyVote], StepCost)
    /// The shell sampled from the votes that it was handed.
    case sampled(UInt32, endsText: Bool)
    case cancelled
  }

  public enum Effect: Sendable, Hashable {
    /// To every rank.
    case send(Step)
    /// Every rank has answered: choose a token from these votes, sorted by row and block.
    case sample([VocabularyVote], cost: StepCost)
    case finished(FinishReason)
    case failed(JobFailure)
  }

  private enum State: Sendable, Hashable {
    case preparing(waiting: Set<Int>)
    case stepping
    case sampling
    case ended
  }

  /// A step that not all ranks have answered.
  private struct Flight: Sendable {
    let sequence: UInt32
    /// Positions that every block must vote for.
    let wantedRows: Int
    var waiting: Set<Int>
    var votes: [VocabularyVote] = []
    /// Of the slowest rank.
    var cost = StepCost.zero
  }

  public let order: GenerationOrder
  public let plan: PlanID
  public let term: Term
  public let members: [PeerID]
  /// Vocabulary blocks of the model: a position is complete when each has voted.
  private let blocks: Int
  /// Pipeline stages, each of which may be at a step of its own.
  public let stages: Int
  private var state: State
  private var sequence: UInt32 = 0
  /// Tokens that the ranks have been sent.
  private var position = 0
  /// Prompt, then what was sampled.
  public private(set) var log: [UInt32]
  /// Steps under way, oldest first; ranks answer in this order.
  private var flights: [Flight] = []

  /// A piece of a prompt that is worth a step of its own.
  private static let leastPiece = 32

  /// - Parameters:
  ///   - stages: of the plan; so many steps are under way at once where all their tokens are known.
  ///   - log: prompt and tokens that earlier terms have generated; the ranks read them first, and
  ///     what follows is what would have followed then.
  public init(
    order: GenerationOrder, plan: PlanID, term: Term, members: [PeerID], vocabularyBlocks: Int,
    stages: Int = 1, continuing log: [UInt32]? = nil
  ) {
    precondition(log?.starts(with: order.prompt) ?? true, "a log that begins otherwise")
    self.order = order
    self.plan = plan
    self.term = term
    self.members = members
    blocks = vocabularyBlocks
    self.stages = stages
    self.log = log ?? order.prompt
    state = .preparing(waiting: Set(members.indices))
  }

  /// The ranks know the first `count` tokens already, and none that is to be voted for is among
  /// them. Before the first rank is ready.
  mutating func skip(_ count: Int) {
    precondition(position == 0 && flights.isEmpty && count < log.count && !order.scoresPrompt)
    position = count
  }

  /// Tokens generated so far.
  public var generated: ArraySlice<UInt32> { log[order.prompt.count...] }

  public mutating func handle(_ event: Event) -> [Effect] {
    switch (state, event) {
    case (.ended, _): return []
    case (_, .cancelled): return end(.failed(.cancelled))
    case (_, .failed(let failure)): return end(.failed(failure))
    case (.preparing(let waiting), .ready(let rank, let theirs)):
      return prepared(rank, plan: theirs, waiting: waiting)
    case (.stepping, .result(let rank, let sequence, let votes, let cost)):
      return take(votes, of: rank, sequence: sequence, cost: cost)
    case (.sampling, .sampled(let token, let endsText)):
      return extend(by: token, endsText: endsText)
    case (.preparing, .result(let rank, _, _, _)), (.sampling, .result(let rank, _, _, _)),
      (.stepping, .ready(let rank, _)), (.sampling, .ready(let rank, _)):
      return violation(of: rank, "order of messages")
    case (.preparing, .sampled), (.stepping, .sampled):
      preconditionFailure("sampled while nothing was to be sampled: \(state)")
    }
  }

  private mutating func end(_ effect: Effect) -> [Effect] {
    state = .ended
    return [effect]
  }

  private mutating func violation(of rank: Int, _ field: String) -> [Effect] {
    end(.failed(.protocolViolation(members[rank], .invalid(field: field))))
  }

  private mutating func prepared(_ rank: Int, plan theirs: PlanID, waiting: Set<Int>) -> [Effect] {
    guard theirs == plan else { return end(.failed(.planDiffers(mine: plan, yours: theirs))) }
    let rest = waiting.subtracting([rank])
    state = .preparing(waiting: rest)
    return rest.isEmpty ? fill() : []
  }

  /// Sends tokens that the ranks have not seen, as many steps as there are stages to work at them.
  private mutating func fill() -> [Effect] {
    state = .stepping
    var effects: [Effect] = []
    while position < log.count, flights.count < stages { effects.append(.send(nextStep())) }
    return effects
  }

  /// Tokens of one step: in a pipeline a few pieces for each stage, so that none of them is idle
  /// for long while the first pieces come in and the last go out.
  private var pieceTokens: Int {
    guard stages > 1 else { return order.batch }
    let pieces = 4 * stages
    return min(order.batch, max(Self.leastPiece, (log.count + pieces - 1) / pieces))
  }

  private mutating func nextStep() -> Step {
    let tokens = Array(log[position..<min(log.count, position + pieceTokens)])
    let isPrompt = position < order.prompt.count
    let reachesEnd = position + tokens.count == log.count
    let logits: LogitsWanted = order.scoresPrompt && isPrompt ? .all : reachesEnd ? .last : .none
    let wantedRows =
      switch logits {
      case .none: 0
      case .last: 1
      case .all: tokens.count
      }
    flights.append(
      Flight(sequence: sequence, wantedRows: wantedRows, waiting: Set(members.indices)))
    defer {
      position += tokens.count
      sequence += 1
    }
    return Step(
      term: term, sequence: sequence, position: position, tokens: tokens, logits: logits,
      slices: order.slices, candidates: order.candidates)
  }

  private mutating func take(
    _ new: [VocabularyVote], of rank: Int, sequence theirs: UInt32, cost: StepCost
  ) -> [Effect] {
    guard theirs == flights[0].sequence, flights[0].waiting.remove(rank) != nil else {
      return violation(of: rank, "sequence")
    }
    flights[0].votes += new
    if cost.compute >= flights[0].cost.compute { flights[0].cost = cost }
    return flights[0].waiting.isEmpty ? completed(by: rank) : []
  }

  /// All ranks have answered: every block must have voted for every row that was asked for, once.
  private mutating func completed(by rank: Int) -> [Effect] {
    let flight = flights.removeFirst()
    let votes = flight.votes.sorted { ($0.row, $0.block) < ($1.row, $1.block) }
    let isComplete =
      votes.count == flight.wantedRows * blocks
      && votes.indices.allSatisfy {
        votes[$0].row == $0 / blocks && votes[$0].block == $0 % blocks
      }
    guard isComplete else { return violation(of: rank, "votes") }
    guard flight.wantedRows > 0 else { return fill() }
    state = .sampling
    return [.sample(votes, cost: flight.cost)]
  }

  private mutating func extend(by token: UInt32, endsText: Bool) -> [Effect] {
    // A scored prompt in several steps: what was sampled in between is no part of the text.
    if position < log.count || !flights.isEmpty { return fill() }
    guard order.maximumTokens > 0 else { return end(.finished(.length)) }
    log.append(token)
    if endsText { return end(.finished(.stop)) }
    if generated.count >= order.maximumTokens || log.count >= order.context {
      return end(.finished(.length))
    }
    return fill()
  }
}
