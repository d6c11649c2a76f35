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
    case stepping(waiting: Set<Int>)
    case sampling
    case ended
  }

  public let order: GenerationOrder
  public let plan: PlanID
  public let term: Term
  public let members: [PeerID]
  /// Vocabulary blocks of the model: a position is complete when each has voted.
  private let blocks: Int
  private var state: State
  private var sequence: UInt32 = 0
  /// Tokens whose keys and values the ranks hold.
  private var position = 0
  /// Prompt, then what was sampled.
  public private(set) var log: [UInt32]
  /// Tokens of the step under way, what was said of it, and the slowest rank's cost.
  private var stepSize = 0
  /// Positions of that step that every block must vote for.
  private var wantedRows = 0
  private var votes: [VocabularyVote] = []
  private var cost = StepCost.zero

  /// - Parameter log: prompt and tokens that earlier terms have generated; the ranks read them
  ///   first, and what follows is what would have followed then.
  public init(
    order: GenerationOrder, plan: PlanID, term: Term, members: [PeerID], vocabularyBlocks: Int,
    continuing log: [UInt32]? = nil
  ) {
    precondition(log?.starts(with: order.prompt) ?? true, "a log that begins otherwise")
    self.order = order
    self.plan = plan
    self.term = term
    self.members = members
    blocks = vocabularyBlocks
    self.log = log ?? order.prompt
    state = .preparing(waiting: Set(members.indices))
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
    case (.stepping(let waiting), .result(let rank, let sequence, let votes, let cost)):
      return take(votes, of: rank, sequence: sequence, cost: cost, waiting: waiting)
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
    return rest.isEmpty ? step() : []
  }

  /// Sends the next tokens that the ranks have not seen, at most `batch` of them.
  private mutating func step() -> [Effect] {
    let tokens = Array(log[position..<min(log.count, position + order.batch)])
    let reachesEnd = position + tokens.count == log.count
    let isPrompt = position < order.prompt.count
    let logits: LogitsWanted = order.scoresPrompt && isPrompt ? .all : reachesEnd ? .last : .none
    state = .stepping(waiting: Set(members.indices))
    stepSize = tokens.count
    switch logits {
    case .none: wantedRows = 0
    case .last: wantedRows = 1
    case .all: wantedRows = tokens.count
    }
    votes.removeAll(keepingCapacity: true)
    cost = .zero
    return [
      .send(
        Step(
          term: term, sequence: sequence, position: position, tokens: tokens, logits: logits,
          slices: order.slices, candidates: order.candidates))
    ]
  }

  private mutating func take(
    _ new: [VocabularyVote], of rank: Int, sequence theirs: UInt32, cost theirCost: StepCost,
    waiting: Set<Int>
  ) -> [Effect] {
    guard theirs == sequence, waiting.contains(rank) else { return violation(of: rank, "sequence") }
    votes += new
    if theirCost.compute >= cost.compute { cost = theirCost }
    let rest = waiting.subtracting([rank])
    state = .stepping(waiting: rest)
    guard rest.isEmpty else { return [] }
    position += stepSize
    sequence += 1
    return completed(by: rank)
  }

  /// All ranks have answered: every block must have voted for every row that was asked for, once.
  private mutating func completed(by rank: Int) -> [Effect] {
    votes.sort { ($0.row, $0.block) < ($1.row, $1.block) }
    let isComplete =
      votes.count == wantedRows * blocks
      && votes.indices.allSatisfy {
        votes[$0].row == $0 / blocks && votes[$0].block == $0 % blocks
      }
    guard isComplete else { return violation(of: rank, "votes") }
    guard wantedRows > 0 else { return step() }
    state = .sampling
    return [.sample(votes, cost: cost)]
  }

  private mutating func extend(by token: UInt32, endsText: Bool) -> [Effect] {
    // A scored prompt in several steps: what was sampled in between is no part of the text.
    if position < log.count { return step() }
    guard order.maximumTokens > 0 else { return end(.finished(.length)) }
    log.append(token)
    if endsText { return end(.finished(.stop)) }
    if generated.count >= order.maximumTokens || log.count >= order.context {
      return end(.finished(.length))
    }
    return step()
  }
}
