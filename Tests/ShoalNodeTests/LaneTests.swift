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

    @Test func `streams that begin alike read their prompt once, before and after a death`()
      async throws
    {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      try await world.runMortal { nodes, kill in
        try await Self.spread(world, nodes)
        var request = world.request(tokens: 24, objective: .spread)
        request.prompt = .tokens((0..<60).map { UInt32(3 + $0 * 7 % 280) })
        let alone = try await nodes[2].generate(request) { _ in }
        #expect(alone.sharedTokens == 0)
        let counter = Counter()
        let outcomes = try await withThrowingTaskGroup(of: GenerationOutcome.self) { group in
          for _ in 0..<5 {
            group.addTask { [request] in
              try await nodes[2].generate(request) { if counter.add($0) == 40 { kill(0) } }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0.tokens == alone.tokens && $0.digest == alone.digest })
        #expect(outcomes.contains { $0.sharedTokens == 59 })
      }
    }

    /// A turn of a conversation, of tokens that are no text but many.
    private static func turn(_ world: TestMesh, after said: [UInt32]) -> GenerationRequest {
      var request = world.request(tokens: 24, objective: .spread)
      request.prompt = .tokens(said + (0..<60).map { UInt32(3 + $0 * 7 % 280) })
      return request
    }

    @Test func `the next turn of a conversation begins with what the last one has computed`()
      async throws
    {
      let (world, fresh) = (try TestMesh(peers: 3), try TestMesh(peers: 1))
      defer {
        world.remove()
        fresh.remove()
      }
      let next = Mutex<(said: [UInt32], outcome: GenerationOutcome)?>(nil)
      try await world.run { nodes in
        try await Self.spread(world, nodes)
        let first = try await nodes[2].generate(Self.turn(world, after: [])) { _ in }
        let said = (0..<60).map { UInt32(3 + $0 * 7 % 280) } + first.tokens
        let outcome = try await nodes[2].generate(Self.turn(world, after: said)) { _ in }
        next.withLock { $0 = (said, outcome) }
      }
      let (said, outcome) = try #require(next.withLock { $0 })
      // All but the last token of the answer, which no rank has read.
      #expect(outcome.sharedTokens == said.count - 1)
      try await fresh.run { nodes in
        try await Self.spread(fresh, nodes)
        let alone = try await nodes[0].generate(Self.turn(fresh, after: said)) { _ in }
        #expect(alone.sharedTokens == 0)
        #expect(outcome.tokens == alone.tokens && outcome.digest == alone.digest)
      }
    }

    /// Nine plans want a place at the ranks, each of which has four.
    @Test func `lanes that rest make way for others, and no peer is blamed`() async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      try await world.run { nodes in
        try await Self.spread(world, nodes)
        let interruptions = Mutex(0)
        let emit = { @Sendable (event: GenerationEvent) in
          if case .interrupted = event { interruptions.withLock { $0 += 1 } }
        }
        let first = try await nodes[2].generate(Self.turn(world, after: []), emit: emit)
        for objective in PlanObjective.allCases {
          for node in nodes {
            var request = Self.turn(world, after: [])
            request.objective = objective
            let outcome = try await node.generate(request, emit: emit)
            #expect(outcome.digest == first.digest)
          }
        }
        let again = try await nodes[2].generate(Self.turn(world, after: []), emit: emit)
        #expect(again.digest == first.digest)
        #expect(interruptions.withLock { $0 } == 0)
      }
    }
  }
}
