// Scores of texts: against probabilities computed here, and against the published likelihood.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

@Suite struct LocalRanksScoringTests {
  private static func scorer(_ engine: Engine, _ dealing: Dealing = Dealing()) -> TextScorer {
    let library = engine.library
    return TextScorer(ranks: engine.ranks(dealing), blob: { try library.atom($0) })
  }

  /// -log softmax(logits)[token] in f64.
  private static func likelihood(of token: UInt32, _ logits: [Float]) -> Double {
    let largest = Double(logits.max() ?? 0)
    let sum = logits.reduce(0.0) { $0 + exp(Double($1) - largest) }
    return log(sum) + largest - Double(logits[Int(token)])
  }

  @Test func `a score is the sum over positions of what one generation after another says`()
    async throws
  {
    let engine = try Engine(TinyLlama.all[1].file().bytes)
    let text = (0..<70).map { UInt32($0 * 37 % 500 + 3) }
    var expected = 0.0
    for position in 60..<69 {
      let row = try await engine.generate(Array(text[...position]), count: 1, logits: true)
      expected += Self.likelihood(of: text[position + 1], row.logits[0])
    }
    let score = try await Self.scorer(engine).score(text, from: 60)
    #expect(score.count == 9)
    #expect((score.sum - expected).magnitude < 1e-5, "\(score.sum), expected \(expected)")
    // However it is dealt, to the last bit.
    let dealt = try await Self.scorer(engine, Dealing(weights: [2, 0, 1], threads: 2))
      .score(text, from: 60)
    #expect(dealt == score)
    #expect(try await Self.scorer(engine).score(text).count == 69)
  }

  @Test func `mean and error of a score`() {
    var score = TextScore()
    for value in [1.0, 2, 3, 4] { score.add(negativeLogLikelihood: value) }
    var twice = score
    twice.add(score)
    #expect(score.mean == 2.5)
    #expect((score.standardError - (1.25 / 3.0).squareRoot()).magnitude < 1e-12)
    #expect(twice.count == 8)
    #expect(twice.mean == 2.5)
    #expect(TextScore().mean == 0)
  }

  @Test(.enabled(if: ReferenceData.exists("models/stories260K"), "the shared data is absent"))
  func `the trained model scores its own story as published`() async throws {
    let expected = try StoriesExpectation.read().nll
    for (format, tolerance) in [("f32", 1e-5), ("f16", 1e-3), ("q8_0", 0.02), ("q4_0", 0.1)] {
      let engine = try Engine(shared: "models/stories260K/stories260K-\(format).gguf")
      let score = try await Self.scorer(engine).score(expected.ids)
      #expect(score.count == 200)
      #expect(
        (score.mean - expected.mean_nll).magnitude < tolerance,
        "\(format): \(score.mean), published \(expected.mean_nll)")
    }
  }
}
