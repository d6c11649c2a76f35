// One term of a lane as its entry sees it: which rows of which jobs go into the next step, and
// whose the answers are. Decides; sends nothing.

/// What the ranks of a lane were prepared for.
public struct LaneTerms: Sendable, Hashable {
  public let plan: PlanID
  public let term: Term
  public let members: [PeerID]
  /// Pipeline stages, each of which may be at a step of its own.
  public let stages: Int
  /// Positions that all ranks hold keys and values for.
  public let positions: Int
  /// Rows of the longest step.
  public let batch: Int
  /// Whether a sequence may begin with what another one has computed.
  public let sharing: PrefixSharing

  public init(
    plan: PlanID, term: Term, members: [PeerID], stages: Int, positions: Int, batch: Int,
    sharing: PrefixSharing = .never
  ) {
    self.plan = plan
    self.term = term
    self.members = members
    self.stages = stages
    self.positions = positions
    self.batch = batch
    self.sharing = sharing
  }
}

/// The jobs of one lane. Each has a `GenerationSession`; a step takes one row of every stream that
/// waits for a token, then rows of prompts up to a budget, of the user first who was served least.
public struct BatchSession: Sendable {
  public enum Event: Sendable {
    /// A job comes; it begins when there is room for it.
    case joined(SeatID, GenerationSession, user: String)
    /// A job does not want to go on.
    case left(SeatID)
    case result(rank: Int, sequence: UInt32, [VocabularyVote], StepCost)
    /// The shell sampled from the votes that it was handed.
    case sampled(SeatID, UInt32, endsText: Bool)
  }

  public enum Effect: Sendable, Hashable {
    /// A job has its slot.
    case began(SeatID)
    /// So many positions of a job were there already: another sequence begins like it.
    case shared(SeatID, positions: Int)
    /// Choose a token of a job from these votes, sorted by row and block. `rows`: of the step that
    /// they come from, other jobs' included.
    case sample(SeatID, [VocabularyVote], cost: StepCost, rows: Int)
    case finished(SeatID, FinishReason)
    /// The lane cannot go on.
    case failed(JobFailure)
  }

  /// A step that not all ranks have answered.
  private struct Flight: Sendable {
    let sequence: UInt32
    let rows: Int
    let pieces: [(seat: SeatID, piece: BatchSeat.Piece)]
    /// The piece that each voted row is of, and the row before its first.
    let owners: [(piece: Int, first: Int)]
    var answers: [(votes: [VocabularyVote], cost: StepCost)?]

    /// A rank's votes for the rows of each piece, counted within it.
    func byPiece(_ votes: [VocabularyVote]) -> [[VocabularyVote]] {
      if pieces.count == 1 { return [votes] }
      var parts = [[VocabularyVote]](repeating: [], count: pieces.count)
      for vote in votes {
        let owner = owners[vote.row]
        parts[owner.piece].append(owner.first == 0 ? vote : vote.inRow(vote.row - owner.first))
      }
      return parts
    }
  }

  private struct Waiting: Sendable {
    let id: SeatID
    let session: GenerationSession
    let user: String
  }

  public let terms: LaneTerms
  private var sequence: UInt32 = 0
  private var seats: [SeatID: BatchSeat] = [:]
  /// In the order in which they came.
  private var waiting: [Waiting] = []
  /// Steps under way, oldest first; ranks answer in this order.
  private var flights: [Flight] = []
  /// Sequences that have ended and are kept for what may begin like them, the oldest use first.
  private var kept: [HeldSequence] = []
  /// Slots whose sequences have ended and whom the ranks have not been told of.
  private var closed: [Int] = []
  private var freeSlots = Array((0..<Limits.laneSlots).reversed())
  private var freePositions: Int
  private var budget = PromptBudget()
  /// Rows of prompts that users who are here were given.
  private var served: [String: Int] = [:]

  public init(_ terms: LaneTerms) {
    self.terms = terms
    freePositions = terms.positions
  }

  /// Jobs that have a slot, and that wait for one.
  public var counts: (running: Int, waiting: Int) { (seats.count, waiting.count) }
  /// Steps under way.
  public var underWay: Int { flights.count }
  /// Whether ranks hold sequences that the next job may begin with.
  public var keepsSequences: Bool { !kept.isEmpty }

