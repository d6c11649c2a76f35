// The entry's loop over the ranks of one term, on a thread of its own: sends steps, gathers votes,
// lets somebody decide on tokens, and finds out who is gone.

public import ShoalProtocol

/// The jobs of a lane as its thread sees them. Called on that thread alone.
package protocol LaneJobs {
  /// Who came and who left since the last call.
  mutating func news() -> [BatchSession.Event]
  mutating func began(_ seat: SeatID)
  /// So many of its positions were there already.
  mutating func shared(_ seat: SeatID, positions: Int)
  /// Decides on a token. Where that throws, the job has ended.
  mutating func choose(
    _ seat: SeatID, _ votes: [VocabularyVote], _ cost: StepCost, rows: Int
  ) -> GenerationRunner.Choice?
  mutating func finished(_ seat: SeatID, _ reason: FinishReason)
  /// Blocks until there is news, until nobody is expected any more, or until `deadline`.
  mutating func rest(until deadline: Moment)
  /// Nothing is left to do. False: somebody has come meanwhile.
  mutating func close() -> Bool
}

/// Drives ranks that are connected. What is decided lies in `BatchSession`; how a token is chosen
/// lies in the caller.
public struct GenerationRunner: Sendable {
  /// What the caller makes of one step's votes.
  public struct Choice {
    public let token: UInt32
    public let endsText: Bool
    public init(token: UInt32, endsText: Bool) {
      self.token = token
      self.endsText = endsText
    }
  }

  let links: [any FrameLink]
  private let entry: PeerID
  let patience: StepPatience
  let clock: any MeshClock
  /// Counts what ranks are paid for; nil: nobody is.
  var bill: TermBill?

  /// - Parameters:
  ///   - links: to every rank, in the plan's order.
  ///   - entry: this peer, which may be a rank as well.
  public init(
    links: [any FrameLink], entry: PeerID, patience: StepPatience, clock: any MeshClock
  ) {
    self.links = links
    self.entry = entry
    self.patience = patience
    self.clock = clock
  }

  init(
    links: [any FrameLink], entry: PeerID, patience: StepPatience, clock: any MeshClock,
    bill: TermBill?
  ) {
    self.init(links: links, entry: entry, patience: patience, clock: clock)
    self.bill = bill
  }

  /// Runs one job, whose ranks have all answered PREPARE, to its end.
  ///
  /// - Parameter choose: called with the votes of each sampled position, sorted by row and block.
  /// - Throws: `TermEnd`, and what `choose` throws. The ranks are told either way.
  public func run(
    _ job: GenerationSession, batch: Int,
    choose: ([VocabularyVote], StepCost) throws -> Choice
  ) throws -> FinishReason {
    try withoutActuallyEscaping(choose) { choose in
      var batch = BatchSession(
        LaneTerms(
          plan: job.plan, term: job.term, members: job.members, stages: job.stages,
          positions: job.order.context, batch: batch))
      var jobs = LoneJob(job, choose: choose)
      try run(&batch, &jobs)
      return try jobs.outcome()
    }
  }

  /// Runs a lane until no job is left in it and none has come while it rested.
  ///
  /// - Throws: `TermEnd`; `TermMoved` where ranks went while the lane rested. The ranks are told
  ///   either way.
  package func run(_ session: inout BatchSession, _ jobs: inout some LaneJobs) throws {
    defer { for link in links { try? link.send(.finish) } }
    var patience = patience
    var flights = Flights()
    var hasRested = false
    while true {
      do {
        for event in jobs.news() { try perform(session.handle(event), &session, &jobs) }
        try sendSteps(&flights, &session)
        if session.underWay > 0 {
          try gather(&flights, &session, &jobs, &patience)
          hasRested = false
          continue
        }
      } catch is TermEnd where hasRested {
        // A rank may have ended the lane as it was woken, which says nothing of its peer.
        throw TermMoved()
      }
      if !hasRested, session.keepsSequences, bill == nil {
        try rest(&jobs)
        hasRested = true
      } else if jobs.close() {
        return
      }
    }
  }

  private func sendSteps(_ flights: inout Flights, _ session: inout BatchSession) throws {
    while let step = session.nextStep() {
      bill?.asked(.batch(step))
      try send(step)
      flights.append(step, at: clock.now())
    }
  }

  /// Keeps what ranks have computed for a job that may come. They may end the lane meanwhile.
  private func rest(_ jobs: inout some LaneJobs) throws {
    do {
      for link in links { try link.send(.rest) }
      jobs.rest(until: clock.now() + Limits.laneRest)
    } catch {
      throw TermMoved()
    }
    for rank in links.indices {
      guard case .word(.silent) = hear(rank, deadline: clock.now()) else { throw TermMoved() }
    }
  }

  /// Performs what a session decides, and what follows from that.
  private func perform(
    _ effects: [BatchSession.Effect], _ session: inout BatchSession, _ jobs: inout some LaneJobs
  ) throws {
    var effects = effects[...]
    while let effect = effects.popFirst() {
      switch effect {
      case .began(let seat): jobs.began(seat)
      case .shared(let seat, let positions): jobs.shared(seat, positions: positions)
      case .sample(let seat, let votes, let cost, let rows):
        if let choice = jobs.choose(seat, votes, cost, rows: rows) {
          effects += session.handle(.sampled(seat, choice.token, endsText: choice.endsText))
        } else {
          effects += session.handle(.left(seat))
        }
      case .finished(let seat, let reason): jobs.finished(seat, reason)
      case .failed(let failure):
        throw TermEnd(failure, blamed: failure.lostPeer.map { [$0] } ?? [])
      }
    }
  }

