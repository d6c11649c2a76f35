// The life of one job over its terms: what to do when a term ends before the job. Decides; dials,
// plans and sleeps nothing.

/// The entry's side of one job from the request to its last token. Each term is one plan with its
/// ranks; a term that breaks is followed by one without whoever broke it, from the same position.
public struct GenerationJob: Sendable {
  public enum Event: Sendable, Hashable {
    /// The job was asked for. Whoever this peer itself suspects is left out of the first plan.
    case begin(suspected: [PeerID])
    /// A token was sampled: the term is fruitful.
    case sampled
    /// The term ended before the job did.
    case ended(TermEnd)
    /// The term was given up for a better plan, without fault.
    case moved
    /// No plan is possible over those who are not excluded.
    case unplannable
    /// The moment of `wait` has come.
    case waited
  }

  public enum Effect: Sendable, Hashable {
    /// Plan over all but these, prepare, and run from the log's end.
    case attempt(Term, excluding: [PeerID])
    /// Membership is to look at this peer.
    case suspect(PeerID)
    case wait(until: Moment)
    case failed(JobFailure)
    /// No plan, and nothing left to try: the planner's own error says why.
    case unplannable
  }

  private enum State: Sendable, Hashable {
    case idle
    case running
    case waiting
    case ended
  }

  private struct Exclusion: Sendable {
    let until: Moment
    /// What the peer said when it refused; nil: it was lost.
    let refusal: JobFailure?
  }

  public private(set) var term: Term
  /// Attempts since the last token.
  public private(set) var fruitless = 0
  private var state = State.idle
  private var excluded: [PeerID: Exclusion] = [:]
  /// Whether everybody got a second chance since the last token.
  private var hasPardoned = false
  /// A job that is taken over may meet its former driver's terms, and goes above them; a driver
  /// that has been followed by another stops.
  private var mayOvertake: Bool

  /// - Parameters:
  ///   - last: the highest term that is known of; `Term(0)` for a new job.
  public init(last: Term = Term(0)) {
    term = last
    mayOvertake = last > Term(0)
  }

  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    switch (state, event) {
    case (.idle, .begin(let suspected)):
      for peer in suspected { exclude(peer, at: now) }
      return attempt(at: now)
    case (.running, .sampled):
      fruitless = 0
      hasPardoned = false
      mayOvertake = false
      return []
    case (.running, .ended(let end)):
      return follow(end, at: now)
    case (.running, .moved):
      fruitless = 0
      return attempt(at: now)
    case (.running, .unplannable):
      return unplannable(at: now)
    case (.waiting, .waited):
      return attempt(at: now)
    case (.ended, _), (.idle, _), (.waiting, _), (.running, .begin), (.running, .waited):
      return []
    }
  }

  private mutating func attempt(at now: Moment) -> [Effect] {
    excluded = excluded.filter { $0.value.until > now }
    term = Term(term.value + 1)
    fruitless += 1
    state = .running
    return [.attempt(term, excluding: excluded.keys.sorted())]
  }

  private mutating func exclude(_ peer: PeerID, for refusal: JobFailure? = nil, at now: Moment) {
    excluded[peer] = Exclusion(until: now + Limits.jobExclusion, refusal: refusal)
  }

  private mutating func fail(_ failure: JobFailure) -> [Effect] {
    state = .ended
    return [.failed(failure)]
  }

  private mutating func follow(_ end: TermEnd, at now: Moment) -> [Effect] {
    if case .staleTerm(let theirs, _) = end.failure, mayOvertake {
      guard fruitless < Limits.fruitlessTerms else { return fail(end.failure) }
      term = max(term, theirs)
      return attempt(at: now)
    }
    if end.failure.blame == .nobody { return fail(end.failure) }
    let isRefusal = end.failure.blame == .speaker
    for peer in end.blamed { exclude(peer, for: isRefusal ? end.failure : nil, at: now) }
    let suspects = isRefusal ? [] : end.blamed.map { Effect.suspect($0) }
    guard fruitless < Limits.fruitlessTerms else { return suspects + fail(end.failure) }
    return suspects + (end.blamed.isEmpty ? pause(at: now) : attempt(at: now))
  }

  /// Views that differ meet within a few gossip rounds.
  private mutating func pause(at now: Moment) -> [Effect] {
    state = .waiting
    return [.wait(until: now + .milliseconds(40) * min(fruitless, 10))]
  }

  /// Whoever was only slow may serve after all: everybody is given one more chance, once.
  private mutating func unplannable(at now: Moment) -> [Effect] {
    let refusal = excluded.sorted { $0.key < $1.key }.lazy.compactMap(\.value.refusal).first
    guard !excluded.isEmpty, !hasPardoned, fruitless < Limits.fruitlessTerms else {
      state = .ended
      return refusal.map { [.failed($0)] } ?? [.unplannable]
    }
    hasPardoned = true
    let kept = refusal == nil ? [:] : excluded.filter { $0.value.refusal == nil }
    excluded = kept
    return pause(at: now)
  }
}
