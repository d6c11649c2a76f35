// Whole nodes over loopback sockets, in one process: they find each other, share a model, and say
// together what one of them says alone.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct MeshTests {
    static let model = SharedData.url("models/stories260K/stories260K-q8_0.gguf")

    @Test(.enabled(if: FileManager.default.fileExists(atPath: model.path)))
    func threePeersFindEachOtherAndSayWhatOneSaysAlone() async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(Self.model, tokens: 24)
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: Self.model.path, name: "story", progress: { _, _ in })
        try await world.until { await nodes[2].peers().count { $0.state == .alive } == 3 }
        try await world.until { try await nodes[2].models().contains { $0.entry == entry } }
        for objective in [PlanObjective.spread, .latency] {
          let outcome = try await nodes[2].generate(
            world.request(tokens: 24, objective: objective), emit: { _ in })
          #expect(outcome.digest == alone.digest)
          #expect(outcome.tokens == alone.tokens)
        }
      }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: model.path)))
    func aNameIsPublishedRetiredAndSeenByAll() async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      try await world.run { nodes in
        try await world.until { await nodes[2].peers().count { $0.state == .alive } == 3 }
        let events = await nodes[2].registryEvents()
        _ = try await nodes[0].importModel(
          path: Self.model.path, name: "story", progress: { _, _ in })
        try await world.until { try await nodes[1].models().count == 1 }
        // Anybody may give a model a name of its own.
        let renamed = try await nodes[1].publish(model: "story", name: "tale", location: "hf:a/b")
        try await world.until { try await nodes[0].models().contains { $0.entry == renamed } }
        let retired = try await nodes[0].retire(name: "story")
        #expect(retired.revision == 2)
        try await world.until { try await nodes[2].models().map(\.entry.name) == ["tale"] }
        #expect(await nodes[2].registryEntries().map(\.isRetired).contains(true))
        var seen: [String] = []
        for await case .seen(let news) in events {
          seen.append("\(news.change.kind) \(news.entry.name)")
          if seen.count == 3 { break }
        }
        #expect(Set(seen) == ["register story", "register tale", "retire story"])
        await #expect(throws: RegistryError.notRegistered("tale")) {
          try await nodes[2].retire(name: "tale")
        }
      }
    }
  }
}
