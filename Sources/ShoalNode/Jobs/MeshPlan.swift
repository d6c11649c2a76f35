// From a manifest and records to a plan: the one function that every peer computes.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// A plan with its hash.
public struct MeshPlan: Sendable {
  public let report: PlanReport
  public let id: PlanID
  /// How long steps of this plan may take.
  let patience: StepPatience
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
    report = try PlacementPlanner().plan(
      request,
      over: records.map { DeviceCapacity($0, synchronisationNanoseconds: waiting) })
    id = unsafe report.plan.id(hash: BLAKE2b.contentHash)
    let working = Set(report.plan.peers)
    let slack = records.filter { working.contains($0.peer) }.map(MeshPlan.linkSlack).max()
    patience = StepPatience(
      tokenEstimate: .nanoseconds(Int64(clamping: min(report.estimate.nanoseconds, 1 << 40))),
      linkSlack: slack ?? .zero, sums: ForwardPass.sums(manifest.shape))
  }

  /// What a sum costs in waiting, from the records alone: a wired LAN's, stretched by the largest
  /// factor that an emulated peer is slowed by.
  private static func synchronisation(_ records: [CapabilityRecord]) -> UInt64 {
    let slowest = records.map(\.emulationFactor).filter { $0 > 0 }.min() ?? 1_000
    return DeviceCapacity.lanSynchronisation * 1_000 / UInt64(slowest)
  }

  /// What `peer` computes, and its place among the ranks; nil: nothing.
  func rank(of peer: PeerID) -> (number: Int, share: RankShare, residentBytes: UInt64)? {
    guard let stage = report.plan.stages.first,
      let number = stage.ranks.firstIndex(where: { $0.peer == peer })
    else { return nil }
    let rank = stage.ranks[number]
    let share = RankShare(
      units: rank.slots.attention, blocks: rank.slots.feedForward,
      vocabulary: rank.slots.vocabulary)
    return (number, share, rank.residentBytes)
  }

  /// Working peers by rank.
  var members: [PeerID] { report.plan.stages.first?.ranks.map(\.peer) ?? [] }

  /// The prior of a peer's link, stretched like everything else of an emulated device.
  private static func linkSlack(_ record: CapabilityRecord) -> Duration {
    let perMille = Int64(record.emulationFactor == 0 ? 1_000 : record.emulationFactor)
    return .microseconds(Int64(record.latencyPriorMicroseconds) * 1_000 / perMille)
  }
}
