// The promise of canon-1 for lanes: whichever jobs share a step, each has the bits it has alone.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

/// A job of a test, and when it comes and goes, counted in rounds of the lane.
private struct ScriptedJob: Sendable {
  let prompt: [UInt32]
  let count: Int
  var arrives = 0
  /// Leaves after so many tokens.
  var leaves = Int.max
  var user = ""
}

/// Brings jobs to a lane by a script.
private struct ScriptedLane: LaneJobs {
  private let jobs: [ScriptedJob]
  private let sessions: [GenerationSession]
  private let choosers: [TokenChooser]
  private var round = 0
  private var chosen: [Int]
  private(set) var finished: [Int: FinishReason] = [:]
  private(set) var mostRows = 0
  /// Positions of each job that another one had computed.
  private(set) var shared: [Int: Int] = [:]

  init(_ jobs: [ScriptedJob], _ sessions: [GenerationSession], _ choosers: [TokenChooser]) {
    self.jobs = jobs
    self.sessions = sessions
    self.choosers = choosers
    chosen = jobs.map { _ in 0 }
  }

  mutating func news() -> [BatchSession.Event] {
    defer { round += 1 }
    return jobs.indices.filter { jobs[$0].arrives == round }.map {
      .joined(SeatID(UInt64($0)), sessions[$0], user: jobs[$0].user)
    }
  }

  mutating func choose(
    _ seat: SeatID, _ votes: [VocabularyVote], _ cost: StepCost, rows: Int
  ) -> GenerationRunner.Choice? {
    let index = Int(seat.number)
    mostRows = max(mostRows, rows)
    chosen[index] += 1
    let choice = try? choosers[index].choose(votes, cost)
    return chosen[index] < jobs[index].leaves ? choice : nil
  }

  mutating func began(_ seat: SeatID) {}
  mutating func shared(_ seat: SeatID, positions: Int) { shared[Int(seat.number)] = positions }
  mutating func finished(_ seat: SeatID, _ reason: FinishReason) {
    finished[Int(seat.number)] = reason
  }
  mutating func rest(until deadline: Moment) {}
  mutating func close() -> Bool { jobs.allSatisfy { $0.arrives < round } }
}

extension Engine {
  /// The digest of each job, all in one lane.
  fileprivate func together(
    _ jobs: [ScriptedJob], rows: Int, positions: Int, _ dealing: Dealing
  ) async throws -> (digests: [Bytes32], lane: ScriptedLane) {
    let ranks = ranks(dealing)
    let (library, manifest, tokenizer) = (library, manifest, tokenizer)
    return try await ranks.run(
      context: positions, batch: rows, blob: { try library.atom($0) }
    ) { runner, peers in
      let choosers = try jobs.map { job in
        try TokenChooser(
          options: GenerationOptions(maximumTokens: job.count, sampling: .greedy),
          tokenizer: tokenizer, prompt: job.prompt, emit: { _ in })
      }
      let sessions = jobs.map { job in
        GenerationSession(
          order: GenerationOrder(
            prompt: job.prompt, maximumTokens: job.count, context: job.prompt.count + job.count,
            batch: dealing.batch ?? 256, candidates: 1),
          plan: PlanID(.zero), term: Term(0), members: peers,
          vocabularyBlocks: manifest.cut.vocabularyBlocks, stages: ranks.stageSizes.count)
      }
      var session = BatchSession(
        LaneTerms(
          plan: PlanID(.zero), term: Term(0), members: peers, stages: ranks.stageSizes.count,
          positions: positions, batch: rows, sharing: PrefixSharing(manifest.shape)))
      var lane = ScriptedLane(jobs, sessions, choosers)
      try runner.run(&session, &lane)
      return (choosers.map(\.digest), lane)
    }
  }

  fileprivate func alone(_ jobs: [ScriptedJob]) async throws -> [Bytes32] {
    var digests: [Bytes32] = []
    for job in jobs {
      digests.append(
        try await generate(job.prompt, count: min(job.count, job.leaves)).digest)
    }
    return digests
  }
}

@Suite struct BatchTests {
  private static func jobs(_ count: Int, seed: UInt64) -> [ScriptedJob] {
    var random = SeededGenerator(state: seed)
    return (0..<count).map { number in
      let length = number % 3 == 0 ? 40 : Int.random(in: 1...12, using: &random)
      return ScriptedJob(
        prompt: (0..<length).map { _ in UInt32.random(in: 3..<290, using: &random) },
        count: Int.random(in: 2...7, using: &random),
        arrives: Int.random(in: 0...6, using: &random),
        leaves: number % 4 == 3 ? 2 : .max, user: number % 2 == 0 ? "a" : "b")
    }
  }

