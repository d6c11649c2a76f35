// News on its way through the mesh: each claim is sent on a few times, the newest first.

/// SWIM's piggy-back buffer (section 4.1): claims sent least often go first, and after
/// `lambda log n` times a claim is dropped. One claim a peer, so it holds at most the table.
struct DisseminationQueue: Sendable {
  private struct Entry: Sendable {
    let update: MemberUpdate
    var transmissions: Int
    let order: UInt64
  }

  private var entries: [PeerID: Entry] = [:]
  private var nextOrder: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// Replaces what was said about the same peer.
  mutating func add(_ update: MemberUpdate) {
    entries[update.peer] = Entry(update: update, transmissions: 0, order: nextOrder)
    nextOrder += 1
  }

  mutating func drop(_ peer: PeerID) { entries[peer] = nil }

  /// The claims for one message, within `budget` bytes, each counted as sent once.
  mutating func take(budget: Int, limit: Int) -> [MemberUpdate] {
    guard !entries.isEmpty else { return [] }
    let sorted = entries.values.sorted {
      ($0.transmissions, $1.order) < ($1.transmissions, $0.order)
    }
    var taken: [MemberUpdate] = []
    var left = budget
    for entry in sorted {
      let update = entry.update
      guard update.byteCount <= left else { break }
      left -= update.byteCount
      taken.append(update)
      let transmissions = entry.transmissions + 1
      if transmissions >= limit {
        entries[update.peer] = nil
      } else {
        entries[update.peer]?.transmissions = transmissions
      }
    }
    return taken
  }
}
