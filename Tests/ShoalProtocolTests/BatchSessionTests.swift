// What a lane's entry puts into a step, and whose the answers are.

import ShoalProtocol
import Testing

@Suite struct BatchSessionTests {
  private static let plan = PlanID(SessionNames.bytes(9))
  private static let members = [PeerID(SessionNames.bytes(1)), PeerID(SessionNames.bytes(2))]

  private static func lane(
    positions: Int = 1_000, batch: Int = 64, stages: Int = 1, sharing: PrefixSharing = .never
  ) -> BatchSession {
    BatchSession(
      LaneTerms(
        plan: plan, term: Term(3), members: members, stages: stages, positions: positions,
        batch: batch, sharing: sharing))
  }

  /// One vocabulary block, which rank 1 votes for.
  private static func job(
    _ prompt: Int, answer: Int = 4, stages: Int = 1, batch: Int = 256
  ) -> GenerationSession {
    GenerationSession(
      order: GenerationOrder(
        prompt: (0..<prompt).map { UInt32($0) }, maximumTokens: answer, context: prompt + answer,
        batch: batch, candidates: 1),
      plan: plan, term: Term(7), members: members, vocabularyBlocks: 1, stages: stages)
  }

  private static func vote(_ row: Int) -> VocabularyVote {
    VocabularyVote(
      block: 0, row: row, maximum: Float(row), exponentials: 1, hash: .zero, candidates: [],
      slice: [])
  }

  /// Both ranks answer a step; every job that was asked chooses `token`. Returns who was asked.
  @discardableResult
  private static func answer(
    _ lane: inout BatchSession, _ step: BatchStep, choosing token: UInt32 = 5
  ) -> [SeatID] {
    let rows = step.spans.reduce(0) { $0 + $1.votedRows }
    #expect(lane.handle(.result(rank: 0, sequence: step.sequence, [], .zero)) == [])
    var asked: [SeatID] = []
    let votes = (0..<rows).map(vote)
    for effect in lane.handle(.result(rank: 1, sequence: step.sequence, votes, .zero)) {
      guard case .sample(let seat, let votes, _, let rows) = effect else { continue }
      #expect(votes.map(\.row) == [0])
      #expect(rows == step.tokens.count)
      asked.append(seat)
      _ = lane.handle(.sampled(seat, token, endsText: false))
    }
    return asked
  }

  private static func next(_ lane: inout BatchSession) throws -> BatchStep {
    let step = lane.nextStep()
    return try #require(step)
  }

  private static func join(
    _ lane: inout BatchSession, _ number: UInt64, _ job: GenerationSession, user: String = ""
  ) -> [BatchSession.Effect] {
    lane.handle(.joined(SeatID(number), job, user: user))
  }

  @Test func `streams have a row each, and a long prompt is read beside them in parts`() throws {
    var lane = Self.lane()
    for number in 1...3 as ClosedRange<UInt64> {
      #expect(Self.join(&lane, number, Self.job(2, answer: 90)) == [.began(SeatID(number))])
    }
    let first = try Self.next(&lane)
    #expect(first.spans.map(\.count) == [2, 2, 2])
    #expect(first.spans.map(\.slot) == [0, 1, 2])
    #expect(first.tokens == [0, 1, 0, 1, 0, 1])
    #expect(lane.nextStep() == nil, "one stage, one step")
    #expect(Self.answer(&lane, first).count == 3)
    _ = Self.join(&lane, 4, Self.job(100))
    var counts: [Int] = []
    while counts.reduce(0, +) < 100 {
      let step = try Self.next(&lane)
      #expect(step.spans.prefix(3).map(\.count) == [1, 1, 1])
      counts.append(step.spans[3].count)
      #expect(step.spans[3].votedRows == (counts.reduce(0, +) == 100 ? 1 : 0))
      lane.note(rows: step.tokens.count, took: .milliseconds(step.tokens.count * 5))
      Self.answer(&lane, step)
    }
    // 32 rows before anything is known; 100 ms are 20 rows of 5 ms, three of them streams.
    #expect(counts == [32, 17, 17, 17, 17])
    let last = try Self.next(&lane)
    #expect(last.spans.map(\.count) == [1, 1, 1, 1])
  }

