// What one rank computes of a model: the same slots in every layer.

/// The slots of one rank. The union over all ranks of a plan is the whole model, each slot once.
public struct RankShare: Hashable, Sendable {
  /// Query units, ascending; their key-value groups follow from them (`AtomCut.queryUnit`). Where
  /// there is no attention: blocks of channels.
  public let units: [Int]
  /// Feed-forward blocks, ascending.
  public let blocks: [Int]
  /// Vocabulary blocks, ascending: embedding rows and output rows alike.
  public let vocabulary: [Int]

  public init(units: [Int], blocks: [Int], vocabulary: [Int]) {
    self.units = units
    self.blocks = blocks
    self.vocabulary = vocabulary
  }

  /// Everything.
  public static func whole(_ cut: AtomCut) -> RankShare {
    RankShare(
      units: Array(0..<cut.queryUnits), blocks: Array(0..<cut.feedForwardBlocks),
      vocabulary: Array(0..<cut.vocabularyBlocks))
  }

  /// Key-value groups that the units read, ascending: whoever has a unit computes its keys and
  /// values, so that a group whose units are dealt to two ranks is computed twice.
  public func groups(_ cut: AtomCut) -> [Int] {
    guard cut.shape.recurrent == nil else { return [] }
    var groups: [Int] = []
    for unit in units {
      let group = cut.queryUnit(unit).group
      if groups.last != group { groups.append(group) }
    }
    return groups
  }

  /// The atoms that a rank with this share holds, the common one included; ascending.
  public func keys(_ cut: AtomCut) -> [AtomKey] {
    let layers = 0..<cut.shape.layers
    let groups = groups(cut)
    var keys: [AtomKey] = [.common]
    keys += vocabulary.map { .embedding(block: $0) }
    for layer in layers { keys += groups.map { .keyValue(layer: layer, group: $0) } }
    let hasAttention = cut.shape.recurrent == nil
    if hasAttention {
      for layer in layers { keys += units.map { .query(layer: layer, unit: $0) } }
    }
    for layer in layers { keys += blocks.map { .feedForward(layer: layer, block: $0) } }
    if !hasAttention {
      for layer in layers { keys += units.map { .recurrent(layer: layer, block: $0) } }
    }
    if cut.shape.head.hasLogits { keys += vocabulary.map { .output(block: $0) } }
    return keys
  }
}
