// Every family of models against logits and greedy tokens that transformers computed, alone and
// dealt to three uneven ranks, as GGUF files and as Hugging Face directories.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
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

/// A directory whose `config.json` is another of its files.
private struct Reconfigured: ModelDirectory {
  let folder: ModelFolder
  let config: String
  var name: String { folder.name }
  func fileNames() throws -> [String] { try folder.fileNames() }
  func file(_ name: String) throws -> (any ByteSource)? {
    try folder.file(name == "config.json" ? config : name)
  }
}

/// A tiny model in one of the forms that the data has.
struct OracleModel: Sendable, CustomTestStringConvertible {
  let name: String
  var isGGUF = false
  /// How far a row of logits may be from the oracle's, in standard deviations. Of weights in f16
  /// and bf16 the cache is f16: docs/NUMERICS.md.
  var typical = 0.0001
  var testDescription: String { isGGUF ? "\(name).gguf" : name }

  static let files = ["gemma3", "gpt2", "llama3-rope", "mixtral", "qwen2", "qwen3"].map {
    OracleModel(name: $0, isGGUF: true)
  }
  static let directories =
    [
      "falcon-7b", "gemma2", "gemma3", "gpt2", "llama-bias", "llama-gqa", "llama-mha",
      "llama-tied", "llama3-rope", "mistral-swa", "mixtral", "olmo2", "phi3", "qwen2", "qwen3",
      "starcoder2",
    ].map { OracleModel(name: $0) }
    + ["llama-bf16-sharded", "llama-k256"].map { OracleModel(name: $0, typical: 0.001) }
  static let all = files + directories
  /// One form of each family.
  static let families =
    files
    + directories.filter { model in
      ["falcon-7b", "gemma2", "mistral-swa", "olmo2", "phi3", "starcoder2"].contains(model.name)
    }

  /// - Parameter config: the configuration, in the hub's keys or in those of transformers 5.
  func engine(config: String = "config.json") throws -> Engine {
    guard !isGGUF else { return try Engine(shared: "gguf/\(name)-f32.gguf") }
    let path = ReferenceData.folder.appending(path: "oracles/\(name)").path
    return try Engine(
      .directory(Reconfigured(folder: ModelFolder(path: path), config: config)))
  }
}

@Suite(.enabled(if: ReferenceData.exists("oracles"), "the shared data is absent"))
struct FamilyOracleTests {
  @Test(arguments: OracleModel.all)
  func `greedy tokens are the oracle's, by one rank and by three uneven ones with one digest`(
    _ model: OracleModel
  ) async throws {
    let engine = try model.engine()
    let oracle = try ReferenceData.decode(
      "oracles/\(model.name)/expected.json", as: FamilyOracle.self)
    #expect(oracle.cases.count == 4)
    for each in oracle.cases {
      // A generation ends where the model says so; the oracle went on.
      let end = each.greedy.firstIndex { engine.tokenizer.isEndOfGeneration(TokenID($0)) }
      let count = each.greedy.count
      let alone = try await engine.generate(each.input_ids, count: count, logits: true)
      #expect(alone.tokens == Array(each.greedy[..<(end ?? count)]), "\(each.name)")
      let distance = LogitDistance(alone.logits[0], from: each.logits_last)
      #expect(distance.typical < model.typical, "\(each.name): \(distance)")
      for dealing in [
        Dealing(weights: [5, 2, 1]), Dealing(weights: [1, 3, 1], asCards: true, batch: 1),
      ] {
        let dealt = try await engine.generate(each.input_ids, count: count, dealing)
        #expect(dealt.digest == alone.digest, "\(each.name), \(dealing)")
      }
    }
  }

  @Test(arguments: OracleModel.directories)
  func `both dialects of a configuration are one model`(_ model: OracleModel) throws {
    let hub = try model.engine()
    #expect(try model.engine(config: "config_v5.json").model == hub.model)
  }

  @Test(arguments: OracleModel.families, KernelPath.available)
  func `every kernel path and any number of ranks have one digest`(
    _ model: OracleModel, _ kernel: KernelPath
  ) async throws {
    let engine = try model.engine()
    let prompt = (0..<40).map { UInt32($0 * 37 % 500 + 3) }
    let alone = try await engine.generate(prompt, count: 4)
    for weights in [[1], [1, 1], [1, 0, 3], [1, 1, 1, 1, 1], [3, 1, 4, 1, 5, 9, 2]] {
      let dealing = Dealing(weights: weights, kernel: kernel, threads: 2, batch: 7)
      let dealt = try await engine.generate(prompt, count: 4, dealing)
      #expect(dealt.digest == alone.digest, "\(dealing)")
    }
  }
}
