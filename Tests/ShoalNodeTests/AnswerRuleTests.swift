// Penalties, biases, forms and probabilities: what the entry does to the logits before it chooses,
// and that no split changes it.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Synchronization
import Testing

extension Engine {
  struct Answer: Sendable, Equatable {
    var tokens: [UInt32] = []
    var text = ""
    var digest = Bytes32.zero
    var finish = FinishReason.length
    var probabilities: [TokenProbability] = []
    var logits: [[Float]] = []
  }

  /// As a node would answer `options`.
  func answer(
    _ prompt: [UInt32], _ options: GenerationOptions, _ dealing: Dealing = Dealing()
  ) async throws -> Answer {
    let told = Mutex<[GeneratedToken]>([])
    let chooser = try TokenChooser(
      options: options, tokenizer: tokenizer, prompt: prompt
    ) { token in
      told.withLock { $0.append(token) }
    }
    let library = library
    let finish = try await ranks(dealing).run(
      GenerationOrder(prompt: prompt, options: options, manifest: manifest),
      blob: { try library.atom($0) }, choose: { try chooser.choose($0, $1) })
    return told.withLock { told in
      Answer(
        tokens: chooser.tokens, text: chooser.text, digest: chooser.digest, finish: finish,
        probabilities: told.compactMap(\.probability), logits: told.map(\.logits))
    }
  }
}

struct AnswerRuleTests {
  private static let prompt: [UInt32] = [1, 5, 9, 5]
  private static let dealings = [
    Dealing(weights: [1, 1]), Dealing(weights: [5, 2, 1], kernel: .reference),
    Dealing(weights: [1, 1, 1], asCards: true, threads: 2),
  ]

  private static func options(_ count: Int = 8) -> GenerationOptions {
    GenerationOptions(maximumTokens: count, sampling: .greedy)
  }

  static let rules: [GenerationOptions] = {
    var penalties = options()
    penalties.sampling.repetitionPenalty = 1.3
    penalties.sampling.presencePenalty = 0.5
    penalties.sampling.frequencyPenalty = 0.25
    var drawn = penalties
    drawn.sampling.temperature = 1.5
    drawn.sampling.seed = 11
    drawn.topLogprobs = 5
    var bias = options()
    bias.bias = [TokenBias(token: 60, amount: 100)]
    bias.topLogprobs = 2
    return [penalties, drawn, bias]
  }()

  @Test(arguments: rules)
  func `rules give the same answer whatever the split`(_ options: GenerationOptions) async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let alone = try await engine.answer(Self.prompt, options)
    #expect(alone.tokens.count == 8)
    for dealing in Self.dealings {
      #expect(try await engine.answer(Self.prompt, options, dealing) == alone, "\(dealing)")
    }
  }

  @Test func `probabilities are those of the softmax over all logits`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    var options = Self.options(4)
    options.topLogprobs = 3
    options.wantsLogits = true
    let answer = try await engine.answer(Self.prompt, options)
    #expect(answer.probabilities.count == 4)
    for (probability, logits) in zip(answer.probabilities, answer.logits) {
      let largest = Double(logits.max() ?? 0)
      let sum = logits.reduce(0) { $0 + exp(Double($1) - largest) }
      let truth = { (token: UInt32) in Double(logits[Int(token)]) - largest - log(sum) }
      #expect(abs(probability.chosen.logprob - truth(probability.chosen.token)) < 1e-5)
      #expect(probability.top.count == 3)
      #expect(probability.top.first == probability.chosen)
      let best = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(3)
      #expect(probability.top.map { Int($0.token) } == Array(best))
      for one in probability.top { #expect(abs(one.logprob - truth(one.token)) < 1e-5) }
    }
    // Without whole rows, the same numbers come from the ranks' summaries.
    options.wantsLogits = false
    #expect(try await engine.answer(Self.prompt, options).probabilities == answer.probabilities)
  }

  @Test func `a token that is favoured enough is always chosen, and its probability is its own`()
    async throws
  {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let answer = try await engine.answer(Self.prompt, Self.rules[2])
    #expect(answer.tokens == [UInt32](repeating: 60, count: 8))
    #expect(answer.probabilities.allSatisfy { $0.chosen.logprob < -0.1 && $0.top.count == 2 })
  }

  @Test func `an answer that does not fit the context is refused with the numbers`() throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let context = engine.manifest.shape.context
    var options = Self.options(context - 3)
    #expect(throws: Never.self) {
      try GenerationOrder(prompt: Self.prompt, options: options, manifest: engine.manifest)
    }
    options.mustFit = true
    #expect(
      throws: NodeError.answerTooLong(prompt: 4, answer: context - 3, context: context)
    ) {
      try GenerationOrder(prompt: Self.prompt, options: options, manifest: engine.manifest)
    }
  }

  /// The demo model knows no JSON at all; the mask makes it speak nothing else.
  @Test func `a schema holds a model to its form, and the text ends with it`() async throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../testnet/demo-model/shoal-stories-q8_0.gguf").standardizedFileURL
    let engine = try Engine([UInt8](Data(contentsOf: path)), name: "demo.gguf")
    let prompt = engine.tokenizer.encode("Once", addSpecial: true, parseSpecial: false)
      .map { UInt32($0) }
    // A model that knows no JSON takes all the white space that it may have.
    var options = Self.options(250)
    options.format = .schema(
      #"{"properties":{"mood":{"enum":["good","bad"]},"ok":{"type":"boolean"}},"#
        + #""required":["mood","ok"]}"#)
    let alone = try await engine.answer(prompt, options)
    #expect(alone.finish == .stop)
    struct Mood: Decodable {
      let mood: String
      let ok: Bool
    }
    let mood = try JSONDecoder().decode(Mood.self, from: Data(alone.text.utf8))
    #expect(["good", "bad"].contains(mood.mood))
    #expect(try await engine.answer(prompt, options, Dealing(weights: [2, 1])) == alone)
  }
}
