// The ways to other peers, as the door reads them and Reach writes them.

package import ShoalProtocol
private import Synchronization

package final class Ways: Sendable {
  private struct State {
    var core: ReachCore
    /// Where peers were met beside what their records say.
    var places: [PeerID: Endpoint] = [:]
    /// Where their datagrams come from.
    var seen: [PeerID: Endpoint] = [:]
  }
  private let state: Mutex<State>
  /// Rung when something is due sooner than it was.
  let alarm = Alarm()

  package init(peer: PeerID) { state = Mutex(State(core: ReachCore(peer: peer))) }

  func handle(_ event: ReachCore.Event, at now: Moment) -> [ReachCore.Effect] {
    state.withLock { state in
      if case .lost(let peer) = event { (state.places[peer], state.seen[peer]) = (nil, nil) }
      return state.core.handle(event, at: now)
    }
  }

  var nextDeadline: Moment? { state.withLock { $0.core.nextDeadline } }

  /// Notes where a peer was met. Whether that is news.
  func place(_ peer: PeerID, at endpoint: Endpoint) -> Bool {
    state.withLock { state in
      guard state.places[peer] != endpoint,
        state.places[peer] != nil || state.places.count < Limits.peers
      else { return false }
      state.places[peer] = endpoint
      return true
    }
  }

  /// Notes where a peer's datagrams come from.
  func observe(_ peer: PeerID, at endpoint: Endpoint) {
    state.withLock { state in
      guard state.seen[peer] != endpoint,
        state.seen[peer] != nil || state.seen.count < Limits.peers
      else { return }
      state.seen[peer] = endpoint
    }
  }

  func way(to peer: PeerID) -> PeerWay? { state.withLock { $0.core.way(to: peer) } }

  /// Whether streams to it need nobody else.
  func isDirect(_ peer: PeerID) -> Bool {
    switch way(to: peer) {
    case .direct, .called: true
    case .relayed, nil: false
    }
  }

  func order(for peer: PeerID) -> [PeerWay] { state.withLock { $0.core.order(for: peer) } }

  /// Where to dial a peer: where it was met, then what its record says. Of that, the address that
  /// it is heard from comes first: of a home's address and its router's, the one that leads there
  /// from here.
  func endpoints(of record: CapabilityRecord) -> [Endpoint] {
    let (place, seen) = state.withLock { ($0.places[record.peer], $0.seen[record.peer]) }
    let near = record.endpoints.filter { $0.address == seen?.address }
    let stated = near + record.endpoints.filter { !near.contains($0) }
    return [place].compactMap(\.self).filter { !stated.contains($0) } + stated
  }

  /// No stream came about; another way is looked for.
  func failed(_ peer: PeerID, at now: Moment) {
    _ = handle(.failed(peer), at: now)
    alarm.advance(to: nextDeadline)
  }
}
