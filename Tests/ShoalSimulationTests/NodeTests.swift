// Whole nodes in virtual time: real jobs, real seals, and the same bits whatever happens.

import ShoalSimulation
import Testing

@Suite struct NodeTests {
  @Test func `undisturbed nodes answer every job as one peer does`() async throws {
    let result = try await NodeStory.run(peers: 4, faults: [], topology: .lan, seed: 1)
    #expect(result.violation == nil)
    #expect(result.jobs == 8)
    #expect(result.jobsCompleted == result.jobs)
    #expect(result.digestsCompared == result.jobs)
    #expect(result.tokensCompared > 20)
  }

  @Test func `nodes with small disks give copies up, and answer all the same`() async throws {
    var drops = 0
    for seed in UInt64(1)...3 {
      let result = try await NodeStory.run(peers: 5, faults: [], topology: .lan, seed: seed)
      #expect(result.violation == nil, "\(result.trace.joined(separator: "\n"))")
      #expect(result.jobsCompleted == result.jobs)
      drops += result.drops
    }
    #expect(drops > 0)
  }

  @Test func `nodes of two houses answer in pipeline stages`() async throws {
    var staged = 0
    for seed: UInt64 in 1...4 {
      let result = try await NodeStory.run(
        peers: 4, faults: [.crash], topology: .lan, seed: seed)
      #expect(result.violation == nil, "\(result.trace.joined(separator: "\n"))")
      #expect(result.digestsCompared > 0)
      staged += result.stagedPlans
    }
    #expect(staged > 4)
  }

  @Test(arguments: UInt64(1)...12)
  func `hurt nodes answer as one peer does, or say why not`(seed: UInt64) async throws {
    let peers = 2 + Int(seed % 4)
    let result = try await NodeStory.run(
      peers: peers, faults: FaultKind.all, topology: .lan, seed: seed)
    #expect(result.violation == nil, "\(result.trace.joined(separator: "\n"))")
    #expect(result.digestsCompared > 0)
  }

  @Test func `one seed, one story, to the last datagram`() async throws {
    let story = { (seed: UInt64) in
      try await NodeStory.run(peers: 4, faults: FaultKind.all, topology: .lan, seed: seed)
    }
    let (first, second, other) = (try await story(3), try await story(3), try await story(4))
    #expect(first.traceHash == second.traceHash)
    #expect(first.events == second.events)
    #expect(first.traceHash != other.traceHash)
  }
}
