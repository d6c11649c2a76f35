// The entry's session of one job as a story: every event with the exact list of its effects.

import ShoalProtocol
import Testing

@Suite struct GenerationSessionTests {
  typealias Event = GenerationSession.Event
  typealias Effect = GenerationSession.Effect

  private static let plan = PlanID(SessionNames.bytes(9))
  private static let members = [PeerID(SessionNames.bytes(1)), PeerID(SessionNames.bytes(2))]

  /// Two ranks with one vocabulary block each.
  private static func session(
    prompt: [UInt32] = [5, 6, 7], maximum: Int = 2, context: Int = 16, batch: Int = 2,
    scoresPrompt: Bool = false
  ) -> GenerationSession {
    GenerationSession(
      order: GenerationOrder(
        prompt: prompt, maximumTokens: maximum, context: context, batch: batch,
        scoresPrompt: scoresPrompt, candidates: 4),
      plan: plan, term: Term(3), members: members, vocabularyBlocks: 2)
  }

  private static func step(
    _ sequence: UInt32, at position: Int, _ tokens: [UInt32], _ logits: LogitsWanted
  ) -> Effect {
    .send(
      Step(
        term: Term(3), sequence: sequence, position: position, tokens: tokens, logits: logits,
        slices: false, candidates: 4))
  }

  private static func vote(_ block: Int, row: Int = 0) -> VocabularyVote {
    VocabularyVote(
      block: block, row: row, maximum: 1, exponentials: 1, hash: SessionNames.bytes(UInt8(block)),
      candidates: [], slice: [])
  }

  private static func cost(_ compute: UInt64) -> StepCost {
    StepCost(compute: compute, wait: 1, exchange: 2, bytesSent: 3)
  }

  /// The answer of a rank, with the votes of its own block for `rows` positions.
  private static func result(
    _ rank: Int, _ sequence: UInt32, rows: Int, compute: UInt64 = 0
  ) -> Event {
    .result(
      rank: rank, sequence: sequence, (0..<rows).map { vote(rank, row: $0) }, cost(compute))
  }

  private static func violation(_ rank: Int, _ field: String) -> Effect {
    .failed(.protocolViolation(members[rank], .invalid(field: field)))
  }

  /// Feeds events in and expects exactly these effects of each.
  private static func tell(
    _ session: inout GenerationSession, _ story: [(Event, [Effect])]
  ) {
    for (number, (event, effects)) in story.enumerated() {
      #expect(session.handle(event) == effects, "event \(number)")
    }
  }

  private static let prepared: [(Event, [Effect])] = [
    (.ready(rank: 1, plan), []),
    (.ready(rank: 0, plan), [step(0, at: 0, [5, 6], .none)]),
  ]

  @Test func `a prompt goes out in batches, then token by token up to the limit`() {
    var session = Self.session()
    Self.tell(
      &session,
      Self.prepared + [
        (Self.result(0, 0, rows: 0), []),
        (Self.result(1, 0, rows: 0), [Self.step(1, at: 2, [7], .last)]),
        (Self.result(1, 1, rows: 1, compute: 20), []),
        // Votes are sorted by block; the cost is that of the slowest rank.
        (
          Self.result(0, 1, rows: 1, compute: 10),
          [.sample([Self.vote(0), Self.vote(1)], cost: Self.cost(20))]
        ),
        (.sampled(40, endsText: false), [Self.step(2, at: 3, [40], .last)]),
        (Self.result(0, 2, rows: 1), []),
        (
          Self.result(1, 2, rows: 1),
          [.sample([Self.vote(0), Self.vote(1)], cost: Self.cost(0))]
        ),
        (.sampled(41, endsText: false), [.finished(.length)]),
        (.cancelled, []),
      ])
    #expect(session.log == [5, 6, 7, 40, 41])
    #expect(Array(session.generated) == [40, 41])
  }

  private static func sampling(_ session: inout GenerationSession) {
    tell(
      &session,
      [
        (.ready(rank: 0, plan), []),
        (.ready(rank: 1, plan), [step(0, at: 0, [5], .last)]),
        (result(0, 0, rows: 1), []),
        (result(1, 0, rows: 1), [.sample([vote(0), vote(1)], cost: cost(0))]),
      ])
  }

  @Test func `the end of a text, of the context and of nothing at all`() {
    var stopped = Self.session(prompt: [5])
    Self.sampling(&stopped)
    Self.tell(&stopped, [(.sampled(2, endsText: true), [.finished(.stop)])])
    #expect(Array(stopped.generated) == [2])
    var full = Self.session(prompt: [5], maximum: 9, context: 2)
    Self.sampling(&full)
    Self.tell(&full, [(.sampled(8, endsText: false), [.finished(.length)])])
    var none = Self.session(prompt: [5], maximum: 0)
    Self.sampling(&none)
    Self.tell(&none, [(.sampled(8, endsText: false), [.finished(.length)])])
    #expect(none.generated.isEmpty)
  }

  @Test func `a scored prompt has votes for every position and adds nothing to the text`() {
    var session = Self.session(maximum: 0, scoresPrompt: true)
    Self.tell(
      &session,
      [
        (.ready(rank: 0, Self.plan), []),
        (.ready(rank: 1, Self.plan), [Self.step(0, at: 0, [5, 6], .all)]),
        (Self.result(0, 0, rows: 2), []),
        (
          Self.result(1, 0, rows: 2),
          [
            .sample(
              [Self.vote(0), Self.vote(1), Self.vote(0, row: 1), Self.vote(1, row: 1)],
              cost: Self.cost(0))
          ]
        ),
        (.sampled(99, endsText: true), [Self.step(1, at: 2, [7], .all)]),
        (Self.result(0, 1, rows: 1), []),
        (
          Self.result(1, 1, rows: 1),
          [.sample([Self.vote(0), Self.vote(1)], cost: Self.cost(0))]
        ),
        (.sampled(99, endsText: false), [.finished(.length)]),
      ])
    #expect(session.log == [5, 6, 7])
  }

