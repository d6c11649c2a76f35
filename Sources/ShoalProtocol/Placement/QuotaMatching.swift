// Gives slots to peers whose counts are already fixed, moving as little as possible when peers come
// and go: quota rendezvous.

/// A peer and how many slots of one kind it is to have.
package struct SlotQuota: Sendable {
  /// `RendezvousScore.seed` of the peer.
  package let seed: UInt64
  /// Its measured rate; the unit does not matter, but must be the same for all.
  package let weight: UInt64
  package let count: Int

  package init(seed: UInt64, weight: UInt64, count: Int) {
    self.seed = seed
    self.weight = weight
    self.count = count
  }
}

package enum QuotaMatching {
  private struct Pair {
    let score: UInt64
    let slot: Int32
    let receiver: Int32
  }

  /// The stable matching of slots and quotas (Gale and Shapley, 1962). Both sides rank by the same
  /// score, so it is unique and found greedily: the strongest pair first. Returns each receiver's
  /// slots, ascending. Quotas sum to `slots`.
  package static func match(slots: Int, salt: UInt64, quotas: [SlotQuota]) -> [[Int]] {
    precondition(quotas.reduce(0) { $0 + $1.count } == slots, "quotas sum to the slots")
    var pairs: [Pair] = []
    pairs.reserveCapacity(slots * quotas.count)
    let slotSeeds = (0..<slots).map { RendezvousScore.mixed(salt &+ UInt64($0)) }
    for (receiver, quota) in quotas.enumerated() where quota.count > 0 {
      for slot in 0..<slots {
        let score = RendezvousScore.of(
          slot: slotSeeds[slot], peer: quota.seed, weight: quota.weight)
        pairs.append(Pair(score: score, slot: Int32(slot), receiver: Int32(receiver)))
      }
    }
    pairs.sort {
      ($0.score, $0.slot, $0.receiver) < ($1.score, $1.slot, $1.receiver)
    }
    var dealt = [[Int]](repeating: [], count: quotas.count)
    var isTaken = [Bool](repeating: false, count: slots)
    for pair in pairs {
      let (slot, receiver) = (Int(pair.slot), Int(pair.receiver))
      guard !isTaken[slot], dealt[receiver].count < quotas[receiver].count else { continue }
      isTaken[slot] = true
      dealt[receiver].append(slot)
    }
    return dealt.map { $0.sorted() }
  }
}
