// How long a receive looks again before it sleeps: as long as that has paid lately.

/// Decides from the waits so far; reads no clock. A wake-up from the kernel costs about 30
/// microseconds, and makes the sender pay for it as well, so a wait that ends within `cap` is
/// better spent looking. Ranks of equal shares wait for each other for a tenth of what lies between
/// two sums, half a millisecond. Waits that take longer turn spinning off after `patience` misses;
/// every `probe`-th wait tries again.
package struct SpinBudget: Hashable {
  package static let cap: Int64 = 200_000
  static let floor: Int64 = 5_000
  package static let patience = 4
  package static let probe = 64

  private let isAdaptive: Bool
  /// Exponentially weighted, with weight 1/8 on the newest; each wait counts as at most 4 caps, so
  /// that one pause between tokens does not drown what was learnt.
  private var averageWait = SpinBudget.cap / 2
  private var misses = 0
  private var sleeps = 0

  package init(adaptive: Bool) { isAdaptive = adaptive }

  /// For the wait that begins now.
  package var nanoseconds: Int64 {
    guard isAdaptive else { return 0 }
    if misses >= SpinBudget.patience, sleeps % SpinBudget.probe != SpinBudget.probe - 1 { return 0 }
    return min(SpinBudget.cap, max(SpinBudget.floor, averageWait * 3 / 2))
  }

  /// What came of a wait that took `wait` in all, of which the first `nanoseconds` were spun.
  package mutating func ended(after wait: Int64, spinning spun: Bool) {
    averageWait += (min(wait, 4 * SpinBudget.cap) - averageWait) / 8
    if wait <= SpinBudget.cap {
      (misses, sleeps) = (0, 0)
    } else if spun {
      misses = min(misses + 1, SpinBudget.patience)
      sleeps = 0
    } else {
      sleeps += 1
    }
  }
}
