// The lines of `POST /api/leave`.

import ShoalNode

/// How far a peer that leaves has come; `left` is the last.
public enum LeaveEvent: Codable, Sendable, Hashable {
  /// It waits for so many jobs that it drives.
  case jobs(running: Int)
  /// So many of its atoms still have too few copies at others.
  case atoms(left: Int, of: Int)
  /// So many never got theirs.
  case left(unplaced: Int)

  init(_ progress: LeaveProgress) {
    self =
      switch progress {
      case .jobs(let running): .jobs(running: running)
      case .atoms(let left, let total): .atoms(left: left, of: total)
      case .left(let unplaced): .left(unplaced: unplaced)
      }
  }
}
