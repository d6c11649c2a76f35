// What experts need beside the weights, and which of a rank's blocks belong to which expert.

internal import ShoalProtocol

final class ExpertBuffers {
  /// The blocks of one expert among the rank's.
  struct Owned {
    let expert: Int
    let blocks: Range<Int>
  }

  /// Ascending.
  let owned: [Owned]
  /// (batch, experts): the router's logits, then what each expert's hidden units are multiplied by;
  /// 0 where a token does not go to it.
  let routes: Buffer<Float>
  /// (batch): the same of the shared block.
  let sharedWeights: Buffer<Float>
  /// (batch, used): the experts that a token goes to, best first, and their weights.
  let picks: Buffer<Int>
  let pickWeights: Buffer<Float>
  /// Input rows of the tokens that go to one expert, and which tokens they are.
  let gathered: Activations
  var tokens: [Int] = []
  /// Blocks that a single token goes to.
  var active: [Int] = []
  /// (batch, hidden), before they are added to their tokens' rows.
  let sums: Buffer<Int64>

  init?(_ model: RankModel, batch: Int) {
    let shape = model.manifest.shape
    guard let experts = shape.feedForward.experts else { return nil }
    let cut = model.manifest.cut
    var owned: [Owned] = []
    for (index, number) in model.share.blocks.enumerated() {
      guard let expert = cut.feedForwardBlock(number).expert else { continue }
      if let last = owned.last, last.expert == expert {
        owned[owned.count - 1] = Owned(expert: expert, blocks: last.blocks.lowerBound..<index + 1)
      } else {
        owned.append(Owned(expert: expert, blocks: index..<index + 1))
      }
    }
    self.owned = owned
    routes = Buffer(count: batch * experts.count, zero: 0)
    sharedWeights = Buffer(count: batch, zero: 0)
    picks = Buffer(count: batch * experts.used, zero: 0)
    pickWeights = Buffer(count: batch * experts.used, zero: 0)
    gathered = Activations(parts: ColumnParts(first: 0, count: shape.hidden), capacity: batch)
    tokens.reserveCapacity(batch)
    active.reserveCapacity(model.share.blocks.count)
    sums = Buffer(count: batch > 1 ? batch * shape.hidden : 0, zero: 0)
  }
}
