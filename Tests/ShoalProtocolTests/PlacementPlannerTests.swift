// What the planner decides, in small worlds whose answer is known.

import ShoalProtocol
import Testing

@Suite struct PlacementPlannerTests {
  typealias Fixture = PlacementFixture

  static func spread(
    _ rates: [UInt64], of figures: DecoderFigures, context: Int = 256
  ) throws -> PlanReport {
    let capacities = rates.enumerated().map {
      Fixture.capacity($0.offset, gigabytesPerSecond: $0.element)
    }
    return try PlacementPlanner().plan(
      try Fixture.request(figures, .spread, context: context), over: capacities)
  }

  @Test(
    "spread deals query units and blocks in proportion to rates, at least one each",
    arguments: [
      ([50], [8], [172]),
      ([50, 50], [4, 4], [96, 96]),
      ([30, 20, 10], [4, 3, 1], [96, 64, 32]),
      ([700, 36, 6], [6, 1, 1], [128, 32, 32]),
      ([10, 10, 10, 10, 10], [2, 2, 2, 1, 1], [64, 32, 32, 32, 32]),
      ([7, 6, 5, 4, 3, 2, 1], [1, 2, 1, 1, 1, 1, 1], [64, 32, 32, 32, 32, 0, 0]),
    ] as [([UInt64], [Int], [Int])])
  func spreadTable(rates: [UInt64], heads: [Int], columns: [Int]) throws {
    let report = try Self.spread(rates, of: Fixture.stories260K)
    #expect(report.members.map(\.headsPerLayer) == heads)
    // The short block (12 columns of 172) lies with whom the rendezvous gives it.
    let blocks = report.plan.stages[0].ranks.map { $0.slots.feedForward.count }
    #expect(blocks == columns.map { ($0 + 31) / 32 })
    #expect(report.members.reduce(0) { $0 + $1.feedForwardColumns } == 172)
    #expect(report.members.reduce(0) { $0 + $1.vocabularyRows } == 512)
    #expect(report.excluded.isEmpty)
  }

  @Test("a small model runs fastest alone, and the others are told why they have no work")
  func soloWins() throws {
    let capacities = (0..<3).map { Fixture.capacity($0, gigabytesPerSecond: UInt64(50 - $0)) }
    let report = try PlacementPlanner().plan(
      try Fixture.request(Fixture.stories260K), over: capacities)
    #expect(report.kind == .solo)
    #expect(report.members.map(\.peer) == [Fixture.peer(0)])
    #expect(report.members.map(\.sharePerMille) == [1_000])
    #expect(report.alternatives.map(\.kind) == [.solo, .tensor, .pipeline, .spread])
    #expect(report.excluded.map(\.peer) == [Fixture.peer(1), Fixture.peer(2)])
    for excluded in report.excluded {
      guard case .slowsToken(let without, let with) = excluded.reason else {
        Issue.record("unexpected \(excluded.reason)")
        continue
      }
      #expect(without < with)
    }
  }

  @Test("a large model over four equal peers on a quick LAN is split, and faster than alone")
  func tensorWins() throws {
    let capacities = (0..<4).map { Fixture.capacity($0) }
    let report = try PlacementPlanner().plan(
      try Fixture.request(Fixture.llama70B), over: capacities)
    #expect(report.kind == .tensor)
    #expect(report.members.map(\.headsPerLayer) == [16, 16, 16, 16])
    #expect(report.members.map(\.feedForwardColumns) == [7_168, 7_168, 7_168, 7_168])
    let solo = try #require(report.alternatives.first { $0.kind == .solo })
    #expect(report.estimate.nanoseconds * 3 < solo.estimate.nanoseconds)
  }

  @Test("a peer behind a slow link does not spoil the plan of the others")
  func slowLinkIsLeftOut() throws {
    var capacities = (0..<4).map { Fixture.capacity($0) }
    capacities[0].decodeBytesPerSecond.q4_0 = 60_000_000_000
    capacities[0].linkBytesPerSecond = 100_000
    let report = try PlacementPlanner().plan(
      try Fixture.request(Fixture.llama70B), over: capacities)
    #expect(report.members.map(\.peer) == (1...3).map(Fixture.peer))
    #expect(report.excluded.map(\.peer) == [Fixture.peer(0)])
  }

