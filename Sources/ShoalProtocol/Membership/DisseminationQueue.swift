// News on its way through the mesh: each claim is sent on a few times, the newest first.

/// SWIM's piggy-back buffer (section 4.1): claims sent least often go first, and after
/// `lambda log n` times a claim is dropped. One claim a peer, but for suspicions, where each of a
/// few observers counts: one that took another's place on the way would be lost to those who have
/// not heard it yet.
struct DisseminationQueue: Sendable {
  private struct Entry: Sendable {
    let update: MemberUpdate
    var transmissions: Int
    let order: UInt64
  }

  /// The first observer and as many others as shorten a suspicion (Lifeguard's K).
  static let mostObservers = 4

  /// By peer; more than one only for suspicions of one incarnation.
  private var entries: [PeerID: [Entry]] = [:]
  private var nextOrder: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.values.reduce(0) { $0 + $1.count } }

  /// Replaces what was said about the same peer, unless both are suspicions by different observers.
  mutating func add(_ update: MemberUpdate) {
    let others = (entries[update.peer] ?? []).filter { $0.update.stands(beside: update) }
    let entry = Entry(update: update, transmissions: 0, order: nextOrder)
    entries[update.peer] = others.suffix(Self.mostObservers - 1) + [entry]
    nextOrder += 1
  }

  mutating func drop(_ peer: PeerID) { entries[peer] = nil }

  /// The claims for one message, within `budget` bytes, each counted as sent once.
  mutating func take(budget: Int, limit: Int) -> [MemberUpdate] {
    guard !entries.isEmpty else { return [] }
    let sorted = entries.values.joined().sorted {
      ($0.transmissions, $1.order) < ($1.transmissions, $0.order)
    }
    var taken: [MemberUpdate] = []
    var left = budget
    for entry in sorted {
      let update = entry.update
      guard update.byteCount <= left else { break }
      left -= update.byteCount
      taken.append(update)
      countTransmission(of: entry, limit: limit)
    }
    return taken
  }

  private mutating func countTransmission(of entry: Entry, limit: Int) {
    guard var present = entries[entry.update.peer],
      let index = present.firstIndex(where: { $0.order == entry.order })
    else { return }
    present[index].transmissions += 1
    if present[index].transmissions >= limit { present.remove(at: index) }
    entries[entry.update.peer] = present.isEmpty ? nil : present
  }
}

extension MemberUpdate {
  /// Whether both are worth passing on: suspicions of one incarnation by different observers.
  fileprivate func stands(beside other: MemberUpdate) -> Bool {
    guard case .suspect(let mine) = claim, case .suspect(let theirs) = other.claim else {
      return false
    }
    return mine != theirs && incarnation == other.incarnation
  }
}
