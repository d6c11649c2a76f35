// How much a peer trusts its own clock and network: who misses answers waits longer before blaming.

/// Lifeguard's local health multiplier (Dadgar et al. 2018, section III.A): 0 is healthy; each
/// unit stretches the probe interval and its timeout by one more of their length.
struct LocalHealth: Hashable, Sendable {
  let limit: Int
  private(set) var score = 0

  init(limit: Int) { self.limit = limit }

  var multiplier: Int { score + 1 }

  mutating func recover() { score = max(0, score - 1) }
  mutating func degrade(by amount: Int = 1) { score = min(limit, score + amount) }
}