  public mutating func handle(_ event: Event) -> [Effect] {
    switch event {
    case .joined(let id, let session, let user):
      waiting.append(Waiting(id: id, session: session, user: user))
      let least = served.values.min() ?? 0
      served[user] = served[user] ?? least
      return admit()
    case .left(let id):
      waiting.removeAll { $0.id == id }
      close(id)
      return admit()
    case .result(let rank, let sequence, let votes, let cost):
      return take(votes, of: rank, sequence: sequence, cost: cost)
    case .sampled(let id, let token, let endsText):
      let effects = seats[id]?.sampled(token, endsText: endsText) ?? []
      return perform(effects, of: id, rows: 0)
    }
  }

  /// The oldest step took so long from when the ranks can have begun with it.
  public mutating func note(rows: Int, took: Duration) { budget.note(rows: rows, took: took) }

  // MARK: Slots

  /// Gives slots to jobs that wait, while there is room for the one whose turn it is.
  private mutating func admit() -> [Effect] {
    var effects: [Effect] = []
    while let index = nextWaiting() {
      let next = waiting[index]
      makeRoom(for: next.session.order.context)
      guard let slot = freeSlots.last, next.session.order.context <= freePositions else { break }
      waiting.remove(at: index)
      freeSlots.removeLast()
      freePositions -= next.session.order.context
      seats[next.id] = BatchSeat(next.session, user: next.user, slot: slot)
      effects.append(.began(next.id))
    }
    return effects
  }

  /// Gives up sequences that are only kept, where that lets a job in.
  private mutating func makeRoom(for context: Int) {
    guard context <= kept.reduce(freePositions, { $0 + $1.context }) else { return }
    while !kept.isEmpty, freeSlots.isEmpty || context > freePositions {
      let oldest = kept.removeFirst()
      closed.append(oldest.slot)
      free(oldest.slot, context: oldest.context)
    }
  }

  private mutating func free(_ slot: Int, context: Int) {
    freeSlots.append(slot)
    freePositions += context
  }

  /// The first of the user who has the fewest slots.
  private func nextWaiting() -> Int? {
    let held = Dictionary(seats.values.map { ($0.user, 1) }, uniquingKeysWith: +)
    return waiting.indices.min {
      (held[waiting[$0].user] ?? 0, $0) < (held[waiting[$1].user] ?? 0, $1)
    }
  }

  private mutating func close(_ id: SeatID) {
    guard let seat = seats.removeValue(forKey: id) else { return }
    if let held = seat.remainder, terms.sharing != .never {
      kept.append(held)
    } else {
      if seat.lastSequence != nil { closed.append(seat.slot) }
      free(seat.slot, context: seat.session.order.context)
    }
    let users = Set(seats.values.map(\.user)).union(waiting.map(\.user))
    served = served.filter { users.contains($0.key) }
  }

  // MARK: Steps

  /// The next step for all ranks; nil: nothing is to be sent now.
  public mutating func nextStep() -> BatchStep? {
    guard flights.count < terms.stages else { return nil }
    var pieces = streams()
    let room = budget.rows(beside: pieces.count, batch: terms.batch)
    pieces += prompts(atMost: room)
    guard !pieces.isEmpty else { return nil }
    pieces.sort { $0.piece.span.slot < $1.piece.span.slot }
    let spans = pieces.map(\.piece.span)
    let step = BatchStep(
      term: terms.term, sequence: sequence, closed: closed.sorted(), spans: spans,
      tokens: pieces.flatMap(\.piece.tokens))
    closed = []
    var owners: [(piece: Int, first: Int)] = []
    for (index, span) in spans.enumerated() {
      let first = owners.count
      for _ in 0..<span.votedRows { owners.append((index, first)) }
    }
    flights.append(
      Flight(
        sequence: sequence, rows: step.tokens.count, pieces: pieces, owners: owners,
        answers: Array(repeating: nil, count: terms.members.count)))
    sequence += 1
    return step
  }

  /// One row of each stream that waits for a token. Where several steps are under way at once, each
  /// has its part of the streams: those that have waited longest.
  private mutating func streams() -> [(seat: SeatID, piece: BatchSeat.Piece)] {
    let ready = seats.filter { $0.value.wanted == 1 }
      .sorted { ($0.value.lastSequence ?? 0, $0.key) < ($1.value.lastSequence ?? 0, $1.key) }
      .map(\.key)
    let part = max(1, (seats.count + terms.stages - 1) / terms.stages)
    return ready.prefix(min(part, terms.batch)).compactMap { take($0, atMost: 1) }
  }

