// Peers as they might compute a model: one stage, or several after each other, and what that costs.

/// Peers that compute some layers together.
package struct FormationStage: Sendable {
  package let work: StageWork
  package let candidates: [Candidate]
  package let shares: StageShares

  /// Nil where they cannot hold the layers.
  package init?(_ work: StageWork, among candidates: [Candidate], isSpread: Bool = false) {
    guard let shares = StageShares(work, among: candidates, isSpread: isSpread) else { return nil }
    self.work = work
    self.candidates = candidates
    self.shares = shares
  }

  /// Those that have something to do.
  package var working: [Candidate] {
    candidates.indices.filter { shares.hasWork($0) }.map { candidates[$0] }
  }

  /// For a token, in nanoseconds.
  package var time: (compute: UInt64, synchronisation: UInt64) {
    TokenEstimate.stage(work, shares, among: candidates)
  }
}

/// Stages that follow each other, and the cost.
package struct Formation: Sendable {
  package let kind: PlanKind
  package let stages: [FormationStage]
  package let estimate: TokenEstimate

  package init(_ kind: PlanKind, _ stages: [FormationStage]) {
    self.kind = kind
    self.stages = stages
    estimate = TokenEstimate(stages)
  }

  var working: [Candidate] { stages.flatMap(\.working) }

  var alternative: PlanAlternative {
    PlanAlternative(kind: kind, peers: working.map(\.peer).sorted(), estimate: estimate)
  }

  func isBetter(than other: Formation?, for objective: PlanObjective) -> Bool {
    guard let other else { return true }
    return estimate.cost(objective) < other.estimate.cost(objective)
  }

  /// The stage that a further peer could take part in: of its clique where there are several.
  func stage(near candidate: Candidate) -> Int? {
    guard stages.count > 1 else { return 0 }
    return stages.firstIndex { stage in
      stage.candidates.contains { $0.clique == candidate.clique }
    }
  }

  /// The same with one peer more in a stage; nil where it would get nothing to do.
  func adding(_ candidate: Candidate, to stage: Int) -> Formation? {
    let members = stages[stage].working
    guard let wider = FormationStage(stages[stage].work, among: members + [candidate]),
      wider.shares.hasWork(members.count)
    else { return nil }
    var all = stages
    all[stage] = wider
    return Formation(kind == .solo ? .tensor : kind == .pipeline ? .hybrid : kind, all)
  }
}

extension [Candidate] {
  /// Peers of one clique together, in the order in which cliques first appear.
  var cliques: [[Candidate]] {
    var places: [UInt64: Int] = [:]
    var cliques: [[Candidate]] = []
    for candidate in self {
      if let place = places[candidate.clique] {
        cliques[place].append(candidate)
      } else {
        places[candidate.clique] = cliques.count
        cliques.append([candidate])
      }
    }
    return cliques
  }
}
