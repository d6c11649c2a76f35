// What one rank computes of a model: the same slots in every layer of its stage.

/// The slots of one rank. The union over all ranks of a stage is the stage, each slot once; the
/// stages of a plan are all layers, each once.
public struct RankShare: Hashable, Sendable {
  /// The layers of its stage.
  public let layers: Range<Int>
  /// Query units, ascending; their key-value groups follow from them (`AtomCut.queryUnit`). Where
  /// there is no attention: blocks of channels.
  public let units: [Int]
  /// Feed-forward blocks, ascending.
  public let blocks: [Int]
  /// Vocabulary blocks, ascending: of the embedding in the first stage, of the output in the last
  public let vocabulary: [Int]

  public init(layers: Range<Int>, units: [Int], blocks: [Int], vocabulary: [Int]) {
    self.layers = layers
    self.units = units
    self.blocks = blocks
    self.vocabulary = vocabulary
  }

  /// Everything.
  public static func whole(_ cut: AtomCut) -> RankShare {
    RankShare(
      layers: 0..<cut.shape.layers, units: Array(0..<cut.queryUnits),
      blocks: Array(0..<cut.feedForwardBlocks), vocabulary: Array(0..<cut.vocabularyBlocks))
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

  /// Blocks whose embedding rows it holds.
  public var embeddingBlocks: [Int] { layers.lowerBound == 0 ? vocabulary : [] }
  /// Blocks whose output rows it holds, and whose votes it gives.
  public func outputBlocks(_ cut: AtomCut) -> [Int] {
    cut.shape.head.hasLogits && layers.upperBound == cut.shape.layers ? vocabulary : []
  }

  /// The atoms that a rank with this share holds, the common one included; ascending.
  public func keys(_ cut: AtomCut) -> [AtomKey] {
    let groups = groups(cut)
    var keys: [AtomKey] = [.common]
    keys += embeddingBlocks.map { .embedding(block: $0) }
    for layer in layers { keys += groups.map { .keyValue(layer: layer, group: $0) } }
    let hasAttention = cut.shape.recurrent == nil
    if hasAttention {
      for layer in layers { keys += units.map { .query(layer: layer, unit: $0) } }
    }
    for layer in layers { keys += blocks.map { .feedForward(layer: layer, block: $0) } }
    if !hasAttention {
      for layer in layers { keys += units.map { .recurrent(layer: layer, block: $0) } }
    }
    keys += outputBlocks(cut).map { .output(block: $0) }
    return keys
  }
}