  @Test("the sync bound of the design: beyond it nobody is added")
  func synchronisationBound() throws {
    // n = 4 at 50 GB/s, 70B: a sync may cost (1 - 1/4) * W / (2 L BW), some 4 ms.
    let kinds = try [1_000_000, 20_000_000].map { (cost: UInt64) in
      let capacities = (0..<4).map { number in
        var capacity = Fixture.capacity(number)
        capacity.synchronisationNanoseconds = cost
        return capacity
      }
      return try PlacementPlanner().plan(
        try Fixture.request(Fixture.llama70B), over: capacities
      ).kind
    }
    #expect(kinds == [.tensor, .solo])
  }

  @Test("each reason to leave a peer out is told with its numbers")
  func reasons() throws {
    var capacities = (0..<6).map { Fixture.capacity($0) }
    capacities[1].isWilling = false
    capacities[2].numerics = "canon-2"
    capacities[3].decodeBytesPerSecond.q4_0 = 0
    capacities[4].usableMemory = .mebibytes(5)
    var request = try Fixture.request(Fixture.tinyLlama, .spread)
    request.distrusted = [Fixture.peer(5)]
    let report = try PlacementPlanner().plan(request, over: capacities)
    #expect(report.kind == .solo)
    let reasons = report.excluded.map(\.reason)
    #expect(
      reasons[...2] == [
        .notWilling, .numerics(has: "canon-2", needs: "canon-1"), .lacksPrecision(.q4_0),
      ])
    guard case .noMemory(let needed, let available) = reasons[3] else {
      Issue.record("unexpected \(reasons[3])")
      return
    }
    #expect(available == .mebibytes(4) && needed > available)
    #expect(reasons[4] == .distrusted)
  }

  @Test("a model that fits nowhere is refused with what it needs and what there is")
  func fitsNowhere() throws {
    let capacities = (0..<3).map { Fixture.capacity($0, memory: .gibibytes(10)) }
    let request = try Fixture.request(Fixture.llama70B)
    let error = #expect(throws: PlanError.self) {
      try PlacementPlanner().plan(request, over: capacities)
    }
    guard case .doesNotFit(let needed, let available)? = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
    #expect(needed > .gibibytes(36) && needed < .gibibytes(44))
    #expect(available.map(\.available) == [ByteCount](repeating: .gibibytes(8), count: 3))
    #expect(throws: PlanError.noPeer(excluded: [])) {
      try PlacementPlanner().plan(request, over: [])
    }
  }

  @Test("memory moves shares: a fast peer with little memory gets what fits, the rest goes on")
  func memoryBounds() throws {
    let capacities = [
      Fixture.capacity(0, gigabytesPerSecond: 500, memory: .gibibytes(12)),
      Fixture.capacity(1, gigabytesPerSecond: 50, memory: .gibibytes(30)),
      Fixture.capacity(2, gigabytesPerSecond: 50, memory: .gibibytes(30)),
    ]
    let report = try PlacementPlanner().plan(
      try Fixture.request(Fixture.llama70B), over: capacities)
    #expect(report.members.count == 3)
    for (member, capacity) in zip(report.members, capacities) {
      #expect(member.bytes.bytes <= capacity.usableMemory.bytes / 10 * 8)
    }
    #expect(report.members[0].bytes.bytes > 8 << 30)
  }

  @Test("a duplicate peer, too many peers and an absurd context are refused")
  func refusals() throws {
    let one = Fixture.capacity(1)
    var request = try Fixture.request(Fixture.stories260K)
    #expect(throws: PlanError.peerTwice(one.peer)) {
      try PlacementPlanner().plan(request, over: [one, one])
    }
    let many = (0...Limits.peers).map { Fixture.capacity($0) }
    #expect(throws: PlanError.tooManyPeers(limit: 1_024, announced: 1_025)) {
      try PlacementPlanner().plan(request, over: many)
    }
    request.contextTokens = -1
    #expect(throws: PlanError.contextTooLong(tokens: -1, limit: Limits.planContextTokens)) {
      try PlacementPlanner().plan(request, over: [one])
    }
  }
}
