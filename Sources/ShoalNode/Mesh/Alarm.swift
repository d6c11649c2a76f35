// Sleeps until a moment or until something happens, whichever comes first.

internal import ShoalProtocol
private import Synchronization

/// One sleeper, any number of wakers. A ring that comes while nobody sleeps is kept.
final class Alarm: Sendable {
  private struct State {
    var isRinging = false
    var sleeper: CheckedContinuation<Void, Never>?
    /// What the sleeper waits for; nil: for a ring only.
    var deadline: Moment?
  }

  private let state = Mutex(State())

  /// Wakes the sleeper, or the next one.
  func ring() {
    let sleeper = state.withLock { state in
      defer { state.sleeper = nil }
      if state.sleeper == nil { state.isRinging = true }
      return state.sleeper
    }
    sleeper?.resume()
  }

  /// Wakes the sleeper if it would sleep past `deadline`. Whoever is awake reads its deadline anew
  /// before it sleeps, so nothing needs to be kept.
  func advance(to deadline: Moment?) {
    guard let deadline else { return }
    let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if let present = state.deadline, present <= deadline { return nil }
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.resume()
  }

  /// Returns at a ring, at `deadline`, or when the task is cancelled.
  func sleep(until deadline: Moment?, _ clock: any MeshClock) async {
    state.withLock { $0.deadline = deadline }
    await withTaskGroup(of: Void.self) { group in
      if let deadline {
        group.addTask {
          try? await clock.sleep(until: deadline)
          self.ring()
        }
      }
      await waitForRing()
      group.cancelAll()
    }
    state.withLock { $0.isRinging = false }
  }

  private func waitForRing() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isRinging = state.withLock { state in
          if state.isRinging || Task.isCancelled { return true }
          state.sleeper = continuation
          return false
        }
        if isRinging { continuation.resume() }
      }
    } onCancel: {
      ring()
    }
  }
}