  private static let dealings = [
    Dealing(), Dealing(kernel: .reference, batch: 5), Dealing(weights: [2, 0, 1], threads: 2),
    Dealing(stages: [[1], [2, 1]], threads: 2, batch: 4),
  ]

  @Test(arguments: FamilySplitTests.names)
  func `jobs of one lane have the digests that each has alone, in every family`(
    _ family: String
  ) async throws {
    let engine = try Engine(FamilySplitTests.file(family).bytes)
    guard engine.manifest.shape.head.hasLogits else { return }
    let jobs = Self.jobs(6, seed: 11)
    let alone = try await engine.alone(jobs)
    for (number, dealing) in Self.dealings.enumerated() {
      let lane = try await engine.together(
        jobs, rows: [256, 9, 32, 17][number], positions: 400, dealing)
      #expect(lane.digests == alone, "\(dealing)")
      #expect(lane.lane.mostRows > 1, "\(dealing)")
    }
  }

  /// Four begin alike, in one step or while others read or stream; two of another user do as well;
  /// one comes when all others have ended but the one that keeps the lane.
  private static let alike: [ScriptedJob] = {
    let start = (0..<70).map { UInt32(3 + $0 * 7 % 280) }
    return [
      ScriptedJob(prompt: start + [9, 8, 7], count: 12),
      ScriptedJob(prompt: start + [9, 8, 7], count: 12),
      ScriptedJob(prompt: Array(start.prefix(40)), count: 2, arrives: 1),
      ScriptedJob(prompt: start + [5], count: 3, arrives: 3, leaves: 2),
      ScriptedJob(prompt: start + [9, 8, 7], count: 2, arrives: 1, user: "other"),
      ScriptedJob(prompt: start + [4, 4], count: 2, arrives: 2, user: "other"),
      ScriptedJob(prompt: start + [5, 6], count: 2, arrives: 9),
    ]
  }()

  @Test(arguments: FamilySplitTests.names)
  func `what one sequence computed serves those of its user that begin alike, bit by bit`(
    _ family: String
  ) async throws {
    let engine = try Engine(FamilySplitTests.file(family).bytes)
    let shape = engine.manifest.shape
    guard shape.head.hasLogits, shape.context > 90 else { return }
    let alone = try await engine.alone(Self.alike)
    let sharing = PrefixSharing(shape)
    for (number, dealing) in Self.dealings.enumerated() {
      let rows = [256, 9, 32, 17][number]
      let lane = try await engine.together(Self.alike, rows: rows, positions: 700, dealing)
      #expect(lane.digests == alone, "\(dealing)")
      switch sharing {
      case .never: #expect(lane.lane.shared.isEmpty)
      case .inEqualContexts: #expect(lane.lane.shared == [1: 72], "\(dealing)")
      case .always:
        #expect(lane.lane.shared[0] == nil)
        #expect(lane.lane.shared[1] == 72, "\(dealing)")
        #expect(lane.lane.shared[2] == 39, "\(dealing)")
        #expect(lane.lane.shared[3] == 70, "\(dealing)")
        #expect(lane.lane.shared[4] == nil, "another user's")
        #expect(lane.lane.shared[5] == 70, "\(dealing)")
        #expect(lane.lane.shared[6] ?? 0 >= 70, "\(dealing)")
      }
    }
  }

  @Test func `any order of arrival and any room gives each job its digest`() async throws {
    let engine = try Engine(FamilySplitTests.file("llama").bytes)
    for seed in 1...12 as ClosedRange<UInt64> {
      let jobs = Self.jobs(2 + Int(seed) % 9, seed: seed)
      let alone = try await engine.alone(jobs)
      // From room for one at a time to room for all.
      let lane = try await engine.together(
        jobs, rows: [4, 16, 256][Int(seed) % 3], positions: [47, 90, 1_000][Int(seed) / 3 % 3],
        Dealing(threads: 1 + Int(seed) % 2))
      #expect(lane.digests == alone, "seed \(seed)")
      let expected = jobs.indices.filter { jobs[$0].leaves > jobs[$0].count }
      #expect(lane.lane.finished.keys.sorted() == expected, "seed \(seed)")
    }
  }

  @Test func `more jobs than slots take their turns`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let jobs = (0..<90).map { number in
      ScriptedJob(prompt: [1, UInt32(3 + number % 60)], count: 3, user: "\(number % 5)")
    }
    let lane = try await engine.together(jobs, rows: 256, positions: 1_000, Dealing())
    #expect(lane.lane.finished.count == 90)
    #expect(lane.lane.mostRows == Limits.laneSlots * 2)
    let alone = try await engine.alone(Array(jobs.prefix(60)))
    #expect(Array(lane.digests.prefix(60)) == alone)
  }
}
