// Connections that this peer dialled and that carry no stream now, kept for the next one.

internal import ShoalProtocol
private import Synchronization

extension Limits {
  /// Connections to one peer that are kept while nobody uses them: a job needs two, and two jobs
  /// at once are common.
  static let idleLinksPerPeer = 4
  /// In all: a mesh of the largest size that plans make, twice over.
  static let idleLinks = 256
  /// How long the dialling side keeps one. The answering side waits longer, so that no hello meets
  /// a connection that is just being closed.
  static let idleLinkLife = Duration.seconds(60)
  static let idleLinkWait = Duration.seconds(90)
}

final class LinkPool: Sendable {
  private struct Idle: Sendable {
    let connection: SealedLink
    var end: StreamEnd
    let since: Moment
  }

  private let idle = Mutex<[PeerID: [Idle]]>([:])
  private let clock: any MeshClock

  init(clock: any MeshClock) { self.clock = clock }

  deinit {
    for links in idle.withLock({ $0 }).values { for link in links { link.connection.shutdown() } }
  }

  /// Keeps a connection whose stream has ended here.
  func keep(_ connection: SealedLink, _ end: StreamEnd) {
    guard end != .broken, connection.isReusable else { return connection.shutdown() }
    let entry = Idle(connection: connection, end: end, since: clock.now())
    let surplus = idle.withLock { idle in
      var surplus = LinkPool.removeExpired(from: &idle, at: entry.since)
      let isFull = idle.values.reduce(0) { $0 + $1.count } >= Limits.idleLinks
      if isFull || idle[connection.peer, default: []].count >= Limits.idleLinksPerPeer {
        surplus.append(entry)
      } else {
        idle[connection.peer, default: []].append(entry)
      }
      return surplus
    }
    for link in surplus { link.connection.shutdown() }
  }

  /// A connection to `peer` that is ready for a stream; nil where a new one must be dialled.
  func take(_ peer: PeerID) -> SealedLink? {
    var later: [Idle] = []
    defer { for entry in later { keep(entry.connection, entry.end) } }
    while var entry = pop(peer) {
      if entry.end == .draining { entry.end = entry.connection.drainEnd() }
      switch entry.end {
      case .free where !entry.connection.hasInput: return entry.connection
      case .draining: later.append(entry)
      // What speaks unasked has closed, or is not to be trusted.
      case .free, .broken: entry.connection.shutdown()
      }
    }
    return nil
  }

  /// Forgets a peer that is gone.
  func drop(_ peer: PeerID) {
    let links = idle.withLock { $0.removeValue(forKey: peer) } ?? []
    for link in links { link.connection.shutdown() }
  }

  /// The one that was used last: the others may grow old.
  private func pop(_ peer: PeerID) -> Idle? {
    let now = clock.now()
    let (entry, expired) = idle.withLock { idle in
      let expired = LinkPool.removeExpired(from: &idle, at: now)
      let entry = idle[peer]?.popLast()
      if idle[peer]?.isEmpty == true { idle[peer] = nil }
      return (entry, expired)
    }
    for link in expired { link.connection.shutdown() }
    return entry
  }

  private static func removeExpired(
    from idle: inout [PeerID: [Idle]], at now: Moment
  ) -> [Idle] {
    var expired: [Idle] = []
    for (peer, links) in idle {
      let young = links.filter { now - $0.since < Limits.idleLinkLife }
      guard young.count < links.count else { continue }
      expired += links.filter { now - $0.since >= Limits.idleLinkLife }
      idle[peer] = young.isEmpty ? nil : young
    }
    return expired
  }
}
