// Connections that this peer dialled and that carry no stream now, kept for the next one: closes
// what IdleShelf no longer keeps.

internal import ShoalProtocol
private import Synchronization

final class LinkPool: Sendable {
  private struct Idle: Sendable {
    let connection: SealedLink
    var end: StreamEnd
  }

  private let shelf = Mutex(IdleShelf<Idle>())
  private let clock: any MeshClock

  init(clock: any MeshClock) { self.clock = clock }

  deinit { for entry in shelf.withLock({ $0.dropAll() }) { entry.connection.shutdown() } }

  /// Keeps a connection whose stream has ended here.
  func keep(_ connection: SealedLink, _ end: StreamEnd) {
    guard end != .broken, connection.isReusable else { return connection.shutdown() }
    let entry = Idle(connection: connection, end: end)
    let surplus = shelf.withLock { $0.keep(entry, of: connection.peer, at: clock.now()) }
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
    for link in shelf.withLock({ $0.drop(peer) }) { link.connection.shutdown() }
  }

  private func pop(_ peer: PeerID) -> Idle? {
    let (entry, expired) = shelf.withLock { $0.take(peer, at: clock.now()) }
    for link in expired { link.connection.shutdown() }
    return entry
  }
}
