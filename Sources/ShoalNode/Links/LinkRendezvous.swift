// Where the partial-sum links of a term meet the rank that waits for them.

internal import ShoalProtocol

/// Links that others opened to this peer, until the job that they belong to asks for them.
actor LinkRendezvous {
  struct Key: Hashable {
    let job: JobID
    let term: Term
    let rank: Int
  }

  private let clock: any MeshClock
  /// Terms of jobs that this peer is a rank of, and how many ranks each has.
  private var expected: [JobID: (term: Term, ranks: Int)] = [:]
  private var links: [Key: any FrameLink] = [:]

  init(clock: any MeshClock) { self.clock = clock }

  /// Links of this term are welcome from now on, those of an earlier one no longer.
  func open(_ job: JobID, _ term: Term, ranks: Int) {
    if let earlier = expected[job]?.term { drop(job, earlier) }
    expected[job] = (term, ranks)
  }

  func close(_ job: JobID, _ term: Term) {
    drop(job, term)
    if expected[job]?.term == term { expected[job] = nil }
  }

  private func drop(_ job: JobID, _ term: Term) {
    for rank in 0..<(expected[job]?.ranks ?? 0) {
      links.removeValue(forKey: Key(job: job, term: term, rank: rank))?.shutdown()
    }
  }

  /// Keeps a link. One that no rank here waits for is shut: of an earlier term, or of nothing.
  func deposit(_ link: any FrameLink, for key: Key) {
    guard let job = expected[key.job], job.term == key.term, key.rank < job.ranks else {
      link.shutdown()
      return
    }
    links.updateValue(link, forKey: key)?.shutdown()
    waiters.removeValue(forKey: key)?.ring()
  }

  private var waiters: [Key: Alarm] = [:]

  /// The link for `key` that `peer` opened; waits for it until `deadline`.
  func take(_ key: Key, from peer: PeerID, deadline: Moment) async throws(JobFailure)
    -> any FrameLink
  {
    while true {
      if let link = links.removeValue(forKey: key) {
        guard link.peer == peer else {
          link.shutdown()
          throw .protocolViolation(link.peer, .invalid(field: "rank"))
        }
        return link
      }
      guard clock.now() < deadline, !Task.isCancelled else { throw .peerLost(peer) }
      let alarm = Alarm()
      waiters[key] = alarm
      await alarm.sleep(until: deadline, clock)
    }
  }
}
