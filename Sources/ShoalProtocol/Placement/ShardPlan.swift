// Who computes what in one job: the thing that peers agree on by its hash.

/// What a plan is to be good at.
public enum PlanObjective: UInt8, CaseIterable, Hashable, Sendable {
  /// The least time per token of one stream; may well mean one peer alone.
  case latency = 0
  /// Tokens of many streams together: the plan whose slowest stage is the quickest.
  case throughput = 1
  /// Every willing peer works, whatever it costs: for demonstrations.
  case spread = 2

  public var name: String {
    switch self {
    case .latency: "latency"
    case .throughput: "throughput"
    case .spread: "spread"
    }
  }
}

/// The three kinds of atom that are dealt.
public enum SlotKind: UInt8, CaseIterable, Hashable, Sendable {
  case attention = 0
  case feedForward = 1
  case vocabulary = 2
}

/// One value for each kind of atom.
public struct PerKind<Value> {
  public var attention: Value
  public var feedForward: Value
  public var vocabulary: Value

  public init(attention: Value, feedForward: Value, vocabulary: Value) {
    self.attention = attention
    self.feedForward = feedForward
    self.vocabulary = vocabulary
  }

  public subscript(kind: SlotKind) -> Value {
    get {
      switch kind {
      case .attention: attention
      case .feedForward: feedForward
      case .vocabulary: vocabulary
      }
    }
    set {
      switch kind {
      case .attention: attention = newValue
      case .feedForward: feedForward = newValue
      case .vocabulary: vocabulary = newValue
      }
    }
  }
}
extension PerKind: Sendable where Value: Sendable {}
extension PerKind: Equatable where Value: Equatable {}
extension PerKind: Hashable where Value: Hashable {}

/// What one peer computes in a stage. Slot `i` of attention or feed-forward is atom `i` of every
/// layer of the stage.
public struct PlanRank: Hashable, Sendable {
  public let peer: PeerID
  /// Of its atoms, but the common one.
  public let precision: AtomPrecision
  /// Ascending indices: query units, feed-forward blocks, vocabulary blocks (of the embedding in
  /// the first stage, of the output in the last).
  public let slots: PerKind<[Int]>
  /// Memory to reserve: atoms, KV of the plan's context, buffers.
  public let residentBytes: UInt64

  public init(
    peer: PeerID, precision: AtomPrecision, slots: PerKind<[Int]>, residentBytes: UInt64
  ) {
    self.peer = peer
    self.precision = precision
    self.slots = slots
    self.residentBytes = residentBytes
  }
}

/// Layers that the same ranks compute together. Ranks ascend by peer: a rank's number is its place.
public struct PlanStage: Hashable, Sendable {
  public let layers: Range<Int>
  public let ranks: [PlanRank]

  public init(layers: Range<Int>, ranks: [PlanRank]) {
    self.layers = layers
    self.ranks = ranks
  }
}

/// A whole plan. Its canonical bytes are made from these fields and nothing else.
public struct ShardPlan: Hashable, Sendable {
  public let plannerVersion: UInt16
  public let model: ModelID
  public let objective: PlanObjective
  /// The one that the model is stored in.
  public let precision: AtomPrecision
  /// Tokens of context for which memory is reserved.
  public let contextTokens: Int
  /// How many slots of each kind there are.
  public let slotCounts: PerKind<Int>
  /// Pipeline stages follow each other.
  public let stages: [PlanStage]

  public init(
    plannerVersion: UInt16, model: ModelID, objective: PlanObjective, precision: AtomPrecision,
    contextTokens: Int, slotCounts: PerKind<Int>, stages: [PlanStage]
  ) {
    self.plannerVersion = plannerVersion
    self.model = model
    self.objective = objective
    self.precision = precision
    self.contextTokens = contextTokens
    self.slotCounts = slotCounts
    self.stages = stages
  }

  /// Every peer that works, ascending, each once.
  public var peers: [PeerID] { Set(stages.flatMap { $0.ranks.map(\.peer) }).sorted() }
}
