// Which atoms still have somebody who holds them.

/// Counts live holders and losses. An atom may be without a holder only when as many of those that
/// held it were lost, since it last had all its copies, as there are copies.
struct HolderCount {
  private(set) var live: [Int]
  private var lostSince: [Int]
  /// Whether the atom ever had all its copies: before, the importer alone answers for it.
  private var wasReplicated: [Bool]

  init(atoms: Int) {
    live = Array(repeating: 0, count: atoms)
    lostSince = live
    wasReplicated = Array(repeating: false, count: atoms)
  }

  mutating func gain(_ atom: Int, copies: Int = ControlWorld.copies) {
    live[atom] += 1
    guard live[atom] >= copies else { return }
    lostSince[atom] = 0
    wasReplicated[atom] = true
  }

  /// A crash, a goodbye, a damaged disk. Answers with the numbers where none should be without.
  mutating func lose(_ atom: Int, copies: Int) -> String? {
    live[atom] -= 1
    lostSince[atom] += 1
    return complaint(atom, copies: copies)
  }

  /// Given up on purpose: that must never be the last, whatever else is lost.
  mutating func drop(_ atom: Int, copies: Int) -> String? {
    live[atom] -= 1
    return complaint(atom, copies: copies)
  }

  private func complaint(_ atom: Int, copies: Int) -> String? {
    guard wasReplicated[atom], live[atom] == 0, lostSince[atom] < copies else { return nil }
    return "no live holder after \(lostSince[atom]) losses"
  }
}
