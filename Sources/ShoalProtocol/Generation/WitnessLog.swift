// The jobs that a peer could continue for another: bounded, and forgotten after a while.

/// Records of jobs by their id, which nobody can guess: whoever names a job may continue it.
public struct WitnessLog: Sendable {
  private struct Entry: Sendable {
    var record: JobRecord
    /// Whom it was heard from; nil: this peer drove the job itself.
    var driver: PeerID?
    var forgetAt: Moment
  }

  private var entries: [JobID: Entry] = [:]
  private var bytes = 0

  public init() {}

  public var count: Int { entries.count }

  /// Keeps a record, unless a later term or a longer log of the job is here already. Those heard
  /// of longest ago make room.
  ///
  /// - Parameter driver: whom it was heard from; nil: this peer drove the job itself.
  public mutating func keep(_ record: JobRecord, from driver: PeerID? = nil, at now: Moment) {
    forget(at: now)
    if let known = entries[record.job]?.record,
      (known.term, known.log.count) > (record.term, record.log.count)
    {
      return
    }
    drop(record.job)
    while entries.count >= Limits.witnessedJobs
      || (bytes + record.byteCount > Limits.witnessBytes && !entries.isEmpty)
    {
      let oldest = entries.min { ($0.value.forgetAt, $0.key) < ($1.value.forgetAt, $1.key) }
      if let oldest { drop(oldest.key) }
    }
    guard record.byteCount <= Limits.witnessBytes else { return }
    entries[record.job] = Entry(
      record: record, driver: driver, forgetAt: now + Limits.witnessMemory)
    bytes += record.byteCount
  }

  /// Takes in what a job's driver says. False: the job is not known here.
  public mutating func extend(
    _ job: JobID, _ news: JobNews, at now: Moment
  ) throws(WireError) -> Bool {
    forget(at: now)
    guard var entry = entries[job] else { return false }
    let before = entry.record.byteCount
    try entry.record.extend(news)
    entry.forgetAt = now + Limits.witnessMemory
    bytes += entry.record.byteCount - before
    entries[job] = entry
    return true
  }

  /// The record to continue from; it stays until it is forgotten.
  public mutating func record(of job: JobID, at now: Moment) -> JobRecord? {
    forget(at: now)
    return entries[job]?.record
  }

  /// Who drove a job, as far as was heard; nil: this peer, or nobody knows.
  public func driver(of job: JobID) -> PeerID? { entries[job]?.driver }

  /// When something is to be forgotten next.
  public var nextDeadline: Moment? { entries.values.map(\.forgetAt).min() }

  public mutating func forget(at now: Moment) {
    for job in entries.filter({ $0.value.forgetAt <= now }).keys { drop(job) }
  }

  private mutating func drop(_ job: JobID) {
    if let entry = entries.removeValue(forKey: job) { bytes -= entry.record.byteCount }
  }
}