  /// Steps that were sent and not answered by all.
  private struct Flights {
    private var waiting: [(rows: Int, sent: Moment)] = []
    private var free: Moment?

    mutating func append(_ step: BatchStep, at now: Moment) {
      waiting.append((step.tokens.count, now))
    }

    /// The oldest, and when the ranks can have begun with it.
    var first: (rows: Int, start: Moment) {
      precondition(!waiting.isEmpty, "a session that has steps under way and sent none")
      return (waiting[0].rows, max(waiting[0].sent, free ?? waiting[0].sent))
    }

    mutating func removeFirst(at now: Moment) {
      waiting.removeFirst()
      free = now
    }
  }

  private func send(_ step: BatchStep) throws {
    let bytes = JobMessage.step(step).bytes
    for (rank, link) in links.enumerated() {
      do { try link.send(.job, bytes) } catch { throw end(rank, lastWord(of: rank)) }
    }
  }

  /// All answers to the oldest step.
  private func gather(
    _ flights: inout Flights, _ session: inout BatchSession, _ jobs: inout some LaneJobs,
    _ patience: inout StepPatience
  ) throws {
    let (rows, start) = flights.first
    let deadline = start + patience.forStep(tokens: rows)
    var effects: [BatchSession.Effect] = []
    for rank in links.indices {
      switch hear(rank, deadline: deadline) {
      case .result(let sequence, let votes, let cost):
        bill?.answered(rank, votes.lazy.map(\.hash))
        effects += session.handle(.result(rank: rank, sequence: sequence, votes, cost))
      case .vectors:
        throw end(
          rank, .failed(.protocolViolation(links[rank].peer, .invalid(field: "answer to a step"))))
      case .word(let word): throw end(rank, word)
      }
    }
    let now = clock.now()
    flights.removeFirst(at: now)
    patience.note(tokens: rows, took: now - start)
    session.note(rows: rows, took: now - start)
    try bill?.check()
    try perform(effects, &session, &jobs)
  }

  // MARK: What a rank says

  enum Heard {
    case result(UInt32, [VocabularyVote], StepCost)
    case vectors(UInt32, [TextVector], StepCost)
    case word(RankWord)
  }

  func hear(_ rank: Int, deadline: Moment) -> Heard {
    let link = links[rank]
    let start = clock.now()
    do {
      switch try link.receiveJob(deadline: deadline) {
      case .result(let sequence, let votes, let cost): return .result(sequence, votes, cost)
      case .failed(let failure): return .word(.failed(failure))
      case .embedded(let sequence, let vectors, let cost):
        return .vectors(sequence, vectors, cost)
      case .prepare, .connect, .step, .finish, .rest, .fetching, .ready, .embed:
        return .word(.failed(.protocolViolation(link.peer, .invalid(field: "job message"))))
      }
    } catch let error as WireError {
      return .word(.failed(.protocolViolation(link.peer, error)))
    } catch FrameLinkError.link(.timedOut) {
      return .word(.silent(milliseconds: Int((clock.now() - start).nanoseconds / 1_000_000)))
    } catch {
      return .word(.closed)
    }
  }

  /// What a rank said before it went is worth more than that it went.
  func lastWord(of rank: Int) -> RankWord {
    if case .word(.failed(let failure)) = hear(rank, deadline: clock.now()) {
      return .failed(failure)
    }
    return .closed
  }

  /// Whom the first word accuses has that long to show that it lives; the others less, together
  /// no more than twice as long.
  private static let grace = Duration.milliseconds(30)

  /// Asks the others, after `rank` had the first word, and judges. The links serve no further.
  func end(_ rank: Int, _ word: RankWord) -> TermEnd {
    var words = [RankWord](repeating: .unasked, count: links.count)
    words[rank] = word
    askAccused(&words)
    let limit = clock.now() + Self.grace
    for other in links.indices where words[other] == .unasked {
      words[other] = ask(other, until: min(limit, clock.now() + .milliseconds(2)))
      // Silence for so short a time says nothing of whom nobody accused.
      if case .silent = words[other] { words[other] = .unasked }
    }
    // Whoever gives up says so before its neighbours see its links end: one that a later word
    // accuses may have spoken since it was asked.
    askAccused(&words)
    return TermEnd(words: words, members: links.map(\.peer), entry: entry)
  }

  /// Gives everybody whom words accuse `grace` to show that it lives.
  private func askAccused(_ words: inout [RankWord]) {
    while let next = words.lazy.compactMap(accused(by:)).first(where: { words[$0] == .unasked }) {
      words[next] = ask(next, until: clock.now() + Self.grace)
    }
  }

  private func accused(by word: RankWord) -> Int? {
    guard case .failed(let failure) = word, let peer = failure.lostPeer else { return nil }
    return links.firstIndex { $0.peer == peer }
  }

  private func ask(_ rank: Int, until deadline: Moment) -> RankWord {
    switch hear(rank, deadline: deadline) {
    case .result, .vectors: .answered
    case .word(let word): word
    }
  }
}

extension JobFailure {
  /// The peer that a failure says is gone.
  var lostPeer: PeerID? {
    switch self {
    case .peerLost(let peer), .deadline(let peer, _): peer
    case _: nil
    }
  }
}
