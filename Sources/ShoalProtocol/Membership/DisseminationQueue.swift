// News on its way through the mesh: each claim is sent on a few times, the newest first.

/// SWIM's piggy-back buffer (section 4.1): claims sent least often go first, and after
/// `lambda log n` times a claim is dropped. One claim a peer, but for suspicions, where each of a
/// few observers counts: one that took another's place on the way would be lost to those who have
/// not heard it yet.
struct DisseminationQueue: Sendable {
  private struct Entry: Sendable {
    let update: MemberUpdate
    /// Its place in the order of coming.
    let order: UInt64
    let isUrgent: Bool
  }

  /// The first observer and as many others as shorten a suspicion (Lifeguard's K).
  static let mostObservers = 4

  /// By transmissions; each in the order of coming.
  private var rounds: [[Entry]] = []
  /// The orders of a peer's claims, the first come first; more than one only for suspicions of one
  /// incarnation.
  private var orders: [PeerID: [UInt64]] = [:]
  private var nextOrder: UInt64 = 0
  private var urgent = 0
  private(set) var count = 0

  /// Whether there is news that should not wait for the next message that goes anyway.
  var isUrgent: Bool { urgent > 0 }

  /// Replaces what was said about the same peer, unless both are suspicions by different observers.
  /// What takes the place of something urgent is urgent too.
  mutating func add(_ update: MemberUpdate, isUrgent: Bool = true) {
    var kept: [UInt64] = []
    var isUrgent = isUrgent
    for order in orders[update.peer] ?? [] {
      guard let (round, index) = find(order) else { continue }
      if rounds[round][index].update.stands(beside: update) {
        kept.append(order)
      } else {
        isUrgent = remove(order)?.isUrgent == true || isUrgent
      }
    }
    while kept.count >= Self.mostObservers { _ = remove(kept.removeFirst()) }
    orders[update.peer] = kept + [nextOrder]
    if rounds.isEmpty { rounds.append([]) }
    rounds[0].append(Entry(update: update, order: nextOrder, isUrgent: isUrgent))
    nextOrder += 1
    count += 1
    urgent += isUrgent ? 1 : 0
  }

  mutating func drop(_ peer: PeerID) {
    for order in orders.removeValue(forKey: peer) ?? [] { _ = remove(order) }
  }

  /// The claims for one message, within `budget` bytes, each counted as sent once.
  mutating func take(budget: Int, limit: Int) -> [MemberUpdate] {
    guard count > 0 else { return [] }
    var taken: [MemberUpdate] = []
    var left = budget
    // Of each round, the first entry that was taken: the newest go first.
    var starts: [Int] = []
    for round in rounds {
      var start = round.count
      while start > 0, round[start - 1].update.byteCount <= left {
        start -= 1
        left -= round[start].update.byteCount
        taken.append(round[start].update)
      }
      starts.append(start)
      if start > 0 { break }
    }
    // The last round first, so that nothing is counted twice.
    for (transmissions, start) in starts.enumerated().reversed() {
      countTransmission(from: transmissions, start: start, limit: limit)
    }
    return taken
  }

  private mutating func countTransmission(from transmissions: Int, start: Int, limit: Int) {
    guard start < rounds[transmissions].count else { return }
    let sent = Array(rounds[transmissions][start...])
    rounds[transmissions].removeLast(sent.count)
    guard transmissions + 1 < limit else {
      for entry in sent { expire(entry) }
      return
    }
    if rounds.count == transmissions + 1 { rounds.append([]) }
    rounds[transmissions + 1].merge(sent) { $0.order < $1.order }
  }

  private mutating func expire(_ entry: Entry) {
    let left = (orders[entry.update.peer] ?? []).filter { $0 != entry.order }
    orders[entry.update.peer] = left.isEmpty ? nil : left
    discount(entry)
  }

  private mutating func discount(_ entry: Entry) {
    count -= 1
    urgent -= entry.isUrgent ? 1 : 0
  }

  private mutating func remove(_ order: UInt64) -> Entry? {
    guard let (round, index) = find(order) else { return nil }
    let entry = rounds[round].remove(at: index)
    discount(entry)
    return entry
  }

  private func find(_ order: UInt64) -> (round: Int, index: Int)? {
    for (number, round) in rounds.enumerated() {
      let index = round.partitionPoint { $0.order >= order }
      if index < round.count, round[index].order == order { return (number, index) }
    }
    return nil
  }
}

extension Array {
  /// Takes in what is as sorted as this array is, from the end: that is where most of it belongs.
  fileprivate mutating func merge(
    _ others: [Element], by isBefore: (Element, Element) -> Bool
  ) {
    guard let last, let first = others.first, isBefore(first, last) else {
      return append(contentsOf: others)
    }
    var (mine, theirs) = (count, others.count)
    append(contentsOf: others)
    while theirs > 0, mine > 0 {
      if isBefore(others[theirs - 1], self[mine - 1]) {
        self[mine + theirs - 1] = self[mine - 1]
        mine -= 1
      } else {
        self[mine + theirs - 1] = others[theirs - 1]
        theirs -= 1
      }
    }
    replaceSubrange(0..<theirs, with: others[..<theirs])
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