  /// Rows of prompts, of the user first who was served least.
  private mutating func prompts(
    atMost limit: Int
  ) -> [(seat: SeatID, piece: BatchSeat.Piece)] {
    var (room, pieces) = (limit, [(seat: SeatID, piece: BatchSeat.Piece)]())
    // The last row of one step of a prompt may be in this batch already: a sequence has one span.
    var reading = seats.filter { $0.value.wanted > 1 && $0.value.lastSequence != sequence }
    while room > 0 {
      let next = reading.min { left, right in
        (served[left.value.user] ?? 0, left.key) < (served[right.value.user] ?? 0, right.key)
      }
      guard let next else { break }
      reading[next.key] = nil
      guard let piece = take(next.key, atMost: room) else { continue }
      room -= piece.piece.span.count
      served[next.value.user, default: 0] += piece.piece.span.count
      pieces.append(piece)
    }
    return pieces
  }

  /// Nil where it waits for another one to read what it begins with.
  private mutating func take(
    _ id: SeatID, atMost limit: Int
  ) -> (seat: SeatID, piece: BatchSeat.Piece)? {
    guard seats[id]?.hasBegun ?? false || begin(id) else { return nil }
    return (seats[id]?.take(atMost: limit, in: sequence)).map { (id, $0) }
  }

  /// Begins a job behind what another sequence shares with it. False: it is to wait.
  private mutating func begin(_ id: SeatID) -> Bool {
    guard let seat = seats[id] else { return false }
    var prefix: SharedPrefix?
    if terms.sharing != .never, !seat.session.order.scoresPrompt {
      let held =
        kept
        + seats.values.filter(\.hasBegun).sorted { $0.slot < $1.slot }
        .map { $0.held(before: sequence) }
      let choice = PrefixChoice(
        seat.session.log, user: seat.user, context: seat.session.order.context, among: held,
        terms.sharing)
      guard case .begin(let best) = choice else { return false }
      prefix = best
    }
    if let used = kept.firstIndex(where: { $0.slot == prefix?.slot }) {
      kept.append(kept.remove(at: used))
    }
    seats[id]?.begin(sharing: prefix)
    return true
  }

  // MARK: Answers

  private mutating func take(
    _ votes: [VocabularyVote], of rank: Int, sequence theirs: UInt32, cost: StepCost
  ) -> [Effect] {
    guard let flight = flights.first, theirs == flight.sequence, flight.answers[rank] == nil else {
      return violation(of: rank, "sequence")
    }
    guard votes.allSatisfy({ flight.owners.indices.contains($0.row) }) else {
      return violation(of: rank, "votes")
    }
    flights[0].answers[rank] = (votes, cost)
    return flights[0].answers.contains { $0 == nil } ? [] : landed(flights.removeFirst())
  }

  private func violation(of rank: Int, _ field: String) -> [Effect] {
    [.failed(.protocolViolation(terms.members[rank], .invalid(field: field)))]
  }

  /// All ranks have answered a step: each job is told what is its own.
  private mutating func landed(_ flight: Flight) -> [Effect] {
    for (rank, answer) in flight.answers.enumerated() {
      guard let answer else { continue }
      let votes = flight.byPiece(answer.votes)
      for (index, part) in flight.pieces.enumerated() {
        let share = answer.cost.share(of: part.piece.span.count, in: flight.rows)
        seats[part.seat]?.hear(rank, votes[index], share)
      }
    }
    var effects: [Effect] = []
    for part in flight.pieces {
      if part.piece.span.source != nil {
        effects.append(.shared(part.seat, positions: part.piece.span.position))
      }
      guard let told = seats[part.seat]?.answered(part.piece) else { continue }
      effects += perform(told, of: part.seat, rows: flight.rows)
    }
    return effects
  }

  /// What a job's session wants of the shell.
  private mutating func perform(
    _ effects: [GenerationSession.Effect], of id: SeatID, rows: Int
  ) -> [Effect] {
    effects.flatMap { effect -> [Effect] in
      switch effect {
      case .send: return []
      case .sample(let votes, let cost): return [.sample(id, votes, cost: cost, rows: rows)]
      case .failed(let failure): return [.failed(failure)]
      case .finished(let reason):
        close(id)
        return [.finished(id, reason)] + admit()
      }
    }
  }
}
