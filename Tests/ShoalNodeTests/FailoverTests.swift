// A stream survives the death of peers with the very same tokens.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(2)))
struct FailoverTests {
  private static let isThere = FileManager.default.fileExists(atPath: MeshTests.model.path)

  /// What a client hears, and the moments at which peers die.
  private final class Listener: Sendable {
    struct Heard {
      var tokens: [UInt32] = []
      var terms: [Term] = []
      var members: [[PeerID]] = []
    }
    private let heard = Mutex(Heard())
    private let act: @Sendable (Int) -> Void

    /// - Parameter act: called with the number of tokens so far.
    init(_ act: @escaping @Sendable (Int) -> Void) { self.act = act }

    func hear(_ event: GenerationEvent) {
      switch event {
      case .fetching: break
      case .started(_, _, _, let members, _):
        heard.withLock { $0.members.append(members.map(\.peer)) }
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
      #expect(heard.members.first?.count == 3)
      #expect(heard.members.last?.count == 3 - deaths.count)
      #expect(!heard.terms.isEmpty)
      #expect(heard.terms == heard.terms.sorted())
    }
  }
}
