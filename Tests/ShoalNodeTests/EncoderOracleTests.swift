// Encoders against rows and vectors that transformers computed, alone and dealt to three uneven
// ranks, one text or many at a time.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

/// A tiny encoder's `expected.json`.
private struct EncoderOracle: Decodable {
  struct Case: Decodable {
    let name: String
    let input_ids: [UInt32]
    let token_type_ids: [UInt8]
    let last_hidden_cls: [Float]
    let mean_pooled_l2: [Float]

    var text: EncodedText { EncodedText(input_ids, types: token_type_ids) }
  }
  let cases: [Case]

  static func read() throws -> EncoderOracle {
    try ReferenceData.decode("oracles/bert/expected.json", as: EncoderOracle.self)
  }
}

extension Engine {
  /// What ranks make of texts of tokens.
  func embed(
    _ texts: [EncodedText], _ pooling: PoolingOptions? = nil, _ dealing: Dealing = Dealing()
  ) async throws -> EmbeddingOutcome {
    let request = EmbeddingRequest(
      model: "test", texts: texts.map { .tokens($0) }, pooling: pooling?.kind,
      isNormalised: pooling?.isNormalised)
    let read = try EmbeddingTexts(request, manifest: manifest, tokenizer: tokenizer)
    let library = library
    let vectors = try await ranks(dealing).embed(read.order) { try library.atom($0) }
    return EmbeddingOutcome(vectors, of: read, plan: PlanID(.zero), members: [], terms: 1)
  }

  /// The rows of one text after the last layer, by one rank: (tokens, hidden).
  func rows(_ text: EncodedText) throws -> [[Float]] {
    let library = library
    let model = try RankModel(manifest: manifest, share: .whole(manifest.cut)) {
      try library.atom($0)
    }
    let pass = ForwardPass(
      model: model, kernels: Kernels(), workers: SerialWorkers(), batch: text.count)
    let sequence = pass.makeSequence(context: TextLayout.positions(tokens: text.count))
    pass.begin(texts: [text], in: sequence)
    while case .sum = try pass.advance() {}
    pass.finishTexts()
    return (0..<text.count).map { unsafe Array(pass.output(row: $0)) }
  }
}

/// A file, how far its rows may be from f32 in standard deviations, and the least cosine of its
/// vectors.
struct EncoderCase: Sendable, CustomTestStringConvertible {
  let file: String
  let typical: Double
  let cosine: Double
  var testDescription: String { file }

  static let all = [
    EncoderCase(file: "bert-f32", typical: 0.000_02, cosine: 0.999_999),
    EncoderCase(file: "bert-f16", typical: 0.003, cosine: 0.999_9),
    EncoderCase(file: "bert-q8_0", typical: 0.03, cosine: 0.999),
    EncoderCase(file: "bert-q4_0", typical: 0.35, cosine: 0.94),
  ]
}

@Suite(.enabled(if: ReferenceData.exists("oracles/bert"), "the shared data is absent"))
struct EncoderOracleTests {
  @Test(arguments: EncoderCase.all)
  func `rows and vectors are the oracle's, by one rank and by three with one digest`(
    _ each: EncoderCase
  ) async throws {
    let engine = try Engine(shared: "gguf/\(each.file).gguf")
    let oracle = try EncoderOracle.read()
    let rows = try SafetensorsFile(
      MemoryByteSource(
        name: "expected", bytes: ReferenceData.bytes("oracles/bert/expected.safetensors")))
    #expect(oracle.cases.count == 4)
    let texts = oracle.cases.map(\.text)
    let first = try await engine.embed(texts, PoolingOptions(.first, isNormalised: false))
    let mean = try await engine.embed(texts, PoolingOptions(.mean, isNormalised: true))
    for (index, known) in oracle.cases.enumerated() {
      let expected = try rows.numbers("\(known.name).last_hidden")
      let found = try engine.rows(known.text)
      let distance = LogitDistance(found.flatMap(\.self), from: expected)
      #expect(distance.typical < each.typical, "\(known.name): \(distance)")
      #expect(first.vectors[index] == found[0])
      let cosine = Self.cosine(mean.vectors[index], known.mean_pooled_l2)
      #expect(cosine > each.cosine, "\(known.name): \(cosine)")
      let cls = Self.cosine(first.vectors[index], known.last_hidden_cls)
      #expect(cls > each.cosine, "\(known.name): \(cls)")
    }
    for dealing in [
      Dealing(weights: [5, 2, 1]), Dealing(weights: [1, 3, 1], asCards: true, threads: 2),
      Dealing(weights: [1, 0, 3], kernel: .reference),
    ] {
      let dealt = try await engine.embed(texts, PoolingOptions(.mean, isNormalised: true), dealing)
      #expect(dealt.digest == mean.digest, "\(dealing)")
      #expect(dealt.vectors == mean.vectors, "\(dealing)")
    }
  }

