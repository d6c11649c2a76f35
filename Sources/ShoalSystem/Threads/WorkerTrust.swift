// Decides whether sharing work pays: a thread that another program keeps from its core holds up
// everybody who waits for the piece it has begun, for a whole time slice of the system.

/// What a pool learns from its joins. Pure: times are arguments, in nanoseconds.
///
/// A caller that did `own` of `all` pieces knows about how long it would have taken alone. Where
/// sharing has lost more than `limit` of late, it works alone for a while, twice as long each time
/// that this repeats. With a busy neighbour on every core but one, a pool so comes to what one
/// thread does; without, it shares again within `longest`. A single delay is paid by the time that
/// sharing has won before.
package struct WorkerTrust {
  /// Time lost, or won, that is remembered: some time slices.
  package static let limit: Int64 = 6_000_000
  package static let shortest: Int64 = 20_000_000
  package static let longest: Int64 = 640_000_000
  /// Joins in a row, with time won before, after which earlier trouble is forgotten.
  package static let calmJoins = 512

  private var aloneUntil = Int64.min
  private var penalty = WorkerTrust.shortest
  private var joins = 0
  /// What sharing has lost of late; negative where it has won.
  private var lost: Int64 = 0

  package init() {}

  /// Whether the caller should do all by itself at `now`.
  package func isAlone(at now: Int64) -> Bool { now < aloneUntil }

  /// A run of `all` pieces was joined at `now`, `took` after it began: its caller did `own` of them
  /// in `computed` of a processor's time.
  package mutating func joined(at now: Int64, own: Int, of all: Int, computed: Int64, took: Int64) {
    guard own > 0 else { return }
    lost = max(-WorkerTrust.limit, lost + took - computed / Int64(own) * Int64(all))
    joins = lost < 0 ? joins + 1 : 0
    if joins >= WorkerTrust.calmJoins { penalty = WorkerTrust.shortest }
    guard lost > WorkerTrust.limit else { return }
    aloneUntil = now + penalty
    penalty = min(2 * penalty, WorkerTrust.longest)
    (joins, lost) = (0, 0)
  }
}
