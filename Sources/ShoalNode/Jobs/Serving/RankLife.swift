// One rank of one term as others may end it: by a later term, or because its peer leaves.

internal import ShoalProtocol
private import Synchronization

/// Owns the rank's links, so that ending it wakes whatever waits on them.
final class RankLife: Sendable {
  let term: Term
  let entry: PeerID
  private struct State {
    var links: [any FrameLink]
    var isStopped = false
    /// Since when the lane has had no jobs; nil: it has some.
    var restingSince: Moment?
    var isLeaving = false
    var hasEnded = false
  }
  private let state: Mutex<State>
  private let ending = Alarm()

  init(term: Term, entry: any FrameLink) {
    self.term = term
    self.entry = entry.peer
    state = Mutex(State(links: [entry]))
  }

  /// Takes a link in. False, and the link is shut, where the rank has been stopped.
  func add(_ link: any FrameLink) -> Bool {
    let isStopped = state.withLock { state in
      if !state.isStopped { state.links.append(link) }
      return state.isStopped
    }
    if isStopped { link.shutdown() }
    return !isStopped
  }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// On the rank's thread: the lane has no jobs for a while, or has some again.
  func rests(_ isResting: Bool, at now: Moment) {
    state.withLock { $0.restingSince = isResting ? now : nil }
  }

  /// Since when it may be ended for what its memory or its place is wanted for; nil: it may not.
  var restingSince: Moment? { state.withLock { $0.hasEnded ? nil : $0.restingSince } }

  /// Shuts all links: nothing that this rank sends or waits for has a use.
  func stop() { stop { _ in true } }

  /// Stops if the lane still rests. Its driver takes the end of a lane that rests for no fault.
  func giveWay() { stop { $0.restingSince != nil } }

  private func stop(_ mayStop: (State) -> Bool) {
    let links = state.withLock { state -> [any FrameLink] in
      guard mayStop(state) else { return [] }
      state.isStopped = true
      defer { state.links = [] }
      return state.links
    }
    for link in links { link.shutdown() }
  }

  /// Lets the rank end at its next step; at once where none is to be expected.
  func leave() {
    state.withLock { $0.isLeaving = true }
    giveWay()
  }

  /// Why the next step is not to be taken; nil: go on.
  var interruption: JobFailure? { state.withLock { $0.isLeaving } ? .leaving : nil }

  /// The rank's thread touches nothing any more.
  func end() {
    state.withLock { $0.hasEnded = true }
    stop()
    ending.ring()
  }

  /// Returns when `end` was called. One caller.
  func untilEnded(_ clock: any MeshClock) async {
    while !state.withLock({ $0.hasEnded }), !Task.isCancelled {
      await ending.sleep(until: nil, clock)
    }
  }
}
