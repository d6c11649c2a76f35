// When the planner parts a model into pipeline stages, and how.

import ShoalProtocol
import Testing

@Suite struct PlacementStageTests {
  typealias Fixture = PlacementFixture

  /// Houses of so many equal peers, joined by a line of 10 ms and 5 MB/s.
  private static func houses(
    _ sizes: [Int], gigabytesPerSecond: UInt64 = 50, memory: ByteCount = .gibibytes(16)
  ) -> [DeviceCapacity] {
    sizes.enumerated().flatMap { house, size in
      (0..<size).map { number in
        var capacity = Fixture.capacity(
          house * 100 + number, gigabytesPerSecond: gigabytesPerSecond, memory: memory)
        capacity.clique = UInt64(house + 1)
        capacity.outsideNanoseconds = 10_000_000
        capacity.outsideBytesPerSecond = 5_000_000
        return capacity
      }
    }
  }

  private static func plan(
    _ capacities: [DeviceCapacity], of figures: DecoderFigures = Fixture.llama70B,
    _ objective: PlanObjective = .latency
  ) throws -> PlanReport {
    let report = try PlacementPlanner().plan(
      try Fixture.request(figures, objective), over: capacities)
    // The decoder checks owners, stages and layers.
    #expect(try ShardPlan(decoding: report.plan.canonicalBytes) == report.plan)
    return report
  }

  @Test func `a model that fits in neither of two houses is parted between them`() throws {
    let capacities = Self.houses([3, 2], memory: .gibibytes(12))
    let report = try Self.plan(capacities)
    #expect(report.kind == .hybrid)
    #expect(report.plan.stages.count == 2)
    for stage in report.plan.stages {
      let houses = Set(
        stage.ranks.map { rank in capacities.first { $0.peer == rank.peer }?.clique })
      #expect(houses.count == 1, "a stage across the slow line")
    }
    #expect(report.members.map(\.stage) == report.members.map(\.stage).sorted())
    for member in report.members { #expect(member.bytes.bytes <= (12 << 30) / 10 * 8) }
    // Sums across the line would cost a way each.
    let tensor = try #require(report.alternatives.first { $0.kind == .tensor })
    #expect(report.estimate.nanoseconds * 3 < tensor.estimate.nanoseconds)
    #expect(report.estimate.handoverNanoseconds >= 10_000_000)
  }

  @Test func `a model that fits in one house stays there, and the other is told how far it is`()
    throws
  {
    let report = try Self.plan(Self.houses([3, 2], memory: .gibibytes(48)))
    #expect(report.kind == .tensor)
    #expect(report.members.map(\.peer) == (0..<3).map(Fixture.peer))
    #expect(report.excluded.map(\.peer) == [100, 101].map(Fixture.peer))
    #expect(report.alternatives.map(\.kind) == [.solo, .tensor, .pipeline, .hybrid, .spread])
  }

  @Test func `a house that no stage needs is told how far it is`() throws {
    let report = try Self.plan(Self.houses([3, 3, 1], memory: .gibibytes(12)))
    #expect(report.kind == .hybrid && report.plan.stages.count == 2)
    let left = try #require(report.excluded.first { $0.peer == Fixture.peer(200) })
    guard case .addsStage(let handover) = left.reason else {
      Issue.record("unexpected \(left.reason)")
      return
    }
    #expect(handover > 10_000_000)
  }

  @Test func `layers go by memory to the quickest, and by rate where many jobs are in flight`()
    throws
  {
    var capacities = Self.houses([1, 1], memory: .gibibytes(40))
    capacities[0].decodeBytesPerSecond.q4_0 = 150_000_000_000
    let one = try Self.plan(capacities)
    #expect(one.kind == .pipeline)
    // The quick one is full before the other gets a layer.
    let layers = one.plan.stages.map(\.layers.count)
    #expect(one.plan.stages.last?.ranks.map(\.peer) == [Fixture.peer(0)])
    #expect(layers[1] > 55)
    for index in capacities.indices { capacities[index].usableMemory = .gibibytes(100) }
    #expect(try Self.plan(capacities).kind == .solo)
    let many = try Self.plan(capacities, of: Fixture.llama70B, .throughput)
    #expect(many.kind == .pipeline)
    let balanced = many.plan.stages.map(\.layers.count)
    #expect((17...22).contains(balanced[0]), "a quarter of the layers, not \(balanced)")
    #expect(many.estimate.slowestStageNanoseconds < many.estimate.nanoseconds)
  }

  @Test func `every willing peer of every house works where a plan is to be spread`() throws {
    let capacities = Self.houses([3, 2, 2])
    let report = try Self.plan(capacities, of: Fixture.tinyLlama, .spread)
    #expect(report.kind == .spread)
    #expect(report.plan.stages.count == 3)
    #expect(report.plan.peers == capacities.map(\.peer))
  }

  @Test func `a tied model has its embedding in the first stage and its output in the last`()
    throws
  {
    let report = try Self.plan(Self.houses([1, 1, 1]), of: Fixture.stories260K, .spread)
    let held = report.plan.stages.map { $0.ranks[0].slots.vocabulary.count }
    #expect(held == [16, 0, 16])
  }

  @Test func `phones on a slow radio hold a large model as a pipeline`() throws {
    let phones = (0..<8).map { number in
      var phone = Fixture.capacity(
        number, gigabytesPerSecond: 20, memory: .gibibytes(8), link: 5_000_000)
      phone.synchronisationNanoseconds = 5_000_000
      return phone
    }
    let report = try Self.plan(phones)
    #expect(report.kind == .pipeline)
    #expect(report.plan.stages.count == 7)
  }
}