  @Test func `a hub's directory is the same model, in both dialects of its configuration`()
    async throws
  {
    let hub = try OracleModel(name: "bert").engine()
    #expect(try OracleModel(name: "bert").engine(config: "config_v5.json").model == hub.model)
    let texts = try EncoderOracle.read().cases.map(\.text)
    let pooling = PoolingOptions(.mean, isNormalised: true)
    let file = try await Engine(shared: "gguf/bert-f32.gguf").embed(texts, pooling)
    #expect(try await hub.embed(texts, pooling).digest == file.digest)
  }

  @Test(arguments: KernelPath.available)
  func `a text has one vector, whichever others are beside it`(_ kernel: KernelPath) async throws {
    let engine = try Engine(shared: "gguf/bert-q8_0.gguf")
    // Lengths around the chunks of attention, enough of them for several steps.
    let lengths = [1, 63, 64, 65, 128, 2, 100, 127, 5, 64, 64, 64, 31]
    let texts = lengths.enumerated().map { number, count in
      EncodedText((0..<count).map { UInt32(($0 * 37 + number * 11) % 500 + 5) })
    }
    let together = try await engine.embed(texts, nil, Dealing(kernel: kernel))
    let reversed = try await engine.embed(
      texts.reversed(), nil, Dealing(weights: [2, 1], kernel: kernel))
    #expect(reversed.vectors.reversed() == together.vectors)
    for (index, text) in texts.enumerated() {
      let alone = try await engine.embed([text], nil, Dealing(kernel: kernel))
      #expect(alone.vectors == [together.vectors[index]])
      #expect(alone.hashes == [together.hashes[index]])
    }
  }

  @Test func `a text that is too long loses its end, and keeps its last special token`() throws {
    let engine = try Engine(shared: "gguf/bert-f32.gguf")
    let long = String(repeating: "the time ", count: 300)
    var request = EmbeddingRequest(model: "test", texts: [.text("the"), .text(long)])
    let texts = try EmbeddingTexts(
      request, manifest: engine.manifest, tokenizer: engine.tokenizer)
    #expect(texts.truncated == [1])
    let read = texts.order.texts.map(\.tokens)
    #expect(read[1].count == engine.manifest.shape.context)
    #expect(read[1].first == read[0].first)
    #expect(read[1].last == read[0].last)
    request.truncates = false
    #expect(throws: NodeError.self) {
      try EmbeddingTexts(request, manifest: engine.manifest, tokenizer: engine.tokenizer)
    }
  }

  @Test func `a model is asked for what it makes`() async throws {
    let encoder = try Engine(shared: "gguf/bert-f32.gguf")
    #expect(throws: NodeError.makesNoText("bert")) {
      try GenerationOrder(
        prompt: [5], options: GenerationOptions(maximumTokens: 1, sampling: .greedy),
        manifest: encoder.manifest)
    }
    let decoder = try Engine(shared: "gguf/qwen2-f32.gguf")
    await #expect(throws: NodeError.makesNoVectors("test")) {
      try await decoder.embed([[5, 6]])
    }
  }

  /// A decoder's last row has seen the whole text, so it is what its logits are made of.
  @Test func `a decoder makes vectors where a pooling is named, with one digest`() async throws {
    let engine = try Engine(shared: "gguf/qwen2-f32.gguf")
    let texts: [EncodedText] = [[5, 6, 7], EncodedText((0..<70).map { $0 + 5 }), [9]]
    let last = PoolingOptions(.last, isNormalised: true)
    let alone = try await engine.embed(texts, last)
    let dealt = try await engine.embed(texts, last, Dealing(weights: [2, 1, 1]))
    #expect(dealt.digest == alone.digest)
    let again = try await engine.embed([texts[1]], last)
    #expect(again.vectors[0] == alone.vectors[1])
    // What follows changes no row before it.
    let first = PoolingOptions(.first, isNormalised: true)
    let longer = try await engine.embed([[5, 6, 7, 8]], first)
    let shorter = try await engine.embed([texts[0]], first)
    #expect(longer.vectors == shorter.vectors)
  }

  static func cosine(_ left: [Float], _ right: [Float]) -> Double {
    let dot = { (a: [Float], b: [Float]) in
      zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    return dot(left, right) / (dot(left, left) * dot(right, right)).squareRoot()
  }
}

extension SafetensorsFile {
  /// All numbers of a tensor in f32.
  func numbers(_ name: String) throws -> [Float] {
    let tensor = try #require(tensors.first { $0.name == name })
    return try unsafe withRows(0..<tensor.rows, of: tensor) { bytes in
      (0..<tensor.rows * tensor.columns).map {
        Float(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
      }
    }
  }
}