  /// Prompts whose own steps are short, in lanes of several stages, where the budget of a step changes
  /// with what the last ones took: a rank takes whatever the entry makes of that.
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `a rank accepts every step of a lane, however its rows fall`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let stages = Int.random(in: 1...3, using: &random)
    let batch = Int.random(in: 3...24, using: &random)
    var lane = Self.lane(batch: batch, stages: stages)
    for number in 1...6 as ClosedRange<UInt64> {
      _ = Self.join(
        &lane, number,
        Self.job(
          Int.random(in: 1...40, using: &random), answer: Int.random(in: 1...9, using: &random),
          stages: stages, batch: Int.random(in: 1...9, using: &random)))
    }
    var rank = RankSession(
      job: JobID(.zero), plan: Self.plan, term: Term(3), positions: 1_000, batch: batch)
    var flights: [BatchStep] = []
    var count = 0
    while true {
      while let step = lane.nextStep() {
        try rank.accept(step, vocabulary: 300, from: Self.members[0])
        flights.append(step)
      }
      guard !flights.isEmpty else { break }
      let step = flights.removeFirst()
      lane.note(
        rows: step.tokens.count,
        took: .milliseconds(step.tokens.count * Int.random(in: 1...20, using: &random)))
      Self.answer(&lane, step)
      count += 1
    }
    #expect(lane.counts.running + lane.counts.waiting == 0)
    #expect(count > 9)
  }

  @Test func `where nobody streams a prompt fills the step`() throws {
    var lane = Self.lane()
    _ = Self.join(&lane, 1, Self.job(150))
    for (count, position) in [(64, 0), (64, 64), (22, 128)] {
      let step = try Self.next(&lane)
      #expect(step.spans.map(\.count) == [count])
      #expect(step.spans.map(\.position) == [position])
      lane.note(rows: count, took: .seconds(9))
      Self.answer(&lane, step)
    }
  }

  @Test func `prompts are read for the user first who was served least`() throws {
    var lane = Self.lane(batch: 10)
    for number in 1...3 as ClosedRange<UInt64> {
      _ = Self.join(&lane, number, Self.job(10), user: "many")
    }
    _ = Self.join(&lane, 4, Self.job(10), user: "one")
    var slots: [Int] = []
    for _ in 0..<3 {
      let step = try Self.next(&lane)
      slots.append(try #require(step.spans.first { $0.count > 1 }).slot)
      Self.answer(&lane, step)
    }
    #expect(slots[0] == 0)
    #expect(slots[1] == 3, "the second user's only prompt comes second")
  }

  @Test func `a job without room waits, the user with the fewest first`() throws {
    var lane = Self.lane(positions: 30)
    for number in 1...3 as ClosedRange<UInt64> {
      _ = Self.join(&lane, number, Self.job(6), user: "many")
    }
    #expect(Self.join(&lane, 4, Self.job(6), user: "many") == [])
    #expect(Self.join(&lane, 5, Self.job(6), user: "one") == [])
    #expect(lane.counts == (3, 2))
    #expect(lane.handle(.left(SeatID(2))) == [.began(SeatID(5))])
    #expect(lane.handle(.left(SeatID(1))) == [.began(SeatID(4))])
    #expect(lane.handle(.left(SeatID(9))) == [])
    let step = try Self.next(&lane)
    // Nothing of those that left was sent: their slots need no closing.
    #expect(step.closed == [])
    #expect(step.spans.map(\.slot) == [0, 1, 2])
  }

  @Test func `who leaves in a step is not asked, and ranks are told with the next`() throws {
    var lane = Self.lane()
    for number in 1...2 as ClosedRange<UInt64> { _ = Self.join(&lane, number, Self.job(2)) }
    let step = try Self.next(&lane)
    #expect(lane.handle(.left(SeatID(1))) == [])
    _ = Self.join(&lane, 3, Self.job(3))
    #expect(Self.answer(&lane, step) == [SeatID(2)])
    let next = try Self.next(&lane)
    #expect(next.closed == [0])
    #expect(next.spans.map(\.slot) == [0, 1])
    #expect(next.spans.map(\.position) == [0, 2])
    #expect(Self.answer(&lane, next) == [SeatID(3), SeatID(2)])
  }

  @Test func `a job that has its tokens is finished and its slot is free`() throws {
    var lane = Self.lane()
    _ = Self.join(&lane, 1, Self.job(2, answer: 1))
    let step = try Self.next(&lane)
    _ = lane.handle(.result(rank: 0, sequence: 0, [], .zero))
    let effects = lane.handle(.result(rank: 1, sequence: 0, [Self.vote(0)], .zero))
    #expect(effects == [.sample(SeatID(1), [Self.vote(0)], cost: .zero, rows: 2)])
    #expect(
      lane.handle(.sampled(SeatID(1), 7, endsText: false)) == [.finished(SeatID(1), .length)])
    #expect(lane.counts.running + lane.counts.waiting == 0)
    #expect(lane.nextStep() == nil)
    #expect(step.closed == [])
  }

  @Test func `two stages have a step each, with half of the streams`() throws {
    var lane = Self.lane(stages: 2)
    for number in 1...4 as ClosedRange<UInt64> {
      _ = Self.join(&lane, number, Self.job(1, answer: 9, stages: 2))
    }
    let first = try Self.next(&lane)
    let second = try Self.next(&lane)
    #expect(lane.nextStep() == nil)
    #expect(first.spans.map(\.slot) == [0, 1])
    #expect(second.spans.map(\.slot) == [2, 3])
    #expect(Self.answer(&lane, first) == [SeatID(1), SeatID(2)])
    let third = try Self.next(&lane)
    #expect(third.spans.map(\.slot) == [0, 1])
  }

  @Test func `an answer out of order, twice, or of rows that nobody asked for ends the lane`() {
    let violation = { (rank: Int, field: String) in
      [BatchSession.Effect.failed(.protocolViolation(Self.members[rank], .invalid(field: field)))]
    }
    for (event, effects) in [
      (.result(rank: 0, sequence: 1, [], .zero), violation(0, "sequence")),
      (.result(rank: 1, sequence: 0, [Self.vote(1)], .zero), violation(1, "votes")),
      (.result(rank: 1, sequence: 0, [Self.vote(-1)], .zero), violation(1, "votes")),
    ] as [(BatchSession.Event, [BatchSession.Effect])] {
      var lane = Self.lane()
      #expect(lane.handle(event) == violation(event.rank, "sequence"), "nothing is under way")
      _ = Self.join(&lane, 1, Self.job(2))
      _ = lane.nextStep()
      #expect(lane.handle(event) == effects)
    }
    var twice = Self.lane()
    _ = Self.join(&twice, 1, Self.job(2))
    _ = twice.nextStep()
    #expect(twice.handle(.result(rank: 0, sequence: 0, [], .zero)) == [])
    #expect(
      twice.handle(.result(rank: 0, sequence: 0, [], .zero)) == violation(0, "sequence"))
    // No vote where one was due: the job's own session finds out.
    #expect(
      twice.handle(.result(rank: 1, sequence: 0, [], .zero)) == violation(1, "votes"))
  }

  @Test func `a prompt that begins like one being read waits, and is computed from there on`()
    throws
  {
    var lane = Self.lane(batch: 100, sharing: .always)
    for number in 1...2 as ClosedRange<UInt64> { _ = Self.join(&lane, number, Self.job(40)) }
    _ = Self.join(&lane, 3, Self.job(40), user: "another")
    let first = try Self.next(&lane)
    // There is room for twenty more rows. What another user asked is nothing to begin with.
    #expect(first.spans.map(\.slot) == [0, 2])
    #expect(first.spans.map(\.count) == [40, 40])
    #expect(Self.answer(&lane, first) == [SeatID(1), SeatID(3)])
    let second = try Self.next(&lane)
    #expect(second.spans.map(\.slot) == [0, 1, 2])
    #expect(second.spans.map(\.position) == [40, 39, 40])
    #expect(second.spans.map(\.source) == [nil, 0, nil])
    #expect(second.spans.map(\.count) == [1, 1, 1])
  }

  @Test func `a job whose example leaves goes on with what that one read`() throws {
    var lane = Self.lane(batch: 30, sharing: .always)
    for number in 1...2 as ClosedRange<UInt64> { _ = Self.join(&lane, number, Self.job(80)) }
    let first = try Self.next(&lane)
    #expect(first.spans.map(\.slot) == [0])
    Self.answer(&lane, first)
    #expect(lane.handle(.left(SeatID(1))) == [])
    let second = try Self.next(&lane)
    #expect(second.closed == [])
    #expect(second.spans.map(\.source) == [0])
    #expect(second.spans.map(\.position) == [30])
    Self.answer(&lane, second)
    #expect(try Self.next(&lane).spans.map(\.position) == [60])
  }

  @Test func `what has ended is kept until its room is needed, the oldest use first`() throws {
    var lane = Self.lane(positions: 130, sharing: .always)
    for number in 1...2 as ClosedRange<UInt64> {
      _ = Self.join(&lane, number, Self.job(40), user: "\(number)")
      Self.answer(&lane, try Self.next(&lane))
      #expect(lane.handle(.left(SeatID(number))) == [])
    }
    // It begins like the first, which so is not the oldest any more.
    #expect(Self.join(&lane, 3, Self.job(30), user: "1") == [.began(SeatID(3))])
    let third = try Self.next(&lane)
    #expect(third.closed == [])
    #expect(third.spans.map(\.source) == [0])
    #expect(third.spans.map(\.position) == [29])
    Self.answer(&lane, third)
    #expect(Self.join(&lane, 4, Self.job(40), user: "3") == [.began(SeatID(4))])
    let fourth = try Self.next(&lane)
    #expect(fourth.closed == [1])
    #expect(fourth.spans.map(\.source) == [nil, nil])
    #expect(lane.counts == (2, 0))
    // What does not fit in any case costs nobody anything.
    #expect(Self.join(&lane, 5, Self.job(140), user: "3") == [])
    Self.answer(&lane, fourth)
    #expect(try Self.next(&lane).closed == [])
  }
}

extension BatchSession.Event {
  fileprivate var rank: Int {
    if case .result(let rank, _, _, _) = self { rank } else { 0 }
  }
}
