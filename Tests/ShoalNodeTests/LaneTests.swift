// Streams that are asked for at one peer share their steps, and each is what it is alone.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

extension RealTimeTests {
  @Suite(
    .timeLimit(.minutes(10)),
    .enabled(
      if: FileManager.default.fileExists(
        atPath: MeshTests.model.path), "the demo model is absent"))
  struct LaneTests {
    /// Counts the tokens of all streams of a test.
    private final class Counter: Sendable {
      private let tokens = Mutex(0)
      var count: Int { tokens.withLock { $0 } }

      /// Returns how many there are now.
      func add(_ event: GenerationEvent) -> Int? {
        guard case .token = event else { return nil }
        return tokens.withLock { tokens in
          tokens += 1
          return tokens
        }
      }
    }

    private static func spread(_ world: TestMesh, _ nodes: [Node]) async throws {
      let entry = try await nodes[0].importModel(
        path: MeshTests.model.path, name: "story", progress: { _, _ in })
      for node in nodes {
        try await world.until { await node.peers().count { $0.state == .alive } == nodes.count }
        try await world.until { try await node.models().contains { $0.entry == entry } }
      }
      if nodes.count > 1 { try await world.until { try world.othersHoldAll(of: 0) } }
    }

    /// More streams than a peer takes jobs: they share a lane, or most would be refused.
    @Test func `streams of one peer come and go, and those that stay have their bits`()
      async throws
    {
      let world = try TestMesh(peers: 1)
      defer { world.remove() }
      let alone = [
        8: try await world.digestAlone(MeshTests.model, tokens: 8),
        24: try await world.digestAlone(MeshTests.model, tokens: 24),
      ]
      try await world.run { nodes in
        try await Self.spread(world, nodes)
        let counter = Counter()
        try await withThrowingTaskGroup(of: (Int, GenerationOutcome)?.self) { group in
          for number in 0..<18 {
            let count = number % 3 == 0 ? 24 : 8
            group.addTask {
              let outcome = try await nodes[0].generate(
                world.request(tokens: count, objective: .latency)
              ) { _ = counter.add($0) }
              return (count, outcome)
            }
          }
          // Clients that go away in the middle of an answer.
          for _ in 0..<4 {
            group.addTask {
              await withThrowingTaskGroup(of: Void.self) { leaving in
                leaving.addTask {
                  _ = try await nodes[0].generate(
                    world.request(tokens: 400, objective: .latency)
                  ) { _ in }
                }
                leaving.addTask { try await world.until { counter.count > 40 } }
                _ = await leaving.nextResult()
                leaving.cancelAll()
              }
              return nil
            }
          }
          var ended = 0
          for try await result in group {
            guard let (count, outcome) = result else { continue }
            ended += 1
            #expect(outcome.tokens == alone[count]?.tokens)
            #expect(outcome.digest == alone[count]?.digest)
          }
          #expect(ended == 18)
        }
        let after = try await nodes[0].generate(
          world.request(tokens: 8, objective: .latency)
        ) { _ in }
        #expect(after.digest == alone[8]?.digest)
      }
    }

    @Test func `a peer dies under many streams, and not a token of any differs`() async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(MeshTests.model, tokens: 24)
      try await world.runMortal { nodes, kill in
        try await Self.spread(world, nodes)
        let counter = Counter()
        try await withThrowingTaskGroup(of: GenerationOutcome.self) { group in
          for _ in 0..<7 {
            group.addTask {
              try await nodes[2].generate(world.request(tokens: 24, objective: .spread)) {
                if counter.add($0) == 50 { kill(0) }
              }
            }
          }
          for try await outcome in group {
            #expect(outcome.tokens == alone.tokens)
            #expect(outcome.digest == alone.digest)
          }
        }
        #expect(counter.count == 7 * 24)
      }
    }
  }
}
