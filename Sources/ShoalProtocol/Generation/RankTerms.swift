// Which terms a peer has taken part in: a PREPARE of an earlier one comes from a driver that
// another has followed, and is refused.

/// The terms of jobs that this peer was a rank of. Bounded; a job is forgotten a while after its
/// last PREPARE, when no driver of it can still be on its way.
public struct RankTerms: Sendable {
  private var latest: [JobID: (term: Term, seen: Moment)] = [:]

  public init() {}

  /// Takes a PREPARE in if its term is above all of its job before.
  public mutating func admit(_ job: JobID, _ term: Term, at now: Moment) throws(JobFailure) {
    latest = latest.filter { now - $0.value.seen < Limits.termMemory }
    if let mine = latest[job]?.term, mine >= term { throw .staleTerm(mine: mine, yours: term) }
    if latest[job] == nil, latest.count >= Limits.rememberedTerms {
      let oldest = latest.min { ($0.value.seen, $0.key) < ($1.value.seen, $1.key) }
      if let oldest { latest[oldest.key] = nil }
    }
    latest[job] = (term, now)
  }
}
