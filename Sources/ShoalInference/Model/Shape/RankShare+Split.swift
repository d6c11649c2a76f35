// Deals a model's slots to ranks by given weights: any split can be tried, fair or not.

extension RankShare {
  /// One share for each weight, in proportion to it: contiguous runs of units, blocks and
  /// vocabulary, cut by largest remainder. A weight of 0 gets nothing.
  public static func split(_ cut: AtomCut, weights: [Int]) -> [RankShare] {
    split(cut, stages: [weights])
  }

  /// The same in several stages, whose shares follow each other. A stage has at least one layer;
  /// the others are dealt in proportion to the sum of its weights. No more stages than layers.
  public static func split(_ cut: AtomCut, stages: [[Int]]) -> [RankShare] {
    precondition(stages.count <= cut.shape.layers, "\(stages.count) stages")
    let extra = runs(
      cut.shape.layers - stages.count, stages.map { $0.reduce(0, +) })
    return stages.enumerated().flatMap { number, weights in
      let layers = extra[number].lowerBound + number..<extra[number].upperBound + number + 1
      return stage(cut, layers, weights)
    }
  }

  private static func stage(
    _ cut: AtomCut, _ layers: Range<Int>, _ weights: [Int]
  ) -> [RankShare] {
    let units = runs(cut.queryUnits, weights)
    let blocks = runs(cut.feedForwardBlocks, weights)
    let isOuter = layers.lowerBound == 0 || layers.upperBound == cut.shape.layers
    let vocabulary = runs(isOuter ? cut.vocabularyBlocks : 0, weights)
    return weights.indices.map {
      RankShare(
        layers: layers, units: Array(units[$0]), blocks: Array(blocks[$0]),
        vocabulary: Array(vocabulary[$0]))
    }
  }

  private static func runs(_ count: Int, _ weights: [Int]) -> [Range<Int>] {
    let total = weights.reduce(0, +)
    precondition(total > 0 && weights.allSatisfy { $0 >= 0 }, "weights \(weights)")
    var sizes = weights.map { count * $0 / total }
    let byRemainder = weights.indices.sorted {
      (count * weights[$0] % total, $1) > (count * weights[$1] % total, $0)
    }
    for index in byRemainder.prefix(count - sizes.reduce(0, +)) { sizes[index] += 1 }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return start..<start + size
    }
  }
}
