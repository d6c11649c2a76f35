// Logits and text against models that others computed: how far int8 activations are from f32.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

/// Logits of dequantised weights in f32, as `gguf/X.json` has them.
private struct Oracle: Decodable {
  struct Case: Decodable {
    let input_ids: [UInt32]
    let logits_last: [Float]
  }
  let cases: [Case]
}

/// stories260K's `expected.json`.
struct StoriesExpectation: Decodable {
  struct Case: Decodable {
    let prompt_ids: [UInt32]
    let greedy: [UInt32]
    let logits_last: [Float]
    /// The quantised file whose dequantised weights were used; nil for the model in f32.
    let gguf: String?
  }
  struct Likelihood: Decodable {
    let ids: [UInt32]
    let mean_nll: Double
  }
  let cases: [Case]
  let nll: Likelihood

  static func read() throws -> StoriesExpectation {
    try ReferenceData.decode("models/stories260K/expected.json", as: StoriesExpectation.self)
  }
}

/// How far two rows of logits are apart, in standard deviations of the row expected.
struct LogitDistance: CustomStringConvertible {
  /// Root of the mean square of the differences.
  let typical: Double
  let largest: Double
  var description: String { "typical \(typical), largest \(largest)" }

  init(_ found: [Float], from expected: [Float]) {
    let mean = expected.reduce(0.0) { $0 + Double($1) } / Double(expected.count)
    let variance = expected.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    let deviation = (variance / Double(expected.count)).squareRoot()
    let differences = zip(found, expected).map { (Double($0) - Double($1)).magnitude / deviation }
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    typical = (squares / Double(differences.count)).squareRoot()
    largest = found.count == expected.count ? differences.max() ?? .infinity : .infinity
  }
}

/// A file, and how far its logits may be from f32 (docs/NUMERICS.md, "How far from f32").
struct OracleCase: Sendable, CustomTestStringConvertible {
  let file: String
  let typical: Double
  let largest: Double
  var testDescription: String { file }
}

@Suite(.enabled(if: ReferenceData.exists("gguf"), "the shared data is absent"))
struct LocalRanksOracleTests {
  static let cases =
    [
      OracleCase(file: "llama-gqa-f16", typical: 0.001, largest: 0.003),
      OracleCase(file: "llama-k256-f16", typical: 0.001, largest: 0.003),
      OracleCase(file: "llama-gqa-q8_0", typical: 0.045, largest: 0.16),
      OracleCase(file: "llama-k256-q8_0", typical: 0.045, largest: 0.16),
      OracleCase(file: "llama-gqa-q4_0", typical: 0.045, largest: 0.16),
      OracleCase(file: "llama-k256-q4_0", typical: 0.045, largest: 0.16),
      OracleCase(file: "llama-k256-bf16", typical: 0.001, largest: 0.003),
      OracleCase(file: "gpt2-f16", typical: 0.002, largest: 0.006),
      OracleCase(file: "gpt2-q8_0", typical: 0.045, largest: 0.16),
      OracleCase(file: "gpt2-q4_0", typical: 0.1, largest: 0.36),
    ] + mixes.map { OracleCase(file: $0, typical: 0.045, largest: 0.16) }

  /// Files of several formats each, as quantisers make them.
  static let mixes = [
    "q4_1", "q5_0", "q5_1", "q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k", "iq4_nl", "iq4_xs",
  ].map { "llama-k256-" + $0 }

  @Test(arguments: cases) func `logits are as near to those of f32 as int8 activations allow`(
    _ expectation: OracleCase
  ) async throws {
    let engine = try Engine(shared: "gguf/\(expectation.file).gguf")
    let oracle = try ReferenceData.decode("gguf/\(expectation.file).json", as: Oracle.self)
    #expect(oracle.cases.count == 4)
    for expected in oracle.cases {
      let outcome = try await engine.generate(expected.input_ids, count: 1, logits: true)
      let distance = LogitDistance(outcome.logits[0], from: expected.logits_last)
      #expect(distance.typical < expectation.typical, "\(distance)")
      #expect(distance.largest < expectation.largest, "\(distance)")
    }
  }

  /// What is left of the distance when activations are not rounded to int8 is nothing: the rest of
  /// the arithmetic is that of f32.
  @Test(
    arguments: [
      "gpt2-q8_0", "gpt2-q4_0", "llama-gqa-q8_0", "llama-k256-q8_0", "llama-gqa-q4_0",
      "llama-k256-q4_0",
    ] + mixes)
  func `the dequantised weights as an f32 model have the logits of f32`(
    _ file: String
  ) async throws {
    let bytes = try ReferenceData.bytes("gguf/\(file).gguf")
    let engine = try Engine(GGUFModelFile(dequantising: bytes).bytes)
    for expected in try ReferenceData.decode("gguf/\(file).json", as: Oracle.self).cases {
      let outcome = try await engine.generate(expected.input_ids, count: 1, logits: true)
      let distance = LogitDistance(outcome.logits[0], from: expected.logits_last)
      #expect(distance.largest < 1e-4, "\(distance)")
    }
  }

