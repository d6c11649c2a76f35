// Pipeline stages inside one process: whatever the stages and the ranks inside them, one digest.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

@Suite struct StageTests {
  static let prompt = (0..<23).map { UInt32($0 * 37 % 58 + 3) }

  /// Hybrids at random: 2 to as many stages as there are layers, 1 to 4 ranks in each, steps of any
  /// length.
  private static func hybrids(layers: Int, seed: UInt64) -> [Dealing] {
    var random = SeededGenerator(state: seed)
    return (0..<6).map { _ in
      let stages = (0..<Int.random(in: 2...layers, using: &random)).map { _ in
        let ranks = Int.random(in: 1...4, using: &random)
        var weights = (0..<ranks).map { _ in Int.random(in: 0...5, using: &random) }
        weights[ranks - 1] += 1
        return weights
      }
      return Dealing(
        stages: stages, kernel: .best, threads: Int.random(in: 1...2, using: &random),
        batch: Int.random(in: 1...23, using: &random))
    }
  }

  @Test(arguments: TinyLlama.all)
  func `every hybrid of stages and ranks has the digest of one rank`(
    _ shape: TinyLlama
  ) async throws {
    var deep = shape
    deep.layers = 4
    let engine = try Engine(deep.file().bytes)
    let layers = engine.manifest.shape.layers
    let alone = try await engine.generate(Self.prompt, count: 5, Dealing(kernel: .reference))
    for dealing in Self.hybrids(layers: layers, seed: UInt64(layers)) {
      let dealt = try await engine.generate(Self.prompt, count: 5, dealing)
      #expect(dealt.digest == alone.digest, "\(dealing)")
      #expect(dealt.tokens == alone.tokens, "\(dealing)")
    }
  }

  @Test func `whole rows of logits come out of the last stage`() async throws {
    let engine = try Engine(TinyLlama.all[1].file().bytes)
    let alone = try await engine.generate(Self.prompt, count: 3, logits: true)
    let dealt = try await engine.generate(
      Self.prompt, count: 3, logits: true, Dealing(stages: [[1, 1], [2, 1]], batch: 3))
    #expect(dealt.logits == alone.logits)
    #expect(dealt.logits.allSatisfy { $0.count == engine.manifest.shape.vocabulary })
  }

  @Test func `a rank holds the atoms of its layers, and vocabulary at the ends alone`() throws {
    let cut = try Engine(TinyLlama.all[0].file().bytes).manifest.cut
    let layers = cut.shape.layers
    let shares = RankShare.split(cut, stages: (0..<layers).map { _ in [1] })
    #expect(shares.map(\.layers) == (0..<layers).map { $0..<$0 + 1 })
    let held = shares.map { Set($0.keys(cut)) }
    #expect(held.reduce(into: Set<AtomKey>()) { $0.formUnion($1) } == Set(cut.keys))
    for (stage, keys) in held.enumerated() {
      #expect(keys.contains(.embedding(block: 0)) == (stage == 0))
      #expect(keys.contains(.output(block: 0)) == (stage == layers - 1))
      for layer in 0..<layers {
        #expect(keys.contains(.query(layer: layer, unit: 0)) == (stage == layer))
      }
    }
  }
}
