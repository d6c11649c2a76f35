// News on its way through the mesh: each claim is sent on a few times, the newest first.

/// SWIM's piggy-back buffer (section 4.1): claims sent least often go first, and after
/// `lambda log n` times a claim is dropped. One claim a peer, but for suspicions, where each of a
/// few observers counts: one that took another's place on the way would be lost to those who have
/// not heard it yet.
struct DisseminationQueue: Sendable {
  private struct Entry: Sendable {
    let update: MemberUpdate
    let order: UInt64
  }

  /// Where an entry is: how often it was sent, and its place in the order of coming.
  private struct Place: Hashable, Sendable {
    var transmissions: Int
    let order: UInt64
  }

  /// The first observer and as many others as shorten a suspicion (Lifeguard's K).
  static let mostObservers = 4

  /// By transmissions; each in the order of coming.
  private var rounds: [[Entry]] = []
  /// By peer, the first come first; more than one only for suspicions of one incarnation.
  private var places: [PeerID: [Place]] = [:]
  private var nextOrder: UInt64 = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// Replaces what was said about the same peer, unless both are suspicions by different observers.
  mutating func add(_ update: MemberUpdate) {
    var kept: [Place] = []
    for place in places[update.peer] ?? [] {
      if self.update(at: place).stands(beside: update) { kept.append(place) } else { remove(place) }
    }
    while kept.count >= Self.mostObservers { remove(kept.removeFirst()) }
    let place = Place(transmissions: 0, order: nextOrder)
    nextOrder += 1
    places[update.peer] = kept + [place]
    insert(Entry(update: update, order: place.order), transmissions: 0)
  }

  mutating func drop(_ peer: PeerID) {
    for place in places.removeValue(forKey: peer) ?? [] { remove(place) }
  }

  /// The claims for one message, within `budget` bytes, each counted as sent once.
  mutating func take(budget: Int, limit: Int) -> [MemberUpdate] {
    var taken: [(entry: Entry, transmissions: Int)] = []
    var left = budget
    walk: for (transmissions, round) in rounds.enumerated() {
      for entry in round.reversed() {
        guard entry.update.byteCount <= left else { break walk }
        left -= entry.update.byteCount
        taken.append((entry, transmissions))
      }
    }
    for (entry, transmissions) in taken {
      countTransmission(of: entry, from: transmissions, limit: limit)
    }
    return taken.map(\.entry.update)
  }

  private mutating func countTransmission(of entry: Entry, from transmissions: Int, limit: Int) {
    let place = Place(transmissions: transmissions, order: entry.order)
    remove(place)
    let peer = entry.update.peer
    guard var present = places[peer], let index = present.firstIndex(of: place) else { return }
    if transmissions + 1 >= limit {
      present.remove(at: index)
    } else {
      present[index].transmissions += 1
      insert(entry, transmissions: transmissions + 1)
    }
    places[peer] = present.isEmpty ? nil : present
  }

  // MARK: Rounds

  private func index(_ order: UInt64, in transmissions: Int) -> Int {
    rounds[transmissions].partitionPoint { $0.order >= order }
  }

  private func update(at place: Place) -> MemberUpdate {
    rounds[place.transmissions][index(place.order, in: place.transmissions)].update
  }

  private mutating func insert(_ entry: Entry, transmissions: Int) {
    while rounds.count <= transmissions { rounds.append([]) }
    rounds[transmissions].insert(entry, at: index(entry.order, in: transmissions))
    count += 1
  }

  private mutating func remove(_ place: Place) {
    rounds[place.transmissions].remove(at: index(place.order, in: place.transmissions))
    count -= 1
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
