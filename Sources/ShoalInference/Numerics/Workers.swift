// Who computes pieces of one step at the same time: the seam between kernels and threads.

/// Runs independent pieces of work. The pieces may run in any order and at the same time, so a
/// body writes only what its own piece owns; `canon-1` then gives the same bits whatever the order.
public protocol Workers: Sendable {
  /// How many pieces can run at the same time; at least 1. A hint for cutting work.
  var count: Int { get }

  /// Whether the next run is likely to be shared. Where not, its pieces follow one another on the
  /// caller's thread. A hint for what to read ahead.
  var isSharing: Bool { get }

  /// Calls `body` once for each of `0..<pieces` and returns when all calls have returned.
  /// The closure does not outlive the call; memory that the pieces wrote is visible after it.
  func run(_ pieces: Int, _ body: (Int) -> Void)
}

extension Workers {
  public var isSharing: Bool { count > 1 }
}

/// Runs every piece on the caller's thread, in ascending order.
public struct SerialWorkers: Workers {
  public init() {}
  public var count: Int { 1 }
  public func run(_ pieces: Int, _ body: (Int) -> Void) {
    for piece in 0..<pieces { body(piece) }
  }
}
