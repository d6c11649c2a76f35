// What is kept of connections that carry no stream now: how many, of whom, and for how long.

package import ShoalProtocol

extension Limits {
  /// Connections to one peer that are kept while nobody uses them: a job needs two, and two jobs
  /// at once are common.
  package static let idleLinksPerPeer = 4
  /// In all: a mesh of the largest size that plans make, twice over.
  package static let idleLinks = 256
  /// How long the dialling side keeps one. The answering side waits longer, so that no hello meets
  /// a connection that is just being closed.
  package static let idleLinkLife = Duration.seconds(60)
  package static let idleLinkWait = Duration.seconds(90)
}

/// A core: whoever has one closes the connections that it hands out as surplus.
package struct IdleShelf<Connection: Sendable>: Sendable {
  private struct Entry: Sendable {
    let connection: Connection
    let since: Moment
  }

  /// Of each peer, the one that was used last at the end.
  private var idle: [PeerID: [Entry]] = [:]
  package private(set) var count = 0

  package init() {}

  /// What is to be closed: those that grew old, and this one where there is no room for it.
  package mutating func keep(
    _ connection: Connection, of peer: PeerID, at now: Moment
  ) -> [Connection] {
    let expired = removeExpired(at: now)
    guard count < Limits.idleLinks, idle[peer, default: []].count < Limits.idleLinksPerPeer else {
      return expired + [connection]
    }
    idle[peer, default: []].append(Entry(connection: connection, since: now))
    count += 1
    return expired
  }

  /// The one of a peer that was used last, so that the others may grow old; and what is to be
  /// closed.
  package mutating func take(
    _ peer: PeerID, at now: Moment
  ) -> (connection: Connection?, expired: [Connection]) {
    let expired = removeExpired(at: now)
    guard let last = idle[peer]?.popLast() else { return (nil, expired) }
    if idle[peer]?.isEmpty == true { idle[peer] = nil }
    count -= 1
    return (last.connection, expired)
  }

  /// All of a peer that is gone.
  package mutating func drop(_ peer: PeerID) -> [Connection] {
    let entries = idle.removeValue(forKey: peer) ?? []
    count -= entries.count
    return entries.map(\.connection)
  }

  package mutating func dropAll() -> [Connection] { idle.keys.sorted().flatMap { drop($0) } }

  private mutating func removeExpired(at now: Moment) -> [Connection] {
    var expired: [Connection] = []
    for (peer, entries) in idle {
      let young = entries.filter { now - $0.since < Limits.idleLinkLife }
      guard young.count < entries.count else { continue }
      expired += entries.filter { now - $0.since >= Limits.idleLinkLife }.map(\.connection)
      idle[peer] = young.isEmpty ? nil : young
    }
    count -= expired.count
    return expired
  }
}
