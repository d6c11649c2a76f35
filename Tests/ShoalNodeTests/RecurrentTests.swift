// Mamba against tokens and logits that transformers computed, alone and dealt to uneven ranks, the
// prompt at once and token by token; and over a mesh that loses a peer.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

private struct RecurrentOracle: Decodable {
  struct Case: Decodable {
    let name: String
    let input_ids: [UInt32]
    let logits_last: [Float]
    let greedy: [UInt32]?
  }
  let cases: [Case]
}

@Suite(.enabled(if: ReferenceData.exists("oracles/mamba"), "the shared data is absent"))
struct RecurrentTests {
  private static let dealings = [
    Dealing(weights: [5, 2, 1]), Dealing(weights: [1, 0, 1], kernel: .reference, batch: 1),
    Dealing(weights: [1, 1, 1], asCards: true, threads: 2, batch: 7), Dealing(batch: 1),
  ]

  /// A file, or the hub's directory in each dialect of its configuration.
  private static func engine(_ name: String) throws -> Engine {
    name.hasSuffix(".json")
      ? try OracleModel(name: "mamba").engine(config: name)
      : try Engine(shared: "gguf/\(name).gguf")
  }

  @Test(arguments: [
    ("mamba-f32", 0.0001), ("mamba-f16", 0.003), ("config.json", 0.0001),
    ("config_v5.json", 0.0001),
  ])
  func `greedy tokens are the oracle's, however channels and steps are dealt`(
    _ file: String, _ bound: Double
  ) async throws {
    let engine = try Self.engine(file)
    let oracle = try ReferenceData.decode(
      "oracles/mamba/expected.json", as: RecurrentOracle.self)
    #expect(oracle.cases.count == 4)
    for each in oracle.cases {
      let greedy = try #require(each.greedy)
      let alone = try await engine.generate(each.input_ids, count: greedy.count, logits: true)
      #expect(alone.tokens == greedy, "\(each.name)")
      let distance = LogitDistance(alone.logits[0], from: each.logits_last)
      #expect(distance.typical < bound, "\(each.name): \(distance)")
      for dealing in Self.dealings {
        let dealt = try await engine.generate(each.input_ids, count: greedy.count, dealing)
        #expect(dealt.digest == alone.digest, "\(each.name), \(dealing)")
      }
    }
  }

  @Test(arguments: [
    OracleCase(file: "mamba-f16", typical: 0.001, largest: 0.003),
    OracleCase(file: "mamba-q8_0", typical: 0.045, largest: 0.16),
    OracleCase(file: "mamba-q4_0", typical: 0.045, largest: 0.16),
  ])
  func `logits are as near to those of f32 as int8 activations allow`(
    _ expectation: OracleCase
  ) async throws {
    let engine = try Engine(shared: "gguf/\(expectation.file).gguf")
    let oracle = try ReferenceData.decode(
      "gguf/\(expectation.file).json", as: RecurrentOracle.self)
    for each in oracle.cases {
      let alone = try await engine.generate(each.input_ids, count: 8, logits: true)
      let distance = LogitDistance(alone.logits[0], from: each.logits_last)
      #expect(distance.typical < expectation.typical, "\(each.name): \(distance)")
      #expect(distance.largest < expectation.largest, "\(each.name): \(distance)")
      for dealing in Self.dealings {
        let dealt = try await engine.generate(each.input_ids, count: 8, dealing)
        #expect(dealt.digest == alone.digest, "\(each.name), \(dealing)")
      }
    }
  }

  @Test func `vectors are refused of a model that knows one past only`() async throws {
    let engine = try Engine(shared: "gguf/mamba-f32.gguf")
    await #expect(throws: NodeError.makesNoVectors("test")) {
      try await engine.embed([[5, 6]], PoolingOptions(.last, isNormalised: true))
    }
  }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct RecurrentMeshTests {
    static let model = SharedData.url("gguf/mamba-q8_0.gguf")
    private static let isThere = FileManager.default.fileExists(atPath: model.path)

    @Test(.enabled(if: isThere))
    func `a worker with channels dies in the middle of a stream, and not a token differs`()
      async throws
    {
      let world = try TestMesh(peers: 3)
      defer { world.remove() }
      let alone = try await world.digestAlone(Self.model, tokens: 32)
      try await world.runMortal { nodes, kill in
        let entry = try await nodes[0].importModel(
          path: Self.model.path, name: "story", progress: { _, _ in })
        for node in nodes {
          try await world.until { await node.peers().count { $0.state == .alive } == 3 }
          try await world.until { try await node.models().contains { $0.entry == entry } }
        }
        try await world.until { try world.othersHoldAll(of: 0) }
        let outcome = try await nodes[2].generate(
          world.request(tokens: 32, objective: .spread)
        ) { event in
          if case .token(let token) = event, token.token == alone.tokens[7] { kill(0) }
        }
        #expect(outcome.tokens == alone.tokens)
        #expect(outcome.digest == alone.digest)
      }
    }
  }
}
