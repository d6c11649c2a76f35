// A stream survives the death of peers with the very same tokens.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct FailoverTests {
    private static let isThere = FileManager.default.fileExists(atPath: MeshTests.model.path)

    /// What a client hears, and the moments at which peers die.
    private final class Listener: Sendable {
      struct Heard {
        var tokens: [UInt32] = []
        var terms: [Term] = []
        var members: [[PeerID]] = []
        var job: JobID?
      }
      private let heard = Mutex(Heard())
      /// Signalled once the job has all its witnesses.
      let witnessed = SystemThreads().gate()
      private let act: @Sendable (Int) -> Void

      /// - Parameter act: called with the number of tokens so far.
      init(_ act: @escaping @Sendable (Int) -> Void) { self.act = act }

      func hear(_ event: GenerationEvent) {
        switch event {
        case .fetching, .interrupted: break
        case .witnesses(let apis): if apis.count == Limits.witnesses { witnessed.signal() }
        case .started(let job, _, _, let members, _):
          heard.withLock {
            $0.members.append(members.map(\.peer))
            $0.job = job
          }
        case .continued(let term, _, let members):
          heard.withLock {
            $0.terms.append(term)
            $0.members.append(members.map(\.peer))
          }
        case .token(let token):
          let count = heard.withLock {
            $0.tokens.append(token.token)
            return $0.tokens.count
          }
          act(count)
        }
      }

      var all: Heard { heard.withLock { $0 } }
    }

    /// Brings the model to all nodes of `world`, so that any one may die.
    private static func spread(_ world: TestMesh, _ nodes: [Node], from first: Int) async throws {
      let entry = try await nodes[first].importModel(
        path: MeshTests.model.path, name: "story", progress: { _, _ in })
      for node in nodes {
        try await world.until { await node.peers().count { $0.state == .alive } == nodes.count }
        try await world.until { try await node.models().contains { $0.entry == entry } }
      }
      try await world.until { try world.othersHoldAll(of: first) }
    }

    @Test(.enabled(if: isThere), arguments: [[8], [8, 20], [8, 8]])
    func `workers die in the middle of a stream, and not a token differs`(
      _ deaths: [Int]
    ) async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(MeshTests.model, tokens: 40)
      try await world.runMortal { nodes, kill in
        try await Self.spread(world, nodes, from: 0)
        let listener = Listener { count in
          for (victim, moment) in deaths.enumerated() where moment == count { kill(victim) }
        }
        let outcome = try await nodes[2].generate(
          world.request(tokens: 40, objective: .spread)
        ) { listener.hear($0) }
        #expect(outcome.tokens == alone.tokens)
        #expect(outcome.digest == alone.digest)
        let heard = listener.all
        #expect(heard.tokens == alone.tokens)
        // A busy machine may have made somebody suspect the living; of the dead none is left.
        let dead = Set(deaths.indices.map { nodes[$0].peer })
        #expect(!heard.members.isEmpty)
        #expect(dead.isDisjoint(with: heard.members.last ?? []))
        #expect(heard.terms == heard.terms.sorted())
      }
    }

    @Test(.enabled(if: isThere), arguments: [0, 2])
    func `a member of a pipeline stage dies, and not a token differs`(_ victim: Int) async throws {
      let world = try TestMesh(peers: 5, cliques: ["east", "east", "west", "west", "east"])
      defer { world.remove() }
      let alone = try await world.digestAlone(MeshTests.model, tokens: 40)
      try await world.runMortal { nodes, kill in
        try await Self.spread(world, nodes, from: 0)
        let planned = try await nodes[4].plan(
          model: "story", objective: .spread, context: nil)
        #expect(planned.report.plan.stages.map(\.ranks.count).sorted() == [2, 3])
        let listener = Listener { if $0 == 8 { kill(victim) } }
        let outcome = try await nodes[4].generate(
          world.request(tokens: 40, objective: .spread)
        ) { listener.hear($0) }
        #expect(outcome.tokens == alone.tokens)
        #expect(outcome.digest == alone.digest)
        let heard = listener.all
        #expect(heard.tokens == alone.tokens)
        #expect(heard.members.count > 1)
        #expect(heard.members.last?.contains(nodes[victim].peer) == false)
      }
    }

    @Test(.enabled(if: isThere))
    func `a worker that leaves hands its part over, and its peers do not have to miss it`()
      async throws
    {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(MeshTests.model, tokens: 40)
      try await world.runMortal { nodes, _ in
        try await Self.spread(world, nodes, from: 0)
        let (moments, leave) = AsyncStream<Void>.makeStream()
        let listener = Listener { if $0 == 8 { leave.yield() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for await _ in moments { break }
            await nodes[0].depart()
          }
          // The entry's thread waits until the worker takes no further step.
          let gone = SystemThreads().gate()
          group.addTask {
            try await world.until { await nodes[0].isLeaving }
            gone.signal()
          }
          let outcome = try await nodes[2].generate(
            world.request(tokens: 40, objective: .spread)
          ) { event in
            listener.hear(event)
            if listener.all.tokens.count == 8, case .token = event { _ = gone.wait(until: nil) }
          }
          #expect(outcome.digest == alone.digest)
          #expect(listener.all.tokens == alone.tokens)
          let heard = listener.all
          #expect(
            heard.members.last == [nodes[1].peer, nodes[2].peer].sorted(),
            "left \(nodes[0].peer), entry \(nodes[2].peer): \(heard.terms) \(heard.members)")
          try await group.waitForAll()
        }
      }
    }

    /// What the client has heard when its peer goes: less than witnesses know, as much, or more.
    @Test(.enabled(if: isThere), arguments: [0, 7, 12, 30])
    func `another peer goes on where the client's peer has gone`(_ shown: Int) async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(MeshTests.model, tokens: 40)
      try await world.runMortal { nodes, kill in
        try await Self.spread(world, nodes, from: 0)
        for (number, node) in nodes.enumerated() {
          node.serves(api: try #require(Endpoint("127.0.0.1:\(7_000 + number)")))
        }
        let first = try await Self.cut(world, nodes[2], after: 12)
        let job = try #require(first.job)
        try await world.until { await nodes[0].keeps(job) }
        kill(2)
        let rest = Listener { _ in }
        let outcome = try await nodes[0].resume(job, shown: shown) { rest.hear($0) }
        #expect(outcome.tokens == alone.tokens)
        #expect(outcome.digest == alone.digest)
        #expect(rest.all.tokens == Array(alone.tokens.dropFirst(shown)))
        // The end is kept as well, for a client that lost it.
        let end = Listener { _ in }
        let again = try await nodes[0].resume(job, shown: 40) { end.hear($0) }
        #expect(again.digest == alone.digest)
        #expect(end.all.tokens.isEmpty)
        await #expect(throws: NodeError.unknownJob) {
          try await nodes[0].resume(JobID(.zero), shown: 0) { _ in }
        }
      }
    }

    /// Begins a job at `node`, and goes away after so many tokens.
    private static func cut(
      _ world: TestMesh, _ node: Node, after count: Int
    ) async throws -> Listener.Heard {
      let (cuts, cut) = AsyncStream<Void>.makeStream()
      let listener = Listener { heard in if heard == count { cut.yield() } }
      // The entry's thread waits here: tokens come faster than witnesses are found.
      let hear: @Sendable (GenerationEvent) -> Void = { event in
        if case .token = event, listener.all.tokens.isEmpty {
          _ = listener.witnessed.wait(until: nil)
        }
        listener.hear(event)
      }
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          let request = world.request(tokens: 40, objective: .spread)
          _ = try? await node.generate(request, emit: hear)
        }
        for await _ in cuts { break }
        group.cancelAll()
      }
      return listener.all
    }
  }
}