  @Test func `with two stages two steps are under way, and answered in their order`() {
    var session = GenerationSession(
      order: GenerationOrder(
        prompt: [5, 6, 7, 8, 9], maximumTokens: 2, context: 16, batch: 2, candidates: 4),
      plan: Self.plan, term: Term(3), members: Self.members, vocabularyBlocks: 2, stages: 2)
    Self.tell(
      &session,
      [
        (.ready(rank: 0, Self.plan), []),
        (
          .ready(rank: 1, Self.plan),
          [Self.step(0, at: 0, [5, 6], .none), Self.step(1, at: 2, [7, 8], .none)]
        ),
        (Self.result(0, 0, rows: 0), []),
        (Self.result(1, 0, rows: 0), [Self.step(2, at: 4, [9], .last)]),
        (Self.result(0, 1, rows: 0), []),
        (Self.result(1, 1, rows: 0), []),
        (Self.result(0, 2, rows: 1), []),
        (
          Self.result(1, 2, rows: 1),
          [.sample([Self.vote(0), Self.vote(1)], cost: Self.cost(0))]
        ),
        // The next token is not known before this one: one step at a time.
        (.sampled(40, endsText: false), [Self.step(3, at: 5, [40], .last)]),
      ])
    var early = GenerationSession(
      order: GenerationOrder(
        prompt: [5, 6, 7, 8], maximumTokens: 2, context: 16, batch: 2, candidates: 4),
      plan: Self.plan, term: Term(3), members: Self.members, vocabularyBlocks: 2, stages: 2)
    _ = early.handle(.ready(rank: 0, Self.plan))
    _ = early.handle(.ready(rank: 1, Self.plan))
    Self.tell(&early, [(Self.result(0, 1, rows: 1), [Self.violation(0, "sequence")])])
  }

  /// One event that ends a job whose first step is under way.
  private static let ends: [(Event, Effect)] = [
    (.cancelled, .failed(.cancelled)),
    (.failed(.peerLost(members[1])), .failed(.peerLost(members[1]))),
    (result(0, 1, rows: 0), violation(0, "sequence")),
    (.ready(rank: 1, plan), violation(1, "order of messages")),
  ]

  @Test(arguments: 0..<4) func `a step that goes wrong ends the job once`(_ index: Int) {
    var session = Self.session()
    let (event, effect) = Self.ends[index]
    Self.tell(&session, Self.prepared + [(event, [effect]), (event, []), (.cancelled, [])])
  }

  @Test func `another plan, a second answer and an early result end the job`() {
    var differs = Self.session()
    let other = PlanID(SessionNames.bytes(8))
    Self.tell(
      &differs,
      [(.ready(rank: 0, other), [.failed(.planDiffers(mine: Self.plan, yours: other))])])
    var twice = Self.session()
    Self.tell(
      &twice,
      Self.prepared + [
        (Self.result(0, 0, rows: 0), []),
        (Self.result(0, 0, rows: 0), [Self.violation(0, "sequence")]),
      ])
    var early = Self.session()
    Self.tell(&early, [(Self.result(1, 0, rows: 1), [Self.violation(1, "order of messages")])])
  }

  /// Votes of rank 1 after rank 0 voted for the one row of block 0.
  @Test(
    arguments: [
      [], [(0, 0)], [(1, 1)], [(1, 0), (1, 0)], [(1, 0), (1, 1)], [(2, 0)],
    ] as [[(Int, Int)]])
  func `votes that are missing, doubled or of nobody's block are refused`(_ votes: [(Int, Int)]) {
    var session = Self.session(prompt: [5])
    Self.tell(
      &session,
      [
        (.ready(rank: 0, Self.plan), []),
        (.ready(rank: 1, Self.plan), [Self.step(0, at: 0, [5], .last)]),
        (Self.result(0, 0, rows: 1), []),
        (
          .result(
            rank: 1, sequence: 0, votes.map { Self.vote($0.0, row: $0.1) }, Self.cost(0)),
          [Self.violation(1, "votes")]
        ),
      ])
  }

  @Test func `votes that nobody asked for, and a row too few of a scored prompt, are refused`() {
    var unasked = Self.session()
    Self.tell(
      &unasked,
      Self.prepared + [
        (Self.result(0, 0, rows: 1), []),
        (Self.result(1, 0, rows: 1), [Self.violation(1, "votes")]),
      ])
    var short = Self.session(maximum: 0, scoresPrompt: true)
    Self.tell(
      &short,
      [
        (.ready(rank: 0, Self.plan), []),
        (.ready(rank: 1, Self.plan), [Self.step(0, at: 0, [5, 6], .all)]),
        (Self.result(0, 0, rows: 1), []),
        (Self.result(1, 0, rows: 1), [Self.violation(1, "votes")]),
      ])
  }
}

/// Ids that a person can tell apart.
enum SessionNames {
  static func bytes(_ number: UInt8) -> Bytes32 {
    Bytes32([UInt8](repeating: number, count: 32)) ?? .zero
  }
}
