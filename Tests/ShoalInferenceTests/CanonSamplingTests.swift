// Candidates, their combination and the draw.

import Foundation
import ShoalInference
import Testing

@Suite struct CanonSamplingTests {
  let kernels = Kernels()

  /// Random123's published known answers (kat_vectors) for philox4x32, 10 rounds.
  @Test(
    arguments: [
      ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func philoxGivesThePublishedBlocks(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    let block = Philox.block(counter: SIMD4(counter), key: SIMD2(key))
    #expect((0..<4).map { block[$0] } == expected)
  }

  private func summary(_ logits: [Float], firstToken: Int = 0, keeping limit: Int) throws
    -> VocabularySummary
  {
    try unsafe logits.withUnsafeBufferPointer { logits in
      try unsafe VocabularySummary(
        logits: logits, firstToken: firstToken, keeping: limit, kernels: kernels)
    }
  }

  private func distribution(_ logits: [Float], keeping limit: Int = 1_024) throws
    -> VocabularyDistribution
  {
    VocabularyDistribution([try summary(logits, keeping: limit)], keeping: limit)
  }

  @Test func candidatesAreTheBestInOrderWithTiesToTheLowestToken() throws {
    var seed = CanonSeed(40)
    for limit in [1, 2, 7, 40, 500] {
      // Few distinct values, so that ties are everywhere.
      let logits = (0..<300).map { _ in Float(Int.random(in: -5...5, using: &seed)) }
      let expected = logits.enumerated().map { Candidate(token: $0 + 1_000, logit: $1) }
        .sorted { ($0.logit, $1.token) > ($1.logit, $0.token) }.prefix(limit)
      #expect(
        try summary(logits, firstToken: 1_000, keeping: limit).candidates == Array(expected))
    }
  }

  @Test func atomsCombineToTheWholeVocabulary() throws {
    var seed = CanonSeed(41)
    let logits = seed.floats(1_000, in: -9...9)
    var parts: [VocabularySummary] = []
    for start in stride(from: 0, to: 1_000, by: 256) {
      let slice = Array(logits[start..<min(start + 256, 1_000)])
      parts.append(try summary(slice, firstToken: start, keeping: 40))
    }
    let combined = VocabularyDistribution(parts, keeping: 40)
    #expect(combined.candidates == (try summary(logits, keeping: 40).candidates))
    let maximum = logits.max() ?? 0
    let sum = logits.map { exp(Double($0) - Double(maximum)) }.reduce(0, +)
    #expect(combined.maximum == maximum)
    #expect(abs(combined.sumOfExponentials / sum - 1) < 1e-6)
    let truth = Double(logits[7]) - Double(maximum) - log(sum)
    #expect(abs(combined.logProbability(ofLogit: logits[7]) - truth) < 1e-6)
  }

  @Test func maskedTokensAreNoCandidatesAndNonsenseEndsTheJob() throws {
    let masked = try summary([-.infinity, 2, -.infinity], firstToken: 5, keeping: 3)
    #expect(masked.candidates == [Candidate(token: 6, logit: 2)])
    #expect(masked.sumOfExponentials == 1)
    let nothing = try summary([-.infinity, -.infinity], keeping: 3)
    #expect(nothing.candidates.isEmpty && nothing.sumOfExponentials == 0)
    let joined = VocabularyDistribution([nothing, masked, nothing], keeping: 3)
    #expect(joined.sumOfExponentials == 1 && joined.maximum == 2)
    #expect(throws: SamplingError.noCandidate) {
      try Sampler.choose(
        from: VocabularyDistribution([nothing], keeping: 1), .greedy, position: 0)
    }
    for bad in [Float.nan, .infinity] {
      #expect(throws: NumericsError.notFinite(index: 102)) {
        try summary([1, 2, bad, 3], firstToken: 100, keeping: 1)
      }
    }
  }

  @Test func greedyTakesTheLowestTokenAmongEquals() throws {
    let distribution = try distribution([1, 3, 3, 2])
    #expect(try Sampler.choose(from: distribution, .greedy, position: 9).token == 1)
  }

  private func frequencies(
    _ logits: [Float], _ change: (inout SamplingOptions) -> Void
  ) throws -> [Double] {
    var options = SamplingOptions()
    (options.temperature, options.topK, options.seed) = (1, 0, 7)
    change(&options)
    let distribution = try distribution(logits)
    var counts = [Double](repeating: 0, count: logits.count)
    for position in 0..<20_000 {
      counts[try Sampler.choose(from: distribution, options, position: position).token] += 1
    }
    return counts.map { $0 / 20_000 }
  }

  @Test func drawsFollowTheProbabilities() throws {
    let logits: [Float] = [0, 1, 2, -1]
    for temperature in [1, 0.5, 2] as [Float] {
      let weights = logits.map { exp(Double($0) / Double(temperature)) }
      let total = weights.reduce(0, +)
      let drawn = try frequencies(logits) { $0.temperature = temperature }
      for (share, weight) in zip(drawn, weights) { #expect(abs(share - weight / total) < 0.015) }
    }
  }

  @Test func eachCutLeavesTheTokensItShould() throws {
    // Probabilities 0.5, 0.25, 0.15, 0.1.
    let logits = [0.5, 0.25, 0.15, 0.1].map { Float(log($0)) }
    func drawn(_ change: (inout SamplingOptions) -> Void) throws -> [Int] {
      try frequencies(logits, change).indices.filter { try frequencies(logits, change)[$0] > 0 }
    }
    #expect(try drawn { _ in } == [0, 1, 2, 3])
    #expect(try drawn { $0.topK = 2 } == [0, 1])
    #expect(try drawn { $0.topP = 0.4 } == [0])
    #expect(try drawn { $0.topP = 0.6 } == [0, 1])
    #expect(try drawn { $0.topP = 0.8 } == [0, 1, 2])
    #expect(try drawn { $0.minP = 0.28 } == [0, 1, 2])
    #expect(try drawn { $0.minP = 1 } == [0])
  }

  @Test func drawsDependOnSeedAndPositionAlone() throws {
    let distribution = try distribution([Float](repeating: 0, count: 500))
    var options = SamplingOptions()
    (options.topK, options.seed) = (0, 3)
    func tokens(_ positions: some Sequence<Int>) throws -> [Int] {
      try positions.map { try Sampler.choose(from: distribution, options, position: $0).token }
    }
    let forward = try tokens(0..<50)
    let backward = try tokens((0..<50).reversed())
    #expect(backward.reversed() == forward)
    #expect(Set(forward).count > 30)
    options.seed = 4
    #expect(try tokens(0..<50) != forward)
  }

  @Test func penaltiesLowerTokensThatHaveBeen() {
    var options = SamplingOptions()
    (options.repetitionPenalty, options.presencePenalty, options.frequencyPenalty) = (2, 0.5, 0.25)
    var logits: [Float] = [4, -4, 4, 4]
    let penalties = TokenPenalties(after: [10, 11, 10, 99], options)
    unsafe logits.withUnsafeMutableBufferPointer {
      unsafe penalties.apply(to: $0, firstToken: 10)
    }
    // 4 / 2 - 0.5 - 2 * 0.25, -4 * 2 - 0.5 - 0.25
    #expect(logits == [1, -8.75, 4, 4])
  }

  @Test func optionsOutOfRangeAreNamed() {
    var options = SamplingOptions()
    #expect(throws: Never.self) { try options.validate() }
    options.topP = 0
    #expect(throws: SamplingError.optionOutOfRange(name: "top_p", value: 0)) {
      try options.validate()
    }
    options = SamplingOptions()
    options.temperature = .nan
    #expect(throws: SamplingError.self) { try options.validate() }
  }
}
