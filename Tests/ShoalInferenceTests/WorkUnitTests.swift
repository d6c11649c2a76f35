// Multiply-accumulates as they are paid for: against a plain count, and over every split.

import ShoalInference
import Testing

struct WorkUnitTests {
  private static func shape(
    heads: Int = 6, groups: Int = 2, experts: ExpertOptions? = nil, windows: [Int] = [0, 0]
  ) -> Hyperparameters {
    Hyperparameters(
      hidden: 48, layers: windows.count, vocabulary: 100, context: 256,
      norm: NormOptions(.rms, epsilon: 1e-5),
      attention: AttentionOptions(
        heads: heads, keyValueHeads: groups, headDimension: 8, rotaries: [],
        layers: windows.map { LayerAttention(window: $0, rotary: nil) }, keyValueType: .f32),
      feedForward: FeedForwardOptions(width: 80, activation: .silu, experts: experts))
  }

  @Test func `a whole model counts what its matrices have`() {
    let cut = AtomCut(Self.shape())
    let units = WorkUnits(.whole(cut), of: cut)
    // Wq, Wo: 48 x 48 each; Wk, Wv: 16 x 48 each; gate, up, down: 80 x 48 each; two layers.
    #expect(units.perToken == 2 * (2 * 48 * 48 + 2 * 16 * 48 + 3 * 80 * 48))
    #expect(units.perLogits == 100 * 48)
    // Scores and mixes: 6 heads of 8 elements, twice, two layers.
    #expect(units.perKey == [2 * 2 * 6 * 8])
  }

  @Test func `attention is counted by position`() {
    let windows = [0, 4, 0]
    let cut = AtomCut(Self.shape(windows: windows))
    let units = WorkUnits(.whole(cut), of: cut)
    var steps = StepCount(units)
    steps.add(start: 3, count: 5, logits: 1, units)
    steps.add(start: 8, count: 1, logits: 1, units)
    var keys = 0
    for position in 3..<9 {
      for window in windows { keys += window == 0 ? position + 1 : min(window, position + 1) }
    }
    let expected = 6 * units.perToken + 2 * units.perLogits + UInt64(keys * 2 * 6 * 8)
    #expect(units.count(steps) == expected)
  }

  @Test func `an expert counts for the tokens that a balanced router sends it`() {
    let experts = ExpertOptions(count: 8, used: 2, width: 32, normalisesWeights: true)
    let dense = AtomCut(Self.shape())
    let mixed = AtomCut(Self.shape(experts: experts))
    let difference =
      WorkUnits(.whole(mixed), of: mixed).perToken - WorkUnits(.whole(dense), of: dense).perToken
    #expect(difference == UInt64(2 * 2 * 3 * 32 * 48))
  }

  /// Groups are dealt whole here, so that nothing is computed twice.
  @Test(arguments: [1, 2, 3, 5])
  func `the shares of a split add up to the whole model`(_ ranks: Int) {
    let cut = AtomCut(Self.shape(heads: 16, groups: 8))
    let whole = WorkUnits(.whole(cut), of: cut)
    let shares = (0..<ranks).map { rank in
      func dealt(_ count: Int) -> [Int] { (0..<count).filter { $0 % ranks == rank } }
      return RankShare(
        layers: 0..<cut.shape.layers, units: dealt(cut.queryUnits),
        blocks: dealt(cut.feedForwardBlocks),
        vocabulary: dealt(cut.vocabularyBlocks))
    }
    var steps = StepCount(whole)
    steps.add(start: 0, count: 7, logits: 1, whole)
    for position in 7..<40 { steps.add(start: position, count: 1, logits: 1, whole) }
    let sum = shares.reduce(UInt64(0)) { $0 + WorkUnits($1, of: cut).count(steps) }
    #expect(sum == whole.count(steps))
  }

  @Test func `channels count for their five products, and add up over a split`() {
    let shape = Hyperparameters(
      hidden: 48, layers: 2, vocabulary: 100, context: 256, norm: NormOptions(.rms, epsilon: 1e-5),
      attention: AttentionOptions(
        heads: 1, keyValueHeads: 1, headDimension: 1, rotaries: [],
        layers: [LayerAttention(rotary: nil), LayerAttention(rotary: nil)], keyValueType: .f32),
      feedForward: FeedForwardOptions(width: 0, activation: .silu),
      recurrent: RecurrentOptions(channels: 150, state: 4, kernel: 3, rank: 5))
    let cut = AtomCut(shape)
    let whole = WorkUnits(.whole(cut), of: cut)
    // Input and gate, 48 each; time step, B and C of 5 + 4 + 4; back to the step's 5; output, 48.
    #expect(whole.perToken == 2 * 150 * (48 + 48 + 13 + 5 + 48))
    #expect(whole.perKey == [0])
    let parts = RankShare.split(cut, weights: [2, 1]).map { WorkUnits($0, of: cut).perToken }
    #expect(parts.reduce(0, +) == whole.perToken && !parts.contains(0))
  }

  @Test func `a text of which a vector is made counts what its tokens see`() {
    var shape = Self.shape()
    let causal = WorkUnits(.whole(AtomCut(shape)), of: AtomCut(shape))
    shape.attention.isCausal = false
    let encoder = WorkUnits(.whole(AtomCut(shape)), of: AtomCut(shape))
    var (steps, texts) = (StepCount(causal), StepCount(encoder))
    steps.add(text: 7, causal)
    texts.add(text: 7, encoder)
    #expect(steps.seen == [28] && texts.seen == [49])
    #expect(steps.tokens == 7 && steps.logits == 0)
  }

  @Test func `counts saturate and do not trap`() {
    let cut = AtomCut(Self.shape())
    let units = WorkUnits(.whole(cut), of: cut)
    var steps = StepCount(units)
    steps.tokens = .max
    steps.logits = .max
    #expect(units.count(steps) == .max)
  }
}
