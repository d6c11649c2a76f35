// Tries the formations that could be best and keeps what each would cost.

/// The best of each kind over one set of candidates (fastest first).
package struct PlanSearch: Sendable {
  package let work: StageWork
  package let candidates: [Candidate]
  private let objective: PlanObjective
  private let solo: Formation?
  private let tensor: Formation?
  private let pipeline: Formation?
  private let hybrid: Formation?
  private let spread: Formation?
  /// Formations of one stage that were tried: what a search costs, on any machine.
  package private(set) var trials = 0

  package init(_ request: PlanRequest, work: StageWork, candidates: [Candidate]) {
    self.work = work
    self.candidates = candidates
    objective = request.objective
    solo = PlanSearch.alone(work, candidates, &trials)
    tensor = PlanSearch.together(work, candidates, &trials)
    let staged = StageSearch(request, work: work, candidates: candidates)
    pipeline = staged.pipeline
    hybrid = staged.hybrid
    let flat = PlanSearch.everybody(work, candidates, &trials)
    let parted = staged.spread
    spread = parted.flatMap { $0.isBetter(than: flat, for: .spread) ? $0 : nil } ?? flat
  }

  package var alternatives: [PlanAlternative] {
    [solo, tensor, pipeline, hybrid, spread].compactMap { $0?.alternative }
  }

  /// At equal costs the simpler one: solo stands first.
  package func best() -> Formation? {
    if objective == .spread, let spread { return spread }
    let formations = [solo, tensor, pipeline, hybrid, spread].compactMap(\.self)
    return formations.min { $0.estimate.cost(objective) < $1.estimate.cost(objective) }
  }

  /// Why each candidate without work in `chosen` has none.
  package func reasons(beside chosen: Formation) -> [ExcludedPeer] {
    let working = Set(chosen.working.map(\.peer))
    return candidates.filter { !working.contains($0.peer) }.map { candidate in
      ExcludedPeer(peer: candidate.peer, reason: reason(against: candidate, beside: chosen))
    }
  }

  private func reason(against candidate: Candidate, beside chosen: Formation) -> ExclusionReason {
    guard objective != .spread else { return .noShare }
    guard let near = chosen.stage(near: candidate) else {
      let last = chosen.stages[chosen.stages.count - 1]
      return .addsStage(
        handover: TokenEstimate.handover(
          from: last.working, to: [candidate], bytes: work.handoverBytes))
    }
    guard let wider = chosen.adding(candidate, to: near) else { return .noShare }
    let (without, with) = (chosen.estimate.cost(objective).0, wider.estimate.cost(objective).0)
    return with < without ? .noShare : .slowsToken(without: without, with: with)
  }
}

extension PlanSearch {
  /// Nil where they cannot hold the model.
  private static func formation(
    _ kind: PlanKind, _ work: StageWork, _ candidates: [Candidate], _ trials: inout Int
  ) -> Formation? {
    trials += 1
    guard let stage = FormationStage(work, among: candidates, isSpread: kind == .spread) else {
      return nil
    }
    return Formation(candidates.count == 1 ? .solo : kind, [stage])
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

  /// The best of the `k` fastest, k from 2 on, among all peers, among those with quick links alone
  /// and among those of each clique; then widened by whoever still helps.
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
        if next.isBetter(than: best, for: .latency) { best = next }
      }
    }
    guard var best else {
      return formation(.tensor, work, candidates, &trials).flatMap(ifTogether)
    }
    let members = Set(best.stages[0].candidates.map(\.peer))
    for candidate in candidates where !members.contains(candidate.peer) {
      let wider = formation(.tensor, work, best.stages[0].candidates + [candidate], &trials)
      if let wider, wider.isBetter(than: best, for: .latency) { best = wider }
    }
    return best
  }

  private static func ifTogether(_ formation: Formation) -> Formation? {
    formation.stages[0].candidates.count > 1 ? formation : nil
  }

  /// Everybody, and for each of the coarse classes of links the peers at least that quick: one
  /// peer behind a slow link would otherwise spoil every formation that it is fast enough for.
  /// And each clique by itself, where there are several.
  private static func pools(_ work: StageWork, _ candidates: [Candidate]) -> [[Candidate]] {
    let costs = candidates.map { candidate in
      TokenEstimate.round([candidate, candidate], partialBytes: work.partialBytes)
    }
    // Classes are powers of two: costs of one class differ by less than a factor of two.
    let classes = costs.map { 64 - $0.leadingZeroBitCount }
    let bounds = Set(classes).sorted(by: >).prefix(8)
    let byLink = bounds.map { bound in
      candidates.indices.filter { classes[$0] <= bound }.map { candidates[$0] }
    }
    let cliques = candidates.cliques
    return byLink + (cliques.count > 1 ? cliques.filter { $0.count > 1 } : [])
  }
}