  /// llama.cpp rounds activations to int8 too, but in blocks of 256 for super-blocks: both are as
  /// far from f32 as the bounds above say, 0.16 of a deviation of about 2.5.
  @Test(arguments: (["q8_0", "q4_0"].map { "llama-k256-" + $0 } + mixes))
  func `the likeliest next tokens are those of llama.cpp`(_ file: String) async throws {
    struct Case: Decodable {
      let input_ids: [UInt32]
      let tokens: [UInt32]
      /// (token, log probability) of the five likeliest after the prompt.
      let top: [[Double]]
    }
    let engine = try Engine(shared: "gguf/\(file).gguf")
    for expected in try ReferenceData.decode("gguf/\(file).llamacpp.json", as: [Case].self) {
      let found = try await engine.generate(
        expected.input_ids, count: 1, logits: true)
      let logits = found.logits[0].map { Double($0) }
      let total = log(logits.reduce(0) { $0 + exp($1) })
      for each in expected.top {
        let distance = (logits[Int(each[0])] - total - each[1]).magnitude
        #expect(distance < 0.4, "token \(each[0])")
      }
      // Nearer ones may change places.
      if expected.top[0][1] - expected.top[1][1] > 0.4 {
        #expect(found.tokens[0] == expected.tokens[0])
      }
    }
  }

  /// Its table of GELU is f16.
  @Test(arguments: [
    ("gemma3", 0.002), ("gpt2", 0.002), ("llama-gqa", 0.0002), ("llama3-rope", 0.0002),
    ("mixtral", 0.0002), ("qwen2", 0.0002), ("qwen3", 0.0002),
  ])
  func `probabilities of f32 files are those of llama.cpp`(
    _ family: String, _ bound: Double
  ) async throws {
    struct Case: Decodable {
      let input_ids: [UInt32]
      /// (token, log probability) of the five likeliest after the prompt.
      let top: [[Double]]
    }
    let engine = try Engine(shared: "gguf/\(family)-f32.gguf")
    let cases = try ReferenceData.decode("gguf/\(family)-f32.llamacpp.json", as: [Case].self)
    for expected in cases {
      let found = try await engine.generate(expected.input_ids, count: 1, logits: true)
      let logits = found.logits[0].map { Double($0) }
      let total = log(logits.reduce(0) { $0 + exp($1) })
      for each in expected.top {
        let distance = (logits[Int(each[0])] - total - each[1]).magnitude
        #expect(distance < bound, "token \(each[0])")
      }
    }
  }

  /// The oracles of f32 files lie beside the Hugging Face checkpoints they were made from.
  @Test(arguments: [
    ("llama-gqa-f32", "llama-gqa"), ("llama-k256-f32", "llama-k256"),
    ("llama3-rope-f32", "llama3-rope"),
  ])
  func `f32 logits and greedy tokens are those of the published implementation`(
    _ file: String, _ oracle: String
  ) async throws {
    struct Greedy: Decodable {
      struct Case: Decodable {
        let input_ids: [UInt32]
        let logits_last: [Float]
        let greedy: [UInt32]
      }
      let cases: [Case]
    }
    let engine = try Engine(shared: "gguf/\(file).gguf")
    let expected = try ReferenceData.decode("oracles/\(oracle)/expected.json", as: Greedy.self)
    for each in expected.cases {
      let outcome = try await engine.generate(
        each.input_ids, count: each.greedy.count, logits: true)
      // A generation ends where the model says so; the oracle went on.
      let ends = each.greedy.firstIndex { engine.tokenizer.isEndOfGeneration(TokenID($0)) }
      #expect(outcome.tokens == Array(each.greedy[..<(ends ?? each.greedy.count)]))
      let distance = LogitDistance(outcome.logits[0], from: each.logits_last)
      #expect(distance.largest < 1e-4, "\(distance)")
    }
  }
}

@Suite(.enabled(if: ReferenceData.exists("models/stories260K"), "the shared data is absent"))
struct LocalRanksStoriesTests {
  private static let folder = "models/stories260K/stories260K-"

  @Test(arguments: ["f32", "f16"])
  func `greedy text of the trained model is the published one`(_ format: String) async throws {
    let engine = try Engine(shared: Self.folder + format + ".gguf")
    let expected = try StoriesExpectation.read()
    #expect(expected.cases[0].greedy.count == 200)
    for each in expected.cases where each.gguf == nil {
      let outcome = try await engine.generate(each.prompt_ids, count: each.greedy.count)
      #expect(outcome.tokens == each.greedy, "prompt \(each.prompt_ids)")
    }
  }

