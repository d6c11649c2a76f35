// What `plan --json` prints and `GET /api/plan` answers. Others rely on these names
// (docs/INTERFACE.md): fields are added, never changed.

import ShoalLedger
public import ShoalNode
import ShoalProtocol

/// A plan and its reasons.
public struct PlanFacts: Codable, Sendable, Hashable {
  public struct Alternative: Codable, Sendable, Hashable {
    /// `solo`, `tensor`, `pipeline`, `hybrid` or `spread`.
    public let kind: String
    /// Of one job, and of as many jobs as there are stages together.
    public let tokensPerSecond: Double
    public let tokensPerSecondTogether: Double
    public let peers: [String]
  }

  public struct Member: Codable, Sendable, Hashable {
    public let peer: String
    public let stage: Int
    /// Of the bytes that a token reads, 0...1.
    public let share: Double
    public let headsPerLayer: Int
    public let ffnColumns: Int
    public let vocabularyRows: Int
    public let precision: String
    public let bytes: UInt64
  }

  public struct Excluded: Codable, Sendable, Hashable {
    public let peer: String
    /// A sentence with the numbers.
    public let reason: String
  }

  /// How many atoms of each kind a layer, or the vocabulary, is cut into.
  public struct Slots: Codable, Sendable, Hashable {
    public let attention: Int
    public let feedForward: Int
    public let vocabulary: Int
  }

  /// Layers that the same ranks compute; ranges are half open: [from, to].
  public struct Stage: Codable, Sendable, Hashable {
    public struct Rank: Codable, Sendable, Hashable {
      public let peer: String
      public let attention: [[Int]]
      public let feedForward: [[Int]]
      public let vocabulary: [[Int]]
    }

    public let layers: [Int]
    public let ranks: [Rank]
  }

  public let model: String
  public let manifest: String
  /// The hash of the set of records that the plan was computed from.
  public let view: String
  /// The plan's hash.
  public let plan: String
  public let objective: String
  public let kind: String
  /// Of one job, and of as many jobs as there are stages together: the pace of the slowest stage.
  public let tokensPerSecond: Double
  public let tokensPerSecondTogether: Double
  public let alternatives: [Alternative]
  public let members: [Member]
  public let excluded: [Excluded]
  public let slots: Slots
  public let stages: [Stage]
  public let planMilliseconds: Double
  /// Of a plan over device profiles: which device each peer is; nil over a mesh.
  public let devices: [String: String]?
  /// Of a plan over device profiles: what reading the model's header and cutting it took.
  public let headerMilliseconds: Double?
  /// Of this very manifest, or of the model that was made by this plan over device profiles
  /// (`shoal import --plan`), where whoever prints the plan has measured it (`shoal perplexity`).
  public var perplexity: Double?

  public init(_ planned: PlannedModel) {
    self.init(
      planned.report, model: planned.entry.name, manifest: planned.entry.model.raw.hex,
      view: planned.view.raw.hex, plan: planned.plan, duration: planned.duration)
  }

  /// Over device profiles there is no view.
  ///
  /// - Parameter manifest: empty where only a header is here.
  public init(
    _ plan: DevicePlan, model: String, manifest: String, headerDuration: Duration,
    planDuration: Duration
  ) {
    self.init(
      plan.report, model: model, manifest: manifest, view: "", plan: plan.id,
      duration: planDuration,
      devices: Dictionary(
        plan.names.map { ($0.key.raw.hex, $0.value) }, uniquingKeysWith: { first, _ in first }),
      headerMilliseconds: headerDuration.inSeconds * 1_000)
  }

  private init(
    _ report: PlanReport, model: String, manifest: String, view: String, plan: PlanID,
    duration: Duration, devices: [String: String]? = nil, headerMilliseconds: Double? = nil
  ) {
    self.model = model
    self.manifest = manifest
    self.view = view
    self.plan = plan.raw.hex
    objective = report.plan.objective.name
    kind = report.kind.name
    tokensPerSecond = report.estimate.tokensPerSecond
    tokensPerSecondTogether = report.estimate.tokensPerSecondTogether
    alternatives = report.alternatives.map { alternative in
      Alternative(
        kind: alternative.kind.name, tokensPerSecond: alternative.estimate.tokensPerSecond,
        tokensPerSecondTogether: alternative.estimate.tokensPerSecondTogether,
        peers: alternative.peers.map(\.raw.hex))
    }
    members = report.members.map { Member($0) }
    excluded = report.excluded.map { Excluded(peer: $0.peer.raw.hex, reason: "\($0.reason)") }
    slots = Slots(report.plan.slotCounts)
    stages = report.plan.stages.map { Stage($0) }
    planMilliseconds = duration.inSeconds * 1_000
    self.devices = devices
    self.headerMilliseconds = headerMilliseconds
    perplexity = nil
  }
}

extension PlanFacts.Member {
  init(_ member: PlanMember) {
    peer = member.peer.raw.hex
    stage = member.stage
    share = Double(member.sharePerMille) / 1_000
    headsPerLayer = member.headsPerLayer
    ffnColumns = member.feedForwardColumns
    vocabularyRows = member.vocabularyRows
    precision = member.precision.name
    bytes = member.bytes.bytes
  }
}

extension PlanFacts.Slots {
  init(_ counts: PerKind<Int>) {
    self.init(
      attention: counts.attention, feedForward: counts.feedForward, vocabulary: counts.vocabulary)
  }
}

extension PlanFacts.Stage {
  init(_ stage: PlanStage) {
    layers = [stage.layers.lowerBound, stage.layers.upperBound]
    ranks = stage.ranks.map { rank in
      Rank(
        peer: rank.peer.raw.hex, attention: Self.runs(rank.slots.attention),
        feedForward: Self.runs(rank.slots.feedForward), vocabulary: Self.runs(rank.slots.vocabulary)
      )
    }
  }

  /// Ascending indices as half-open runs.
  private static func runs(_ indices: [Int]) -> [[Int]] {
    indices.reduce(into: []) { runs, index in
      if let last = runs.last, last[1] == index {
        runs[runs.count - 1][1] = index + 1
      } else {
        runs.append([index, index + 1])
      }
    }
  }
}

extension TokenEstimate {
  fileprivate var tokensPerSecond: Double { Double(milliTokensPerSecond) / 1_000 }
  fileprivate var tokensPerSecondTogether: Double { Double(milliTokensPerSecondTogether) / 1_000 }
}
