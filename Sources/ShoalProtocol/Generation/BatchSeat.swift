// One job in a lane: what it wants of the ranks, and how much of that is under way.

/// Names a job among those of its lane.
public struct SeatID: Hashable, Sendable, Comparable {
  public let number: UInt64
  public init(_ number: UInt64) { self.number = number }
  public static func < (left: SeatID, right: SeatID) -> Bool { left.number < right.number }
}

/// A job's session, cut into spans of batches. What ranks say of several spans of one of its steps
/// becomes one answer.
struct BatchSeat: Sendable {
  /// A step of the job that is not answered yet.
  private struct Pending: Sendable {
    let step: Step
    /// Tokens that are under way or answered.
    var sent = 0
    /// Votes by rank, and the rows that they are of; what spans have cost at each rank.
    var votes: [[VocabularyVote]]
    var rows = 0
    var costs: [StepCost]
  }

  /// What a seat gives to a batch: tokens of one step of its own, all or some of them.
  struct Piece: Sendable {
    let span: StepSpan
    let tokens: ArraySlice<UInt32>
    let isLast: Bool
  }

  /// Fairness is between users.
  let user: String
  let slot: Int
  private(set) var session: GenerationSession
  /// In the order in which they go out and are answered.
  private var pending: [Pending] = []
  /// The batch that it was in last; nil: ranks do not know of it.
  private(set) var lastSequence: UInt32?
  /// Positions that ranks were told of, before that batch and with it.
  private var told = (before: 0, after: 0)
  /// What its sequence begins with, from another one.
  private(set) var shared: SharedPrefix?

  init(_ session: GenerationSession, user: String, slot: Int) {
    self.session = session
    self.user = user
    self.slot = slot
  }

  /// Begins, behind what another sequence shares with it.
  mutating func begin(sharing prefix: SharedPrefix?) {
    shared = prefix
    if let prefix { session.skip(prefix.count) }
    for rank in session.members.indices {
      let rest = keep(session.handle(.ready(rank: rank, session.plan)))
      precondition(rest.isEmpty, "a session that begins by something else than a step")
    }
  }

  var hasBegun: Bool { !pending.isEmpty || lastSequence != nil }

  /// Tokens of its next step that are not under way; 0: it waits for an answer.
  var wanted: Int {
    guard hasBegun else { return session.log.count }
    return pending.first { $0.sent < $0.step.tokens.count }
      .map { $0.step.tokens.count - $0.sent } ?? 0
  }

  /// Its sequence as it is when ranks begin with batch `sequence`.
  func held(before sequence: UInt32) -> HeldSequence {
    let known = lastSequence == sequence ? told.before : told.after
    return held(
      session.log, known: known, coming: max(known, session.order.prompt.count))
  }

  /// Its sequence after its last step; nil: there is nothing in it that is worth keeping.
  var remainder: HeldSequence? {
    guard lastSequence != nil, told.after >= PrefixChoice.least else { return nil }
    return held(
      Array(session.log.prefix(told.after)), known: told.after, coming: told.after)
  }

  private func held(_ log: [UInt32], known: Int, coming: Int) -> HeldSequence {
    HeldSequence(
      slot: slot, user: user, context: session.order.context, log: log, known: known,
      coming: coming)
  }

  /// Takes up to `limit` tokens out.
  mutating func take(atMost limit: Int, in sequence: UInt32) -> Piece {
    guard let index = pending.firstIndex(where: { $0.sent < $0.step.tokens.count }) else {
      preconditionFailure("nothing is wanted")
    }
    let (step, first) = (pending[index].step, pending[index].sent)
    let count = min(limit, step.tokens.count - first)
    let isLast = first + count == step.tokens.count
    pending[index].sent += count
    let source = lastSequence == nil ? shared?.slot : nil
    told = (told.after, step.position + first + count)
    lastSequence = sequence
    return Piece(
      span: StepSpan(
        slot: slot, position: step.position + first, source: source, count: count,
        context: session.order.context,
        logits: step.logits == .last && !isLast ? .none : step.logits, slices: step.slices,
        candidates: step.candidates),
      tokens: step.tokens[first..<first + count], isLast: isLast)
  }

  /// A rank has answered the oldest piece.
  mutating func hear(_ rank: Int, _ votes: [VocabularyVote], _ cost: StepCost) {
    let first = pending[0].rows
    pending[0].votes[rank] += first == 0 ? votes : votes.map { $0.inRow($0.row + first) }
    pending[0].costs[rank] += cost
  }

  /// All ranks have answered the oldest piece.
  mutating func answered(_ piece: Piece) -> [GenerationSession.Effect] {
    pending[0].rows += piece.span.votedRows
    guard piece.isLast else { return [] }
    let answer = pending.removeFirst()
    return session.members.indices.flatMap { rank in
      keep(
        session.handle(
          .result(
            rank: rank, sequence: answer.step.sequence, answer.votes[rank], answer.costs[rank])))
    }
  }

  mutating func sampled(_ token: UInt32, endsText: Bool) -> [GenerationSession.Effect] {
    keep(session.handle(.sampled(token, endsText: endsText)))
  }

  /// Keeps what is to be sent, and hands out the rest.
  private mutating func keep(_ effects: [GenerationSession.Effect]) -> [GenerationSession.Effect] {
    let ranks = session.members.count
    return effects.filter { effect in
      guard case .send(let step) = effect else { return true }
      pending.append(
        Pending(
          step: step, votes: Array(repeating: [], count: ranks),
          costs: Array(repeating: .zero, count: ranks)))
      return false
    }
  }
}

extension VocabularyVote {
  /// The same of another row.
  func inRow(_ row: Int) -> VocabularyVote {
    VocabularyVote(
      block: block, row: row, maximum: maximum, exponentials: exponentials, hash: hash,
      candidates: candidates, slice: slice)
  }
}
