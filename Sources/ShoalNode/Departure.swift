// How far a peer is on its way out of the mesh: it takes no more requests, ends those that it has,
// and then is gone.

internal import ShoalProtocol
private import Synchronization

extension Limits {
  /// A peer that leaves lets the jobs that it drives run for so long. Then their clients go on at
  /// the witnesses.
  static let ownJobs = Duration.seconds(30)
}

final class Departure: Sendable {
  private struct State {
    var isLeaving = false
    var isStopped = false
    /// Jobs that this peer drives.
    var driven = 0
  }

  private let state = Mutex(State())
  private let idle = Alarm()
  private let stopping = Alarm()
  private let clock: any MeshClock

  init(clock: any MeshClock) { self.clock = clock }

  /// From now on no job begins here. False: that was so before.
  @discardableResult func begin() -> Bool {
    state.withLock { state in
      defer { state.isLeaving = true }
      return !state.isLeaving
    }
  }

  /// Drives one job. Throws `NodeError.leaving` where it is too late for that.
  func driving<Outcome>(_ job: () async throws -> Outcome) async throws -> Outcome {
    let isLate = state.withLock { state in
      if !state.isLeaving { state.driven += 1 }
      return state.isLeaving
    }
    guard !isLate else { throw NodeError.leaving }
    defer {
      state.withLock { $0.driven -= 1 }
      idle.ring()
    }
    return try await job()
  }

  /// Returns when no job is driven here any more, or after `Limits.ownJobs`. One caller.
  func untilIdle(_ progress: (Int) -> Void) async {
    let deadline = clock.now() + Limits.ownJobs
    while !Task.isCancelled, clock.now() < deadline {
      let running = state.withLock { $0.driven }
      progress(running)
      guard running > 0 else { return }
      await idle.sleep(until: deadline, clock)
    }
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    stopping.ring()
  }

  /// Returns after `stop`, or when the task is cancelled. One caller.
  func untilStopped() async {
    while !state.withLock({ $0.isStopped }), !Task.isCancelled {
      await stopping.sleep(until: nil, clock)
    }
  }
}
