// The life of a job over its terms: what follows a death, a refusal, a view that differs.

import ShoalProtocol
import Testing

@Suite struct GenerationJobTests {
  typealias Event = GenerationJob.Event
  typealias Effect = GenerationJob.Effect
  private static func peer(_ number: Int) -> PeerID { PeerID(SessionNames.bytes(UInt8(number))) }
  private static func at(_ milliseconds: Int) -> Moment {
    Moment(nanoseconds: Int64(milliseconds) * 1_000_000)
  }
  private static func lost(_ numbers: Int...) -> Event {
    .ended(TermEnd(.peerLost(peer(numbers[0])), blamed: numbers.map(peer)))
  }
  private static func attempt(_ term: UInt32, _ numbers: Int...) -> Effect {
    .attempt(Term(term), excluding: numbers.map(peer))
  }
  private static let busy = JobFailure.busy(running: 4, limit: 4)

  /// Events at milliseconds, with the exact effects of each.
  private static func tell(_ job: inout GenerationJob, _ story: [(Int, Event, [Effect])]) {
    for (number, (moment, event, effects)) in story.enumerated() {
      #expect(job.handle(event, at: at(moment)) == effects, "event \(number)")
    }
  }

  @Test func `a death is followed at once by the next term without the dead`() {
    var job = GenerationJob()
    Self.tell(
      &job,
      [
        (0, .begin(suspected: [Self.peer(9)]), [Self.attempt(1, 9)]),
        (5, .sampled, []),
        (6, Self.lost(2), [.suspect(Self.peer(2)), Self.attempt(2, 2, 9)]),
        // While preparing, and two at once during the replay.
        (7, Self.lost(3), [.suspect(Self.peer(3)), Self.attempt(3, 2, 3, 9)]),
        (
          8, Self.lost(4, 5),
          [.suspect(Self.peer(4)), .suspect(Self.peer(5)), Self.attempt(4, 2, 3, 4, 5, 9)]
        ),
        (9, .sampled, []),
        // Later the first ones are asked again.
        (10_006, Self.lost(6), [.suspect(Self.peer(6)), Self.attempt(5, 3, 4, 5, 6)]),
      ])
  }

  @Test func `a move to a better plan is a term without blame, however often`() {
    var job = GenerationJob()
    Self.tell(&job, [(0, .begin(suspected: []), [Self.attempt(1)]), (1, .sampled, [])])
    for term in UInt32(2)...40 {
      Self.tell(&job, [(Int(term), .moved, [Self.attempt(term)])])
    }
    Self.tell(&job, [(50, Self.lost(1), [.suspect(Self.peer(1)), Self.attempt(41, 1)])])
  }

  @Test func `a refusal leaves its speaker out and suspects nobody`() {
    var job = GenerationJob()
    Self.tell(
      &job,
      [
        (0, .begin(suspected: []), [Self.attempt(1)]),
        (1, .ended(TermEnd(Self.busy, blamed: [Self.peer(1)])), [Self.attempt(2, 1)]),
        // Nobody else can: after a moment it is asked once more, then its answer stands.
        (2, .unplannable, [.wait(until: Self.at(82))]),
        (82, .waited, [Self.attempt(3)]),
        (83, .ended(TermEnd(Self.busy, blamed: [Self.peer(1)])), [Self.attempt(4, 1)]),
        (84, .unplannable, [.failed(Self.busy)]),
        (85, .waited, []),
      ])
  }

  @Test func `with nobody left the slow get one more chance, then the planner's reason stands`() {
    var job = GenerationJob()
    Self.tell(
      &job,
      [
        (0, .begin(suspected: []), [Self.attempt(1)]),
        (1, Self.lost(1), [.suspect(Self.peer(1)), Self.attempt(2, 1)]),
        (2, .unplannable, [.wait(until: Self.at(82))]),
        (82, .waited, [Self.attempt(3)]),
        (83, Self.lost(1), [.suspect(Self.peer(1)), Self.attempt(4, 1)]),
        (84, .unplannable, [.unplannable]),
        (85, Self.lost(1), []),
      ])
  }

  @Test func `views that differ are waited for, ever longer, and not for ever`() {
    var job = GenerationJob()
    var effects = job.handle(.begin(suspected: []), at: Self.at(0))
    let differs = JobFailure.recordRefused(Self.peer(2))
    var waits: [Int64] = []
    var now = Self.at(0)
    while case .attempt? = effects.last {
      effects = job.handle(.ended(TermEnd(differs)), at: now)
      guard case .wait(let until)? = effects.last else { break }
      waits.append((until - now).nanoseconds / 1_000_000)
      now = until
      effects = job.handle(.waited, at: now)
    }
    #expect(effects == [.failed(differs)])
    #expect(waits == [40, 80, 120, 160, 200, 240, 280, 320, 360, 400, 400])
  }

