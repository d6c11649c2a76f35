// Vectors by whole nodes over loopback sockets: what one says alone, also when a peer dies.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct EmbeddingMeshTests {
    static let model = SharedData.url("gguf/bert-q8_0.gguf")
    private static let isThere = FileManager.default.fileExists(atPath: model.path)

    /// Enough for some steps.
    private static let request = EmbeddingRequest(
      model: "vectors",
      texts: (0..<60).map { .tokens(EncodedText(tokens(of: $0))) }, objective: .spread)

    /// Texts of 1 to 60 tokens, all different.
    private static func tokens(of number: Int) -> [UInt32] {
      (0...number).map { place in
        let token = (place * 37 + number) % 500 + 5
        return UInt32(token)
      }
    }

    @Test(.enabled(if: isThere), arguments: [false, true])
    func `three peers make the vectors that one makes alone, also when one of them dies`(
      _ oneDies: Bool
    ) async throws {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await Engine(shared: "gguf/bert-q8_0.gguf").embed(
        Self.request.texts.map { text in
          if case .tokens(let tokens) = text { tokens } else { [] }
        })
      try await world.runMortal { nodes, kill in
        let entry = try await nodes[0].importModel(
          path: Self.model.path, name: "vectors", progress: { _, _ in })
        for node in nodes {
          try await world.until { await node.peers().count { $0.state == .alive } == 3 }
          try await world.until { try await node.models().contains { $0.entry == entry } }
        }
        try await world.until { try world.othersHoldAll(of: 0) }
        // While it is still believed to live, so that the first plan counts on it.
        if oneDies { kill(0) }
        let outcome = try await nodes[2].embed(Self.request)
        #expect(outcome.digest == alone.digest)
        #expect(outcome.vectors == alone.vectors)
        #expect(!oneDies || !outcome.members.contains { $0.peer == nodes[0].peer })
        await #expect(throws: NodeError.makesNoText("bert")) {
          try await nodes[1].generate(
            GenerationRequest(
              model: "vectors", prompt: .text("a"),
              options: GenerationOptions(maximumTokens: 1, sampling: .greedy)), emit: { _ in })
        }
      }
    }
  }
}
