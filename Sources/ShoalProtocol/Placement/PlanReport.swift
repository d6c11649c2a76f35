// A plan with its reasons: what people and `plan --json` are shown. Never hashed.

public enum PlanKind: UInt8, Hashable, Sendable {
  case solo = 0
  /// Tensor parallel over the ranks that make a token soonest.
  case tensor = 1
  /// Every willing peer, one stage for each clique or all in one.
  case spread = 2
  /// Stages of one peer each.
  case pipeline = 3
  /// Stages, tensor parallel inside at least one of them.
  case hybrid = 4

  public var name: String {
    switch self {
    case .solo: "solo"
    case .tensor: "tensor"
    case .spread: "spread"
    case .pipeline: "pipeline"
    case .hybrid: "hybrid"
    }
  }
}

/// The time of one token, in nanoseconds.
public struct TokenEstimate: Hashable, Sendable {
  /// Of all stages, one after the other.
  public let computeNanoseconds: UInt64
  public let synchronisationNanoseconds: UInt64
  /// The way from stage to stage.
  public let handoverNanoseconds: UInt64
  /// What the slowest stage takes, its handover included: with several jobs in flight every stage
  /// is at another job, and tokens of all of them together come at this pace.
  public let slowestStageNanoseconds: UInt64

  public init(
    computeNanoseconds: UInt64, synchronisationNanoseconds: UInt64,
    handoverNanoseconds: UInt64 = 0, slowestStageNanoseconds: UInt64? = nil
  ) {
    self.computeNanoseconds = computeNanoseconds
    self.synchronisationNanoseconds = synchronisationNanoseconds
    self.handoverNanoseconds = handoverNanoseconds
    self.slowestStageNanoseconds =
      slowestStageNanoseconds ?? Saturating.sum(computeNanoseconds, synchronisationNanoseconds)
  }

  public var nanoseconds: UInt64 {
    Saturating.sum(
      Saturating.sum(computeNanoseconds, synchronisationNanoseconds), handoverNanoseconds)
  }
  /// Thousandths of a token per second, of one job.
  public var milliTokensPerSecond: UInt64 { 1_000_000_000_000 / max(1, nanoseconds) }
  /// The same of as many jobs as there are stages, together.
  public var milliTokensPerSecondTogether: UInt64 {
    1_000_000_000_000 / max(1, slowestStageNanoseconds)
  }

  /// What an objective wants least of; at equal values, the other.
  package func cost(_ objective: PlanObjective) -> (UInt64, UInt64) {
    switch objective {
    case .latency, .spread: (nanoseconds, slowestStageNanoseconds)
    case .throughput: (slowestStageNanoseconds, nanoseconds)
    }
  }
}

/// What another choice would have cost.
public struct PlanAlternative: Hashable, Sendable {
  public let kind: PlanKind
  /// Ascending.
  public let peers: [PeerID]
  public let estimate: TokenEstimate

  public init(kind: PlanKind, peers: [PeerID], estimate: TokenEstimate) {
    self.kind = kind
    self.peers = peers
    self.estimate = estimate
  }
}

/// Why a peer has no work in a plan.
public enum ExclusionReason: Hashable, Sendable {
  case notWilling
  /// The entry does not trust it: a stated input.
  case distrusted
  case numerics(has: String, needs: String)
  /// No measured rate for the model's precision.
  case lacksPrecision(AtomPrecision)
  /// `needed` is its buffers and the smallest atom; `available` 80 % of its usable memory.
  case noMemory(needed: ByteCount, available: ByteCount)
  /// A token takes `without` it and would take `with` it, in nanoseconds.
  case slowsToken(without: UInt64, with: UInt64)
  /// Every atom is taken: its share rounds to nothing.
  case noShare
  /// It is far from the others and would be a stage of its own, `handover` nanoseconds away.
  case addsStage(handover: UInt64)
}

extension ExclusionReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notWilling: "does not offer to compute"
    case .distrusted: "distrusted by the entry"
    case .numerics(let has, let needs): "computes \(has), the model needs \(needs)"
    case .lacksPrecision(let precision): "has no measured rate for \(precision.name)"
    case .noMemory(let needed, let available):
      "needs \(needed) for the smallest share, offers \(available)"
    case .slowsToken(let without, let with):
      "would slow a token from \(without / 1_000) to \(with / 1_000) µs"
    case .noShare: "its share rounds to nothing"
    case .addsStage(let handover):
      "would be a stage of its own, \(handover / 1_000) µs away from the others"
    }
  }
}

public struct ExcludedPeer: Hashable, Sendable {
  public let peer: PeerID
  public let reason: ExclusionReason

  public init(peer: PeerID, reason: ExclusionReason) {
    self.peer = peer
    self.reason = reason
  }
}

/// One working peer, in the words of `plan --json`.
public struct PlanMember: Hashable, Sendable {
  public let peer: PeerID
  public let stage: Int
  /// Thousandths of the bytes that a token reads.
  public let sharePerMille: Int
  /// Query heads in each layer.
  public let headsPerLayer: Int
  public let feedForwardColumns: Int
  public let vocabularyRows: Int
  /// Of its atoms.
  public let precision: AtomPrecision
  public let bytes: ByteCount

  public init(
    peer: PeerID, stage: Int, sharePerMille: Int, headsPerLayer: Int, feedForwardColumns: Int,
    vocabularyRows: Int, precision: AtomPrecision, bytes: ByteCount
  ) {
    self.peer = peer
    self.stage = stage
    self.sharePerMille = sharePerMille
    self.headsPerLayer = headsPerLayer
    self.feedForwardColumns = feedForwardColumns
    self.vocabularyRows = vocabularyRows
    self.precision = precision
    self.bytes = bytes
  }
}

/// The chosen plan, what it costs, what else there was, and who was left out.
public struct PlanReport: Hashable, Sendable {
  public let plan: ShardPlan
  public let kind: PlanKind
  public let estimate: TokenEstimate
  /// The best of each kind that fits, solo first.
  public let alternatives: [PlanAlternative]
  /// Ascending by stage, then peer.
  public let members: [PlanMember]
  /// Ascending by peer.
  public let excluded: [ExcludedPeer]

  public init(
    plan: ShardPlan, kind: PlanKind, estimate: TokenEstimate, alternatives: [PlanAlternative],
    members: [PlanMember], excluded: [ExcludedPeer]
  ) {
    self.plan = plan
    self.kind = kind
    self.estimate = estimate
    self.alternatives = alternatives
    self.members = members
    self.excluded = excluded
  }
}
