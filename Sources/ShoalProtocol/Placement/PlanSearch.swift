// Tries the formations that could be best and keeps what each would cost.

/// Peers that compute together, with their shares and the cost.
package struct Formation: Sendable {
  package let kind: PlanKind
  package let candidates: [Candidate]
  package let shares: StageShares
  package let estimate: TokenEstimate

  var alternative: PlanAlternative {
    let working = candidates.indices.filter { shares.hasWork($0) }
    return PlanAlternative(
      kind: kind, peers: working.map { candidates[$0].peer }.sorted(), estimate: estimate)
  }
}

/// The best of each kind over one set of candidates (fastest first).
package struct PlanSearch: Sendable {
  package let work: StageWork
  package let candidates: [Candidate]
  private let solo: Formation?
  private let tensor: Formation?
  private let spread: Formation?
  /// Formations that were tried: what a search costs, on any machine.
  package private(set) var trials = 0

  package init(work: StageWork, candidates: [Candidate]) {
    self.work = work
    self.candidates = candidates
    solo = PlanSearch.alone(work, candidates, &trials)
    tensor = PlanSearch.together(work, candidates, &trials)
    spread = PlanSearch.everybody(work, candidates, &trials)
  }

  package var alternatives: [PlanAlternative] {
    [solo, tensor, spread].compactMap { $0?.alternative }
  }

  package func best(for objective: PlanObjective) -> Formation? {
    switch objective {
    case .latency, .throughput:
      // At equal times the fewer peers the better: solo stands first.
      let formations = [solo, tensor, spread].compactMap(\.self)
      return formations.min { $0.estimate.nanoseconds < $1.estimate.nanoseconds }
    case .spread: return spread ?? tensor ?? solo
    }
  }

  /// Why each candidate without work in `chosen` has none.
  package func reasons(beside chosen: Formation, objective: PlanObjective) -> [ExcludedPeer] {
    var working: Set<PeerID> = []
    for (index, candidate) in chosen.candidates.enumerated() where chosen.shares.hasWork(index) {
      working.insert(candidate.peer)
    }
    let members = chosen.candidates.filter { working.contains($0.peer) }
    var trials = 0
    return candidates.filter { !working.contains($0.peer) }.map { candidate in
      let wider = PlanSearch.formation(.tensor, work, members + [candidate], &trials)
      guard objective != .spread, let wider, wider.shares.hasWork(members.count) else {
        return ExcludedPeer(peer: candidate.peer, reason: .noShare)
      }
      return ExcludedPeer(
        peer: candidate.peer,
        reason: .slowsToken(
          without: chosen.estimate.nanoseconds, with: wider.estimate.nanoseconds))
    }
  }
}

extension PlanSearch {
  /// Nil where they cannot hold the model.
  private static func formation(
    _ kind: PlanKind, _ work: StageWork, _ candidates: [Candidate], _ trials: inout Int
  ) -> Formation? {
    trials += 1
    guard let shares = StageShares(work, among: candidates, isSpread: kind == .spread) else {
      return nil
    }
    let isAlone = candidates.count == 1
    return Formation(
      kind: isAlone ? .solo : kind, candidates: candidates, shares: shares,
      estimate: isAlone
        ? TokenEstimate(work, alone: candidates[0])
        : TokenEstimate(work, shares, among: candidates))
  }

  /// The fastest peer that holds everything.
  private static func alone(
    _ work: StageWork, _ candidates: [Candidate], _ trials: inout Int
  ) -> Formation? {
    for candidate in candidates {
      if let formation = formation(.solo, work, [candidate], &trials) { return formation }
    }
    return nil
  }

  private static func everybody(
    _ work: StageWork, _ candidates: [Candidate], _ trials: inout Int
  ) -> Formation? {
    guard candidates.count > 1 else { return nil }
    return formation(.spread, work, candidates, &trials)
  }

  /// The best of the `k` fastest, k from 2 on, among all peers and among those with quick links
  /// alone; then widened by whoever still helps.
  private static func together(
    _ work: StageWork, _ candidates: [Candidate], _ trials: inout Int
  ) -> Formation? {
    var best: Formation?
    for pool in pools(work, candidates) {
      // Beyond the slots of the most numerous kind, a peer more gets nothing.
      let slots = SlotKind.allCases.map { work.kinds[$0].count }.max() ?? 0
      for count in stride(from: 2, through: min(pool.count, slots), by: 1) {
        let fastest = Array(pool.prefix(count))
        guard let next = formation(.tensor, work, fastest, &trials) else { continue }
        if next.estimate.nanoseconds < best?.estimate.nanoseconds ?? .max { best = next }
      }
    }
    guard var best else {
      return formation(.tensor, work, candidates, &trials).flatMap(ifTogether)
    }
    let members = Set(best.candidates.map(\.peer))
    for candidate in candidates where !members.contains(candidate.peer) {
      guard let wider = formation(.tensor, work, best.candidates + [candidate], &trials),
        wider.estimate.nanoseconds < best.estimate.nanoseconds
      else { continue }
      best = wider
    }
    return best
  }

  private static func ifTogether(_ formation: Formation) -> Formation? {
    formation.candidates.count > 1 ? formation : nil
  }

  /// Everybody, and for each of the coarse classes of links the peers at least that quick: one
  /// peer behind a slow link would otherwise spoil every formation that it is fast enough for.
  private static func pools(_ work: StageWork, _ candidates: [Candidate]) -> [[Candidate]] {
    let costs = candidates.map { candidate in
      TokenEstimate.round([candidate, candidate], partialBytes: work.partialBytes)
    }
    // Classes are powers of two: costs of one class differ by less than a factor of two.
    let classes = costs.map { 64 - $0.leadingZeroBitCount }
    let bounds = Set(classes).sorted(by: >).prefix(8)
    return bounds.map { bound in
      candidates.indices.filter { classes[$0] <= bound }.map { candidates[$0] }
    }
  }
}
