// What `plan --json` prints and `GET /api/plan` answers. Others rely on these names
// (docs/INTERFACE.md): fields are added, never changed.

import ShoalLedger
public import ShoalNode
import ShoalProtocol

/// A plan and its reasons.
public struct PlanFacts: Codable, Sendable, Hashable {
  public struct Alternative: Codable, Sendable, Hashable {
    /// `solo`, `tensor` or `spread`.
    public let kind: String
    public let tokensPerSecond: Double
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

  public let model: String
  public let manifest: String
  /// The hash of the set of records that the plan was computed from.
  public let view: String
  /// The plan's hash.
  public let plan: String
  public let objective: String
  public let kind: String
  public let tokensPerSecond: Double
  public let alternatives: [Alternative]
  public let members: [Member]
  public let excluded: [Excluded]
  public let planMilliseconds: Double

  public init(_ planned: PlannedModel) {
    let report = planned.report
    model = planned.entry.name
    manifest = planned.entry.model.raw.hex
    view = planned.view.raw.hex
    plan = planned.plan.raw.hex
    objective = report.plan.objective.name
    kind = report.kind.name
    tokensPerSecond = report.estimate.tokensPerSecond
    alternatives = report.alternatives.map { alternative in
      Alternative(
        kind: alternative.kind.name, tokensPerSecond: alternative.estimate.tokensPerSecond,
        peers: alternative.peers.map(\.raw.hex))
    }
    members = report.members.map { Member($0) }
    excluded = report.excluded.map { Excluded(peer: $0.peer.raw.hex, reason: "\($0.reason)") }
    planMilliseconds = planned.duration.inSeconds * 1_000
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

extension TokenEstimate {
  fileprivate var tokensPerSecond: Double { Double(milliTokensPerSecond) / 1_000 }
}
