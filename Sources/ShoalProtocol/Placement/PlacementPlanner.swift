// From a model's shape and the peers' capacities to a plan: a pure function in integers, so that
// every peer that is told the same computes the same bytes.

/// Everything that a plan depends on, beside the capacities.
public struct PlanRequest: Hashable, Sendable {
  public var shape: ModelShape
  public var objective: PlanObjective
  /// Tokens of context that every rank reserves memory for.
  public var contextTokens: Int
  /// Peers that the entry does not trust: they get no work.
  public var distrusted: Set<PeerID>
  /// The same model in lower formats, ever fewer bytes: what peers without room for `shape` may
  /// hold instead. Empty: all hold what is stored.
  public var lower: [ModelShape]

  public init(
    shape: ModelShape, objective: PlanObjective = .latency, contextTokens: Int,
    distrusted: Set<PeerID> = [], lower: [ModelShape] = []
  ) {
    self.lower = lower
    self.shape = shape
    self.objective = objective
    self.contextTokens = contextTokens
    self.distrusted = distrusted
  }
}

/// Plans over any subset of peers, in one stage or in several. docs/PLACEMENT.md derives the
/// formulas.
public struct PlacementPlanner: Sendable {
  /// Raised with every change that can change a plan: peers of different versions do not share one.
  public static let version: UInt16 = 4
  /// Of the memory that a peer offers, thousandths that a plan may fill.
  public static let memoryPerMille: UInt64 = 800

  public init() {}

  /// The plan for `request` over `capacities`, whose order does not matter.
  public func plan(
    _ request: PlanRequest, over capacities: [DeviceCapacity]
  ) throws(PlanError) -> PlanReport {
    let ladder = try PrecisionLadder(request)
    let work = ladder.stored
    var fall = PrecisionFall(ladder, capacities, request.objective)
    var entrants = try Entrants(request, ladder, capacities, levels: fall.levels)
    var search = PlanSearch(request, work: work, candidates: entrants.candidates)
    // Whoever lacks memory holds less of the same slots, before the model is said not to fit.
    while search.best() == nil, fall.fall() {
      entrants = try Entrants(request, ladder, capacities, levels: fall.levels)
      guard entrants.room >= work.totalResidentBytes else { continue }
      search = PlanSearch(request, work: work, candidates: entrants.candidates)
    }
    guard let chosen = search.best() else {
      throw entrants.candidates.isEmpty
        ? .noPeer(excluded: entrants.excluded)
        : .doesNotFit(
          needed: ByteCount(Saturating.sum(work.totalResidentBytes, work.fixedBytes)),
          available: entrants.available)
    }
    let plan = shardPlan(request, ladder, chosen)
    let left = search.reasons(beside: chosen)
    return PlanReport(
      plan: plan, kind: chosen.kind, estimate: chosen.estimate, alternatives: search.alternatives,
      members: plan.members(request.shape, chosen.stages.map(\.work), whole: work),
      excluded: (entrants.excluded + left).sorted { $0.peer < $1.peer })
  }

  private func shardPlan(
    _ request: PlanRequest, _ ladder: PrecisionLadder, _ chosen: Formation
  ) -> ShardPlan {
    let work = ladder.stored
    return ShardPlan(
      plannerVersion: PlacementPlanner.version, model: request.shape.model,
      objective: request.objective, precision: request.shape.precision,
      contextTokens: request.contextTokens,
      slotCounts: PerKind(
        attention: work.kinds.attention.count, feedForward: work.kinds.feedForward.count,
        vocabulary: work.kinds.vocabulary.count),
      stages: chosen.stages.map { stage in
        let ranks = ranks(of: stage, request, ladder)
        return PlanStage(layers: stage.work.layers, ranks: ranks.sorted { $0.peer < $1.peer })
      })
  }

  private func ranks(
    of stage: FormationStage, _ request: PlanRequest, _ ladder: PrecisionLadder
  ) -> [PlanRank] {
    let (members, work) = (stage.candidates, stage.work)
    let seed = RendezvousScore.seed(request.shape.model)
    var slots = [PerKind<[Int]>](
      repeating: PerKind(attention: [], feedForward: [], vocabulary: []), count: members.count)
    for kind in SlotKind.allCases {
      let quotas = members.indices.map { index in
        SlotQuota(
          seed: RendezvousScore.seed(members[index].peer),
          // Units of 64 KiB/s keep a terabyte per second within 32 bits.
          weight: members[index].rate >> 16,
          count: Int(clamping: stage.shares.counts[kind][index]))
      }
      // Kinds are salted apart, so that slot 3 of one says nothing about slot 3 of another.
      let salt = RendezvousScore.mixed(seed &+ UInt64(kind.rawValue))
      let dealt = QuotaMatching.match(slots: work.kinds[kind].count, salt: salt, quotas: quotas)
      for index in members.indices { slots[index][kind] = dealt[index] }
    }
    return members.indices.compactMap { index -> PlanRank? in
      guard stage.shares.hasWork(index) else { return nil }
      let shape = ladder.rungs[members[index].rung].shape
      let held = StageWork(
        checked: shape, contextTokens: request.contextTokens, layers: work.layers)
      return PlanRank(
        peer: members[index].peer, precision: shape.precision, slots: slots[index],
        residentBytes: Saturating.sum(held.fixedBytes, held.residentBytes(of: slots[index])))
    }
  }
}

extension ShardPlan {
  fileprivate func members(
    _ shape: ModelShape, _ works: [StageWork], whole: StageWork
  ) -> [PlanMember] {
    let total = max(1, Saturating.difference(whole.totalReadBytes, whole.commonReadBytes))
    let layer = shape.layers[0]
    return stages.enumerated().flatMap { number, stage in
      stage.ranks.map { rank in
        let read = works[number].readBytes(of: rank.slots)
        return PlanMember(
          peer: rank.peer, stage: number,
          sharePerMille: Int(
            clamping: Saturating.ratio(read, times: 1_000, over: total).quotient),
          headsPerLayer: rank.slots.attention.reduce(0) {
            $0 + layer.attention.headsPerUnit[$1]
          },
          feedForwardColumns: rank.slots.feedForward.reduce(0) {
            $0 + layer.feedForward.columns[$1]
          },
          vocabularyRows: rank.slots.vocabulary.reduce(0) { $0 + shape.vocabulary.rows[$1] },
          precision: rank.precision, bytes: ByteCount(rank.residentBytes))
      }
    }
  }
}
