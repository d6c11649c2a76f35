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
  /// What all records here take.
  public private(set) var byteCount = 0

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
    if entries.count >= Limits.witnessedJobs { dropOldest() }
    insert(Entry(record: record, driver: driver, forgetAt: now + Limits.witnessMemory))
  }

  /// Keeps what fits, if need be in place of others.
  private mutating func insert(_ entry: Entry) {
    let size = entry.record.byteCount
    guard size <= Limits.witnessBytes else { return }
    while byteCount + size > Limits.witnessBytes { dropOldest() }
    entries[entry.record.job] = entry
    byteCount += size
  }

  /// Takes in what a job's driver says. False: the job is not known here.
  public mutating func extend(
    _ job: JobID, _ news: JobNews, at now: Moment
  ) throws(WireError) -> Bool {
    forget(at: now)
    guard var entry = entries[job] else { return false }
    try entry.record.extend(news)
    entry.forgetAt = now + Limits.witnessMemory
    // A log that has grown makes room for itself as a new one does.
    drop(job)
    insert(entry)
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
    if let entry = entries.removeValue(forKey: job) { byteCount -= entry.record.byteCount }
  }

  /// Of that which was heard of longest ago.
  private mutating func dropOldest() {
    let oldest = entries.min { ($0.value.forgetAt, $0.key) < ($1.value.forgetAt, $1.key) }
    if let oldest { drop(oldest.key) }
  }
}
