// What holds of every plan, whatever the capacities.

import ShoalProtocol
import Testing

@Suite struct PlacementPropertyTests {
  typealias Fixture = PlacementFixture

  static func randomCapacities(
    _ count: Int, using random: inout PlacementRandom
  ) -> [DeviceCapacity] {
    (0..<count).map { number in
      var capacity = Fixture.capacity(
        number, gigabytesPerSecond: UInt64.random(in: 1...1_000, using: &random),
        memory: ByteCount(UInt64.random(in: (1 << 20)...(1 << 37), using: &random)),
        link: UInt64.random(in: 1_000_000...2_000_000_000, using: &random))
      capacity.synchronisationNanoseconds = UInt64.random(in: 0...3_000_000, using: &random)
      capacity.clique = UInt64.random(in: 0...2, using: &random)
      capacity.outsideNanoseconds = UInt64.random(in: 0...30_000_000, using: &random)
      capacity.outsideBytesPerSecond = UInt64.random(in: 100_000...100_000_000, using: &random)
      return capacity
    }
  }

  /// Nil where the peers cannot hold the model.
  static func fitting(
    _ request: PlanRequest, _ capacities: [DeviceCapacity]
  ) throws -> PlanReport? {
    let result = Result { () throws(PlanError) -> PlanReport in
      try PlacementPlanner().plan(request, over: capacities)
    }
    switch result {
    case .success(let report): return report
    case .failure(.doesNotFit), .failure(.noPeer): return nil
    case .failure(let error): throw error
    }
  }

  @Test(
    "every slot has one owner, memory is kept, and order changes nothing",
    arguments: [Fixture.stories260K, Fixture.tinyLlama, Fixture.llama70B], PlanObjective.allCases)
  func properties(figures: DecoderFigures, objective: PlanObjective) throws {
    var random = PlacementRandom(state: 7)
    let request = try Fixture.request(figures, objective)
    var kinds: [PlanKind: Int] = [:]
    for trial in 0..<60 {
      let capacities = Self.randomCapacities([1, 2, 3, 5, 7, 11][trial % 6], using: &random)
      guard let report = try Self.fitting(request, capacities) else { continue }
      kinds[report.kind, default: 0] += 1
      // The decoder checks that each slot has exactly one owner.
      let bytes = report.plan.canonicalBytes
      #expect(try ShardPlan(decoding: bytes) == report.plan)
      for member in report.members {
        let capacity = try #require(capacities.first { $0.peer == member.peer })
        #expect(member.bytes.bytes <= capacity.usableMemory.bytes * 8 / 10)
      }
      let mentioned = report.members.map(\.peer) + report.excluded.map(\.peer)
      #expect(mentioned.sorted() == capacities.map(\.peer))
      let again = try PlacementPlanner().plan(request, over: capacities.shuffled(using: &random))
      #expect(again == report)
      let ids = [again, report].map { unsafe $0.plan.id(hash: Fixture.hash) }
      #expect(ids[0] == ids[1])
      let estimates = report.alternatives.map(\.estimate)
      switch objective {
      case .latency: #expect(report.estimate.nanoseconds == estimates.map(\.nanoseconds).min())
      case .throughput:
        let best = estimates.map(\.slowestStageNanoseconds).min()
        #expect(report.estimate.slowestStageNanoseconds == best)
      case .spread: break
      }
    }
    #expect(kinds.values.reduce(0, +) > 5, "the generated worlds are too poor: \(kinds)")
  }

  @Test("announced figures at both ends of their range neither trap nor give a slot twice")
  func extremes() throws {
    let huge = UInt64.max
    for (memory, rate, link, wait) in [
      (huge, huge, huge, huge), (huge, 1, 0, huge), (huge, huge, 0, 0), (huge, 1, huge, 0),
      (0, huge, huge, 0), (huge, 0, huge, 0),
    ] {
      let capacities = (0..<5).map { number in
        var capacity = Fixture.capacity(number)
        guard number % 2 == 0 else { return capacity }
        capacity.usableMemory = ByteCount(memory)
        capacity.decodeBytesPerSecond.q4_0 = rate
        capacity.linkBytesPerSecond = link
        capacity.synchronisationNanoseconds = wait
        return capacity
      }
      for objective in PlanObjective.allCases {
        let report = try PlacementPlanner().plan(
          try Fixture.request(Fixture.llama70B, objective), over: capacities)
        #expect(try ShardPlan(decoding: report.plan.canonicalBytes) == report.plan)
      }
    }
  }

  @Test("a shape of absurd figures is refused, not computed")
  func absurdShapes() throws {
    var figures = Fixture.llama70B
    figures.hidden = .max
    #expect(throws: PlanError.shape(field: "hidden size", value: .max, limit: 1 << 20)) {
      try figures.shape(model: Fixture.model, numerics: "canon-1")
    }
    let layer = LayerShape(
      attention: AttentionShape(
        groups: 1, unitsPerGroup: 1, headsPerUnit: [1], unitBytes: [.max], keyValueBytes: .max,
        keyValueBytesPerToken: .max),
      feedForward: FeedForwardShape(columns: [1], bytes: [.max]), commonBytes: .max)
    let shape = ModelShape(
      model: Fixture.model, numerics: "canon-1", hiddenSize: 1, precision: .f32,
      layers: [layer, layer],
      vocabulary: VocabularyShape(
        rows: [1], embeddingBytes: [.max], outputBytes: [.max], isTied: false))
    #expect(throws: PlanError.self) {
      try PlacementPlanner().plan(
        PlanRequest(shape: shape, contextTokens: 1), over: [Fixture.capacity(1)])
    }
  }

  @Test("bytes that are no plan are refused with a typed error")
  func mangledPlans() throws {
    let report = try PlacementPlannerTests.spread([5, 3, 2], of: Fixture.stories260K)
    let bytes = report.plan.canonicalBytes
    for length in 0..<bytes.count {
      #expect(throws: WireError.self) { try ShardPlan(decoding: Array(bytes.prefix(length))) }
    }
    #expect(throws: WireError.trailing(bytes: 1)) { try ShardPlan(decoding: bytes + [0]) }
    for position in bytes.indices {
      var mangled = bytes
      mangled[position] ^= 0xFF
      // What still decodes must encode to the very bytes it came from.
      guard let plan = try? ShardPlan(decoding: mangled) else { continue }
      #expect(plan.canonicalBytes == mangled)
    }
    let rank = report.plan.stages[0].ranks[0]
    let twice = ShardPlan(
      plannerVersion: 1, model: Fixture.model, objective: .spread, precision: .f32,
      contextTokens: 1, slotCounts: report.plan.slotCounts,
      stages: [
        PlanStage(
          layers: 0..<5,
          ranks: [
            rank,
            PlanRank(
              peer: Fixture.peer(9), precision: .f32, slots: rank.slots, residentBytes: 1),
          ])
      ])
    #expect(throws: WireError.invalid(field: "plan slot owner")) {
      try ShardPlan(decoding: twice.canonicalBytes)
    }
    let stages = [0..<2, 2..<5].map { layers in
      PlanStage(layers: layers, ranks: report.plan.stages[0].ranks)
    }
    let again = ShardPlan(
      plannerVersion: 1, model: Fixture.model, objective: .spread, precision: .f32,
      contextTokens: 1, slotCounts: report.plan.slotCounts, stages: stages)
    #expect(throws: WireError.invalid(field: "plan peer in two stages")) {
      try ShardPlan(decoding: again.canonicalBytes)
    }
  }
}
