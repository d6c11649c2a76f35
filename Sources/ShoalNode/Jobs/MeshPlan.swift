// From a manifest and records to a plan: the one function that every peer computes.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// A plan with its hash.
public struct MeshPlan: Sendable {
  public let report: PlanReport
  public let id: PlanID
  /// Positions of the longest sequence.
  let context: Int
  /// How long steps of this plan may take.
  let patience: StepPatience
  private let hidden: Int
  let sharing: PrefixSharing
  /// Of each rank.
  private let cliques: [String]
  /// What the planner says that a token takes.
  var tokenEstimate: Duration { patience.tokenEstimate }

  /// - Parameters:
  ///   - records: in any order; the plan depends on the set alone.
  ///   - context: positions to reserve keys and values for.
  public init(
    model: ModelID, manifest: ModelManifest, records: [CapabilityRecord],
    objective: PlanObjective, context: Int, distrusted: Set<PeerID>
  ) throws(PlanError) {
    let request = PlanRequest(
      shape: ModelShape(manifest, model), objective: objective, contextTokens: context,
      distrusted: distrusted)
    let waiting = MeshPlan.synchronisation(records)
    self.context = context
    report = try PlacementPlanner().plan(
      request,
      over: records.map { DeviceCapacity($0, synchronisationNanoseconds: waiting) })
    id = unsafe report.plan.id(hash: BLAKE2b.contentHash)
    let working = Set(report.plan.peers)
    let slack = records.filter { working.contains($0.peer) }.map(MeshPlan.linkSlack).max()
    patience = StepPatience(
      tokenEstimate: .nanoseconds(Int64(clamping: min(report.estimate.nanoseconds, 1 << 40))),
      linkSlack: slack ?? .zero, sums: ForwardPass.sums(manifest.shape),
      stages: report.plan.stages.count)
    hidden = manifest.shape.hidden
    sharing = PrefixSharing(manifest.shape)
    let named = Dictionary(records.map { ($0.peer, $0.clique) }) { first, _ in first }
    cliques = report.plan.stages.flatMap { $0.ranks.map { named[$0.peer] ?? "" } }
  }

  /// What a sum costs in waiting, from the records alone: a wired LAN's, stretched by the largest
  /// factor that an emulated peer is slowed by.
  private static func synchronisation(_ records: [CapabilityRecord]) -> UInt64 {
    let slowest = records.map(\.emulationFactor).filter { $0 > 0 }.min() ?? 1_000
    return DeviceCapacity.lanSynchronisation * 1_000 / UInt64(slowest)
  }

  /// What one peer computes.
  struct Rank {
    let share: RankShare
    let route: StageRoute
    let residentBytes: UInt64
  }

  /// Nil: nothing.
  func rank(of peer: PeerID) -> Rank? {
    var number = 0
    for stage in report.plan.stages {
      if let place = stage.ranks.firstIndex(where: { $0.peer == peer }) {
        let rank = stage.ranks[place]
        return Rank(
          share: RankShare(
            layers: stage.layers, units: rank.slots.attention, blocks: rank.slots.feedForward,
            vocabulary: rank.slots.vocabulary),
          route: StageRoute(rank: number + place, stageSizes: stageSizes, hidden: hidden),
          residentBytes: rank.residentBytes)
      }
      number += stage.ranks.count
    }
    return nil
  }

  /// Working peers by rank: stage by stage.
  var members: [PeerID] { report.plan.stages.flatMap { $0.ranks.map(\.peer) } }
  /// Ranks of each stage.
  var stageSizes: [Int] { report.plan.stages.map(\.ranks.count) }

  /// Ranks of other cliques than one rank's.
  func distant(from rank: Int) -> Set<Int> {
    Set(cliques.indices.filter { cliques[$0] != cliques[rank] })
  }

  /// The prior of a peer's link, stretched like everything else of an emulated device.
  private static func linkSlack(_ record: CapabilityRecord) -> Duration {
    let perMille = Int64(record.emulationFactor == 0 ? 1_000 : record.emulationFactor)
    return .microseconds(Int64(record.latencyPriorMicroseconds) * 1_000 / perMille)
  }
}
