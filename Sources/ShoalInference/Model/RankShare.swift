// What one rank computes of a model: the same slots in every layer.

/// The slots of one rank. The union over all ranks of a plan is the whole model, each slot once.
public struct RankShare: Hashable, Sendable {
  /// Key-value groups, ascending.
  public let groups: [Int]
  /// Feed-forward blocks, ascending.
  public let blocks: [Int]
  /// Vocabulary blocks, ascending: embedding rows and output rows alike.
  public let vocabulary: [Int]

  public init(groups: [Int], blocks: [Int], vocabulary: [Int]) {
    self.groups = groups
    self.blocks = blocks
    self.vocabulary = vocabulary
  }

  /// Everything.
  public static func whole(_ cut: AtomCut) -> RankShare {
    RankShare(
      groups: Array(0..<cut.shape.keyValueHeads), blocks: Array(0..<cut.feedForwardBlocks),
      vocabulary: Array(0..<cut.vocabularyBlocks))
  }

  /// The atoms that a rank with this share holds, the common one included; ascending.
  public func keys(layers: Int) -> [AtomKey] {
    var keys: [AtomKey] = [.common]
    keys += vocabulary.map { .embedding(block: $0) }
    for layer in 0..<layers { keys += groups.map { .attention(layer: layer, group: $0) } }
    for layer in 0..<layers { keys += blocks.map { .feedForward(layer: layer, block: $0) } }
    keys += vocabulary.map { .output(block: $0) }
    return keys
  }
}
