// Decides whether sharing work pays: a thread that another program keeps from its core holds up
// everybody who waits for the piece it has begun, for a whole time slice of the system.

/// What a pool learns from its joins. Pure: times are arguments, in nanoseconds.
///
/// A caller that is done waits for the pieces that others have begun, about one piece's time. Where
/// it waits much longer, a thread was held up; the caller then works alone for a while, twice as long
/// each time that this repeats. With a busy neighbour on every core but one, a pool so comes to what
/// one thread does; without, it shares again within `longest`.
package struct WorkerTrust {
  /// More than a wake-up takes, less than a time slice.
  package static let slack: Int64 = 250_000
  package static let shortest: Int64 = 20_000_000
  package static let longest: Int64 = 640_000_000
  /// Joins in time after which earlier trouble is forgotten.
  package static let calmJoins = 512

  private var aloneUntil = Int64.min
  private var penalty = WorkerTrust.shortest
  private var joinsInTime = 0

  package init() {}

  /// Whether the caller should do all by itself at `now`.
  package func isAlone(at now: Int64) -> Bool { now < aloneUntil }

  /// A run was joined at `now`: its caller did `pieces` in `busy`, then waited for others.
  package mutating func joined(at now: Int64, pieces: Int, busy: Int64, waited: Int64) {
    guard pieces > 0 else { return }
    if waited <= 2 * busy / Int64(pieces) + WorkerTrust.slack {
      joinsInTime += 1
      if joinsInTime >= WorkerTrust.calmJoins { penalty = WorkerTrust.shortest }
      return
    }
    joinsInTime = 0
    aloneUntil = now + penalty
    penalty = min(2 * penalty, WorkerTrust.longest)
  }
}
