// Meshes of many peers in virtual time: no invariant breaks, and one seed tells one story.

import ShoalProtocol
import ShoalSimulation
import Testing

@Suite struct ControlTests {
  @Test(arguments: [3, 10, 40], UInt64(1)...4)
  func `no fault breaks an invariant`(peers: Int, seed: UInt64) throws {
    let result = try ControlSimulation(peers: peers).run(seed: seed)
    #expect(
      result.violation == nil,
      "\(result.shortest.joined(separator: "\n"))\n\(result.trace.joined(separator: "\n"))")
    #expect(result.epochs > peers)
    #expect(peers < 10 || result.plansCompared > 0)
  }

  @Test func `disks that are too small give copies up, each after two promises`() throws {
    var drops = 0
    for seed in UInt64(1)...12 {
      let result = try ControlSimulation(peers: 10, faults: []).run(seed: seed)
      #expect(result.violation == nil, "\(result.trace.joined(separator: "\n"))")
      drops += result.drops
    }
    #expect(drops > 0)
  }

  @Test func `peers of several houses plan pipeline stages`() throws {
    let results = try (UInt64(1)...4).map { try ControlSimulation(peers: 12).run(seed: $0) }
    #expect(results.allSatisfy { $0.violation == nil })
    #expect(results.reduce(0) { $0 + $1.stagedPlans } > 0)
  }

  @Test func `one seed, one story`() throws {
    let simulation = ControlSimulation(peers: 12)
    let first = try simulation.run(seed: 7)
    let second = try simulation.run(seed: 7)
    #expect(first.traceHash == second.traceHash)
    #expect(first.events == second.events)
    #expect(try simulation.run(seed: 8).traceHash != first.traceHash)
  }
}
