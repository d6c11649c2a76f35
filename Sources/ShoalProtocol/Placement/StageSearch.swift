// Formations of several pipeline stages: peers alone one after the other, and groups of peers that
// are tensor parallel among themselves.

/// The best pipeline and the best hybrid over one set of candidates (fastest first).
///
/// Whoever may form a stage is fixed first: each peer by itself, or the cliques, whole and in
/// parts. Then layers are dealt (`LayerDealer`) by an average layer, and what comes out is reckoned
/// exactly.
struct StageSearch {
  private(set) var pipeline: Formation?
  private(set) var hybrid: Formation?
  /// One stage for each clique, with everybody.
  private(set) var spread: Formation?

  private let request: PlanRequest
  private let dealer: LayerDealer
  private var objective: PlanObjective { request.objective }

  init(_ request: PlanRequest, work: StageWork, candidates: [Candidate]) {
    self.request = request
    dealer = LayerDealer(request.shape, work)
    guard dealer.layers > 1, candidates.count > 1 else { return }
    search(candidates)
  }

  private mutating func search(_ candidates: [Candidate]) {
    let cliques = candidates.cliques
    let singles = cliques.enumerated().flatMap { place, clique in
      clique.map { dealer.group([$0], clique: place) }
    }
    keep(best(of: singles))
    for parts in [1, 2, 4, 8] {
      // Where no clique is large enough, there is nothing new.
      guard parts == 1 || cliques.contains(where: { $0.count >= 2 * parts }) else { continue }
      let parted = cliques.enumerated().flatMap { place, clique in
        StageSearch.parts(clique, parts).map { (members: $0, clique: place) }
      }
      keep(best(of: parted.map { dealer.quickest($0.members, clique: $0.clique) }))
      keep(best(of: parted.map { dealer.group($0.members, clique: $0.clique) }))
    }
    hybrid = hybrid.map { widened($0, by: candidates) }
    if objective == .spread, cliques.count > 1, cliques.count <= bound {
      let all = StageSearch.ordered(
        cliques.enumerated().map { dealer.group($1, clique: $0) })
      spread = dealer.deal(all, balanced: true).flatMap { formation(all, $0, isSpread: true) }
    }
  }

  /// The most stages.
  private var bound: Int { min(Limits.plannedStages, dealer.layers) }

  private mutating func keep(_ formation: Formation?) {
    guard let formation else { return }
    if formation.kind == .pipeline {
      if formation.isBetter(than: pipeline, for: objective) { pipeline = formation }
    } else if formation.isBetter(than: hybrid, for: objective) {
      hybrid = formation
    }
  }

  /// As many parts as there are peers for, about equally strong: members go around like cards.
  private static func parts(_ clique: [Candidate], _ count: Int) -> [[Candidate]] {
    guard count > 1, clique.count >= 2 * count else { return [clique] }
    return (0..<count).map { part in
      stride(from: part, to: clique.count, by: count).map { clique[$0] }
    }
  }

  /// Groups of a clique beside each other, so that few ways lead between cliques; the clique of the
  /// fastest peer and the quickest group last, where the output head is.
  private static func ordered(_ groups: [StageGroup]) -> [StageGroup] {
    groups.sorted {
      ($0.clique, $0.layerTime, $0.members[0].peer) > ($1.clique, $1.layerTime, $1.members[0].peer)
    }
  }

  /// Of the quickest groups, as many as it takes, or as is best.
  private func best(of groups: [StageGroup]) -> Formation? {
    let sorted = groups.sorted {
      ($0.layerTime, $0.members[0].peer) < ($1.layerTime, $1.members[0].peer)
    }
    var best: Formation?
    for count in stride(from: 2, through: min(sorted.count, bound), by: 1) {
      let chosen = StageSearch.ordered(Array(sorted.prefix(count)))
      guard let next = fitting(chosen) else { continue }
      if next.isBetter(than: best, for: objective) { best = next }
      // For one job a stage more than it takes is a way more.
      if objective != .throughput { break }
    }
    return best
  }

  /// Slots are whole, so that groups hold less than their room: how much less shows when they try.
  private func fitting(_ groups: [StageGroup]) -> Formation? {
    for perMille: UInt64 in [1_000, 900, 800, 650] {
      let counts = dealer.deal(
        groups, balanced: objective == .throughput, roomPerMille: perMille)
      guard let counts else { return nil }
      if let formation = formation(groups, counts, isSpread: false) { return formation }
    }
    return nil
  }

  /// Nil where a stage does not fit after all.
  private func formation(
    _ groups: [StageGroup], _ counts: [Int], isSpread: Bool
  ) -> Formation? {
    var first = 0
    var stages: [FormationStage] = []
    for (group, count) in zip(groups, counts) {
      let work = StageWork(
        checked: request.shape, contextTokens: request.contextTokens, layers: first..<first + count)
      guard let stage = FormationStage(work, among: group.members, isSpread: isSpread) else {
        return nil
      }
      stages.append(stage)
      first += count
    }
    if isSpread { return Formation(.spread, stages) }
    let isPipeline = stages.allSatisfy { $0.working.count == 1 }
    return Formation(isPipeline ? .pipeline : .hybrid, stages)
  }

  /// Takes in whoever still helps the stage of its clique.
  private func widened(_ start: Formation, by candidates: [Candidate]) -> Formation {
    var best = start
    let members = Set(start.working.map(\.peer))
    for candidate in candidates where !members.contains(candidate.peer) {
      guard let near = best.stage(near: candidate), let wider = best.adding(candidate, to: near),
        wider.isBetter(than: best, for: objective)
      else { continue }
      best = wider
    }
    return best
  }
}
