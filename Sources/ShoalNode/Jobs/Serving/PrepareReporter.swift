// Tells the entry that a rank is on its way to being ready: what it still fetches, and that it
// lives.

internal import ShoalProtocol
private import Synchronization

final class PrepareReporter: Sendable {
  private struct State {
    var remaining: UInt64 = 0
    var total: UInt64 = 0
    var isDone = false
  }
  private let entry: any FrameLink
  private let clock: any MeshClock
  private let state = Mutex(State())

  init(entry: any FrameLink, clock: any MeshClock) {
    self.entry = entry
    self.clock = clock
  }

  /// What is still to be fetched, of how many bytes.
  func note(remaining: UInt64, total: UInt64) {
    state.withLock { ($0.remaining, $0.total) = (remaining, total) }
  }

  /// Says so until cancelled; nothing after `finish` has returned.
  func run() async {
    while !Task.isCancelled {
      state.withLock { state in
        // Sent under the lock: a link has one sender at a time.
        guard !state.isDone else { return }
        try? entry.send(.fetching(remaining: state.remaining, total: state.total))
      }
      try? await clock.sleep(until: clock.now() + Limits.prepareBeat)
    }
  }

  func finish() { state.withLock { $0.isDone = true } }
}
