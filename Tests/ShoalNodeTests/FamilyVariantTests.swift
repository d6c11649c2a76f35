// Families and their odd variants against what transformers computed of them: tiny models of random
// weights under Tests/Fixtures/families, which make.py there makes.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

/// A directory of `Tests/Fixtures/families`.
struct FamilyVariant: Sendable, CustomTestStringConvertible {
  struct Expected: Decodable {
    struct Case: Decodable {
      let input_ids: [UInt32]
      /// Of a decoder.
      let greedy: [UInt32]?
      let logits_last: [Float]?
      /// Of an encoder: (tokens, hidden)
      let rows: [[Float]]?
    }
    let kind: String
    let cases: [Case]
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/families").standardizedFileURL
  static let all: [FamilyVariant] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { FamilyVariant(name: $0) }.filter { $0.exists("expected.json") }
  }()

  let name: String
  var testDescription: String { name }

  /// Of weights in f16 and bf16 the cache is f16: docs/NUMERICS.md.
  var typical: Double { name.contains("f16") ? 0.002 : 0.0001 }
  var isRenamed: Bool { exists("config_hub.json") }

  private func exists(_ file: String) -> Bool {
    FileManager.default.fileExists(atPath: Self.folder.appending(path: "\(name)/\(file)").path)
  }

  func expected() throws -> Expected {
    let file = Self.folder.appending(path: "\(name)/expected.json")
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
  }

  /// - Parameter config: in the keys of transformers 5, or in the hub's older ones.
  func engine(config: String = "config.json") throws -> Engine {
    try Engine(.directory(Files(name: name, config: config)))
  }

  /// The model's own files, and the tokenizer that all have.
  private struct Files: ModelDirectory {
    let name: String
    let config: String

    private var model: ModelFolder {
      get throws { try ModelFolder(path: FamilyVariant.folder.path + "/" + name) }
    }
    func fileNames() throws -> [String] { try model.fileNames() + ["tokenizer.json"] }
    func file(_ name: String) throws -> (any ByteSource)? {
      switch name {
      case "config.json": try model.file(config)
      case "tokenizer.json": try ModelFolder(path: FamilyVariant.folder.path).file(name)
      case _: try model.file(name)
      }
    }
  }
}

struct FamilyVariantTests {
  @Test func `the fixtures are there`() { #expect(FamilyVariant.all.count > 35) }

  @Test(arguments: FamilyVariant.all)
  func `a variant computes what transformers computes, alone and dealt to three with one digest`(
    _ variant: FamilyVariant
  ) async throws {
    let engine = try variant.engine()
    let expected = try variant.expected()
    #expect(!expected.cases.isEmpty)
    for each in expected.cases {
      if let rows = each.rows {
        try await checkEncoder(engine, each.input_ids, rows, variant)
      } else {
        try await checkDecoder(engine, each, variant)
      }
    }
  }

  @Test(arguments: FamilyVariant.all.filter(\.isRenamed))
  func `the hub's keys and those of transformers 5 describe one model`(
    _ variant: FamilyVariant
  ) throws {
    #expect(try variant.engine(config: "config_hub.json").model == variant.engine().model)
  }

  private func checkDecoder(
    _ engine: Engine, _ each: FamilyVariant.Expected.Case, _ variant: FamilyVariant
  ) async throws {
    let greedy = try #require(each.greedy)
    let alone = try await engine.generate(each.input_ids, count: greedy.count, logits: true)
    #expect(alone.tokens == greedy)
    let distance = LogitDistance(alone.logits[0], from: try #require(each.logits_last))
    #expect(distance.typical < variant.typical, "\(distance)")
    for dealing in [
      Dealing(weights: [5, 2, 1]), Dealing(stages: [[3, 1], [2, 1]], batch: 1),
    ] {
      let dealt = try await engine.generate(each.input_ids, count: greedy.count, dealing)
      #expect(dealt.digest == alone.digest, "\(dealing)")
    }
  }

  private func checkEncoder(
    _ engine: Engine, _ tokens: [UInt32], _ expected: [[Float]], _ variant: FamilyVariant
  ) async throws {
    let text = EncodedText(tokens)
    let rows = try engine.rows(text)
    let distance = LogitDistance(rows.flatMap(\.self), from: expected.flatMap(\.self))
    #expect(distance.typical < variant.typical, "\(distance)")
    let mean = PoolingOptions(.mean, isNormalised: true)
    let alone = try await engine.embed([text], mean)
    let dealt = try await engine.embed([text], mean, Dealing(weights: [5, 2, 1]))
    #expect(dealt.digest == alone.digest)
  }
}
