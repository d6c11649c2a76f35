// Deals a model's slots to ranks by given weights: any split can be tried, fair or not.

extension RankShare {
  /// One share for each weight, in proportion to it: contiguous runs of units, blocks and
  /// vocabulary, cut by largest remainder. A weight of 0 gets nothing.
  public static func split(_ cut: AtomCut, weights: [Int]) -> [RankShare] {
    let units = runs(cut.queryUnits, weights)
    let blocks = runs(cut.feedForwardBlocks, weights)
    let vocabulary = runs(cut.vocabularyBlocks, weights)
    return weights.indices.map {
      RankShare(
        units: Array(units[$0]), blocks: Array(blocks[$0]), vocabulary: Array(vocabulary[$0]))
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
