// The seam to time: the system's clock in production, virtual time in the simulator.

public import ShoalProtocol

/// A monotonic clock that actors read and sleep on.
public protocol MeshClock: Sendable {
  func now() -> Moment

  /// Returns at `deadline` or soon after. Throws `CancellationError` when the task is cancelled.
  func sleep(until deadline: Moment) async throws

  /// Wall time in milliseconds since 1970, for records that other peers read. It may jump.
  func unixMilliseconds() -> UInt64
}