  @Test(arguments: ["f32", "f16", "q8_0", "q4_0"], KernelPath.available)
  func `the trained model has one digest for 1, 2, 3, 5 and 7 ranks`(
    _ format: String, _ kernel: KernelPath
  ) async throws {
    let engine = try Engine(shared: Self.folder + format + ".gguf")
    let prompt: [UInt32] = [1, 403, 407, 261, 378]
    let alone = try await engine.generate(prompt, count: 12, Dealing(kernel: .reference))
    for weights in EqualityTests.splits {
      let dealing = Dealing(weights: weights, kernel: kernel)
      #expect(try await engine.generate(prompt, count: 12, dealing).digest == alone.digest)
    }
    let steps = Dealing(weights: [2, 1], kernel: kernel, batch: 1)
    #expect(try await engine.generate(prompt, count: 12, steps).digest == alone.digest)
  }

  /// The same weights with f32 activations, key-value cache included: what is left is the cost of
  /// int8 activations (and of an f16 cache) alone, on a trained model.
  @Test(arguments: ["q8_0", "q4_0"])
  func `int8 activations move the logits of a trained model by little`(
    _ format: String
  ) async throws {
    let bytes = try ReferenceData.bytes(Self.folder + format + ".gguf")
    let quantised = try Engine(bytes)
    let exact = try Engine(GGUFModelFile(dequantising: bytes).bytes)
    let expectations = try StoriesExpectation.read().cases
    let published = try #require(expectations.first { $0.gguf == format })
    let first = try await quantised.generate(published.prompt_ids, count: 1, logits: true)
    let away = LogitDistance(first.logits[0], from: published.logits_last)
    #expect(away.typical < 0.02, "published: \(away)")
    #expect(away.largest < 0.1, "published: \(away)")
    for each in expectations where each.gguf == nil {
      let text = each.prompt_ids + each.greedy.prefix(20)
      let found = try await quantised.generate(text, count: 1, logits: true)
      let expected = try await exact.generate(text, count: 1, logits: true)
      let distance = LogitDistance(found.logits[0], from: expected.logits[0])
      #expect(distance.typical < 0.02, "\(distance)")
      #expect(distance.largest < 0.1, "\(distance)")
    }
  }
}

extension GGUFModelFile {
  /// A file with the same model in f32. Keeps the keys that a Llama of this data has.
  init(dequantising bytes: [UInt8]) throws {
    let file = try GGUFFile(MemoryByteSource(name: "quantised", bytes: bytes))
    for key in file.metadata.keys {
      switch file.metadata[key] {
      case .uint32(let value)?: set(key, .uint32(Int(value)))
      case .float32(let value)?: set(key, .float32(value))
      case .string(let value)?: set(key, .string(String(decoding: value, as: UTF8.self)))
      case .array(.strings(let values))?:
        set(key, .strings(values.map { String(decoding: $0, as: UTF8.self) }))
      case .array(.int32(let values))?: set(key, .int32s(values.map { Int($0) }))
      case _: break
      }
    }
    for name in file.tensorNames {
      guard let tensor = file.tensors[name] else { continue }
      let stored = try unsafe file.withTensor(name) { unsafe Array($0) }
      tensors.append(
        .init(
          name: name, dimensions: tensor.dimensions, type: 0,
          bytes: Self.floats(try Self.dequantised(stored, tensor))))
    }
  }

  /// Straight from the definition of the formats, apart from the code under test; those of many
  /// fields by the code that is held to other implementations' vectors.
  private static func dequantised(_ bytes: [UInt8], _ tensor: GGUFTensor) throws -> [Float] {
    let half = { (at: Int) in
      Float(Float16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8))
    }
    switch tensor.type {
    case .f32:
      return stride(from: 0, to: bytes.count, by: 4).map { at in
        Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << (8 * $1) })
      }
    case .f16: return stride(from: 0, to: bytes.count, by: 2).map { half($0) }
    case .q8_0:
      return stride(from: 0, to: bytes.count, by: 34).flatMap { at in
        (0..<32).map { half(at) * Float(Int8(bitPattern: bytes[at + 2 + $0])) }
      }
    case .q4_0:
      return stride(from: 0, to: bytes.count, by: 18).flatMap { at in
        (0..<32).map { column in
          let byte = bytes[at + 2 + column % 16]
          return half(at) * Float(Int(column < 16 ? byte & 15 : byte >> 4) - 8)
        }
      }
    case _:
      let format = try #require(WeightFormat(rawValue: UInt8(tensor.type.rawValue)))
      let packer = try MatrixPacker(
        format: format, rowWidth: tensor.rowLength, columns: 0..<tensor.rowLength,
        rows: tensor.rows)
      let matrix = try unsafe bytes.withUnsafeBytes { bytes in
        try unsafe packer.pack(tensor: bytes, rows: 0..<tensor.rows)
      }
      return (0..<tensor.rows).flatMap { matrix.dequantizeRow($0) }
    }
  }
}