  @Test func `a driver that was followed stops; one that takes over goes above it`() {
    let stale = JobFailure.staleTerm(mine: Term(7), yours: Term(4))
    var former = GenerationJob()
    Self.tell(
      &former,
      [
        (0, .begin(suspected: []), [Self.attempt(1)]), (1, .sampled, []),
        (2, .ended(TermEnd(stale)), [.failed(stale)]),
      ])
    var heir = GenerationJob(last: Term(3))
    Self.tell(
      &heir,
      [
        (0, .begin(suspected: []), [Self.attempt(4)]),
        (1, .ended(TermEnd(stale)), [Self.attempt(8)]),
        (2, .sampled, []),
        (3, .ended(TermEnd(stale)), [.failed(stale)]),
      ])
  }

  /// Any events in any order: terms only rise, and a job without progress ends.
  @Test func `terms rise by every attempt and a job without tokens comes to an end`() {
    var random = SeededGenerator(3)
    var (failed, attempts) = (0, 0)
    for _ in 0..<2_000 {
      var job = GenerationJob(last: Term(UInt32.random(in: 0...2, using: &random)))
      var now = 0
      var last = job.term
      var effects = job.handle(.begin(suspected: []), at: Self.at(now))
      var fruitless = 0
      while fruitless < 60, !effects.isEmpty {
        let effect = effects.removeLast()
        switch effect {
        case .attempt(let term, let excluded):
          #expect(term > last)
          #expect(excluded == excluded.sorted())
          (last, fruitless, attempts) = (term, fruitless + 1, attempts + 1)
          let event: Event =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .unplannable
            case 1: .ended(TermEnd(.recordRefused(Self.peer(1))))
            case 2: .ended(TermEnd(Self.busy, blamed: [Self.peer(2)]))
            case 3: .ended(TermEnd(.staleTerm(mine: Term(last.value + 1), yours: last)))
            default: Self.lost(Int.random(in: 1...5, using: &random))
            }
          now += Int.random(in: 0...900, using: &random)
          effects += job.handle(event, at: Self.at(now))
        case .wait(let until):
          now = Int(until.nanoseconds / 1_000_000)
          effects += job.handle(.waited, at: until)
        case .suspect: break
        case .failed, .unplannable:
          failed += 1
          #expect(job.handle(.waited, at: Self.at(now)).isEmpty)
          effects = []
        }
      }
      #expect(fruitless <= Limits.fruitlessTerms)
    }
    #expect(failed == 2_000)
    #expect(attempts > 4_000)
  }

  @Test func `a rank refuses the terms it has left behind, for as long as it remembers`() throws {
    var terms = RankTerms()
    let (job, other) = (JobID(SessionNames.bytes(1)), JobID(SessionNames.bytes(2)))
    try terms.admit(job, Term(2), at: Self.at(0))
    for term in [1, 2] as [UInt32] {
      #expect(throws: JobFailure.staleTerm(mine: Term(2), yours: Term(term))) {
        try terms.admit(job, Term(term), at: Self.at(1))
      }
    }
    try terms.admit(other, Term(1), at: Self.at(2))
    try terms.admit(job, Term(5), at: Self.at(3))
    let later = Self.at(3) + Limits.termMemory
    try terms.admit(job, Term(1), at: later)
  }

  @Test func `patience follows the plan at first, then what steps took`() {
    var patience = StepPatience(tokenEstimate: .milliseconds(1))
    #expect(patience.forSum(tokens: 1) == .milliseconds(403))
    #expect(patience.forSum(tokens: 100) == .milliseconds(500))
    for _ in 0..<20 { patience.note(tokens: 1, took: .milliseconds(5)) }
    #expect(patience.forSum(tokens: 1) == .milliseconds(150))
    // One hiccup does not count, two do.
    patience.note(tokens: 1, took: .milliseconds(200))
    #expect(patience.forSum(tokens: 1) == .milliseconds(150))
    patience.note(tokens: 1, took: .milliseconds(100))
    #expect(patience.forSum(tokens: 1) == .milliseconds(400))
    #expect(patience.forStep(tokens: 1) > patience.forSum(tokens: 1))
    for _ in 0..<64 { patience.note(tokens: 1, took: .milliseconds(50)) }
    #expect(patience.forSum(tokens: 1) == .milliseconds(200))
    patience.note(tokens: 30, took: .seconds(9))
    #expect(patience.forSum(tokens: 1) == .milliseconds(200))
  }

  @Test func `until the first step is done the entry lets ranks find each other`() {
    var patience = StepPatience(tokenEstimate: .milliseconds(1), linkSlack: .milliseconds(10))
    let named = patience.forConnecting + patience.forSum(tokens: 1)
    #expect(patience.forConnecting >= Limits.rankConnect)
    #expect(patience.forStep(tokens: 1) > named)
    patience.note(tokens: 1, took: .milliseconds(5))
    #expect(patience.forStep(tokens: 1) < named)
  }
}
