// Every family of models against logits and greedy tokens that transformers computed, alone and
// dealt to three uneven ranks.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

/// A tiny model's `expected.json`.
private struct FamilyOracle: Decodable {
  struct Case: Decodable {
    let name: String
    let input_ids: [UInt32]
    let logits_last: [Float]
    let greedy: [UInt32]
  }
  let cases: [Case]
}

@Suite(.enabled(if: ReferenceData.exists("oracles"), "the shared data is absent"))
struct FamilyOracleTests {
  /// Models that the data has as GGUF in f32.
  static let families = ["llama3-rope", "mixtral", "qwen2", "qwen3"]

  @Test(arguments: families)
  func `greedy tokens are the oracle's, by one rank and by three uneven ones with one digest`(
    _ family: String
  ) async throws {
    let engine = try Engine(shared: "gguf/\(family)-f32.gguf")
    let oracle = try ReferenceData.decode("oracles/\(family)/expected.json", as: FamilyOracle.self)
    #expect(oracle.cases.count == 4)
    for each in oracle.cases {
      let count = each.greedy.count
      let alone = try await engine.generate(each.input_ids, count: count, logits: true)
      #expect(alone.tokens == each.greedy, "\(each.name)")
      let distance = LogitDistance(alone.logits[0], from: each.logits_last)
      #expect(distance.typical < 0.0001, "\(each.name): \(distance)")
      for dealing in [
        Dealing(weights: [5, 2, 1]), Dealing(weights: [1, 3, 1], asCards: true, batch: 1),
      ] {
        let dealt = try await engine.generate(each.input_ids, count: count, dealing)
        #expect(dealt.digest == alone.digest, "\(each.name), \(dealing)")
      }
    }
  }

  @Test(arguments: families, KernelPath.available)
  func `every kernel path and any number of ranks have one digest`(
    _ family: String, _ kernel: KernelPath
  ) async throws {
    let engine = try Engine(shared: "gguf/\(family)-f32.gguf")
    let prompt = (0..<40).map { UInt32($0 * 37 % 500 + 3) }
    let alone = try await engine.generate(prompt, count: 4)
    for weights in [[1], [1, 1], [1, 0, 3], [1, 1, 1, 1, 1], [3, 1, 4, 1, 5, 9, 2]] {
      let dealing = Dealing(weights: weights, kernel: kernel, threads: 2, batch: 7)
      let dealt = try await engine.generate(prompt, count: 4, dealing)
      #expect(dealt.digest == alone.digest, "\(dealing)")
    }
  }
}
