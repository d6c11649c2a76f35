// Deals whole things by unequal weights: largest remainder (Hamilton's method), under caps.

package enum Apportionment {
  /// `count` things to as many receivers as there are `weights`; nobody gets more than its cap.
  /// Nil where the caps sum to less than `count`. Ties go to the larger weight, then to the
  /// earlier receiver. Weights sum to less than 2^64.
  package static func largestRemainder(
    _ count: UInt64, weights: [UInt64], caps: [UInt64]
  ) -> [UInt64]? {
    guard caps.reduce(0, Saturating.sum) >= count else { return nil }
    var dealt = [UInt64](repeating: 0, count: weights.count)
    var open = weights.indices.filter { weights[$0] > 0 && caps[$0] > 0 }
    var left = count
    // Whoever would get more than its cap gets the cap; the others share what is left. A round
    // that caps nobody is the last.
    while true {
      let total = open.reduce(0) { $0 + weights[$1] }
      let capped = open.filter {
        let ideal = Saturating.ratio(left, times: weights[$0], over: total)
        return ideal.quotient >= caps[$0]
      }
      guard !capped.isEmpty else { break }
      for index in capped { dealt[index] = caps[index] }
      left -= capped.reduce(0) { $0 + caps[$1] }
      open.removeAll { dealt[$0] > 0 }
    }
    guard dealRemainders(left, to: open, weights: weights, into: &dealt) else { return nil }
    return dealt
  }

  /// False where something is left and nobody is open.
  private static func dealRemainders(
    _ count: UInt64, to open: [Int], weights: [UInt64], into dealt: inout [UInt64]
  ) -> Bool {
    guard count > 0 else { return true }
    let total = open.reduce(0) { $0 + weights[$1] }
    guard total > 0 else { return false }
    var left = count
    var remainders: [(index: Int, remainder: UInt64)] = []
    remainders.reserveCapacity(open.count)
    for index in open {
      let ideal = Saturating.ratio(count, times: weights[index], over: total)
      dealt[index] = ideal.quotient
      left -= ideal.quotient
      remainders.append((index, ideal.remainder))
    }
    guard left > 0 else { return true }
    remainders.sort {
      ($0.remainder, weights[$0.index], $1.index) > ($1.remainder, weights[$1.index], $0.index)
    }
    for (index, _) in remainders.prefix(Int(clamping: left)) { dealt[index] += 1 }
    return true
  }
}
