// Tells the mesh, in this peer's record, when its steps take much longer than they should, and when
// they no longer do.

internal import ShoalProtocol
private import Synchronization

/// Fed by the ranks' threads, read by one task.
final class Throughput: Sendable {
  private let watch = Mutex(ThroughputWatch())
  private let changed = Alarm()
  private let clock: any MeshClock

  init(clock: any MeshClock) { self.clock = clock }

  func note(_ kind: StepKind, bytes: UInt64, took: Duration) {
    let (isNews, deadline) = watch.withLock { watch in
      let isNews = watch.note(kind, bytes: bytes, took: took, at: clock.now())
      return (isNews, watch.nextDeadline)
    }
    if isNews { changed.ring() } else { changed.advance(to: deadline) }
  }

  /// Until cancelled.
  func run(_ assessed: ComputeFigures, _ membership: Membership) async {
    while !Task.isCancelled {
      await changed.sleep(until: watch.withLock { $0.nextDeadline }, clock)
      let perMille = watch.withLock { watch in
        _ = watch.look(at: clock.now())
        return watch.perMille
      }
      let figures = assessed.slowed(to: perMille)
      await membership.update { $0.compute = figures }
    }
  }
}
