// How much a rank computes, counted in multiply-accumulates from a model's shape alone: what pay is
// measured in. Both sides of a payment compute it, and nobody reports it.

/// What some steps asked of every rank of a job. Steps add up.
public struct StepCount: Hashable, Sendable {
  /// Tokens that went through the layers.
  public var tokens: UInt64 = 0
  /// Positions whose logits were asked for.
  public var logits: UInt64 = 0
  /// For each layer's window of the model (`WorkUnits.windows`): keys that the tokens saw.
  public fileprivate(set) var seen: [UInt64]

  public init(_ units: WorkUnits) { seen = [UInt64](repeating: 0, count: units.windows.count) }

  /// A whole text of `count` tokens, of which a vector is made.
  public mutating func add(text count: Int, _ units: WorkUnits) {
    guard !units.isCausal else { return add(start: 0, count: count, logits: 0, units) }
    tokens &+= UInt64(count)
    for index in seen.indices { seen[index] &+= UInt64(count) &* UInt64(count) }
  }

  /// A step over `count` tokens from position `start`, with `logits` positions asked for.
  public mutating func add(start: Int, count: Int, logits: Int, _ units: WorkUnits) {
    tokens &+= UInt64(count)
    self.logits &+= UInt64(logits)
    for (index, window) in units.windows.enumerated() {
      seen[index] &+= WorkUnits.keysSeen(start: start, count: count, window: window)
    }
  }
}

/// Multiply-accumulates of one share of one model.
///
/// Counted are the products with weights and the attention's two products with keys and values.
/// Norms, rotations and activations are not: they are the same on every rank or small. Of an
/// expert, each token counts the share that a balanced router would send to it, rounded down.
public struct WorkUnits: Hashable, Sendable {
  /// For each token, whatever its position.
  public let perToken: UInt64
  /// For each position whose logits are asked for.
  public let perLogits: UInt64
  /// Windows of attention that the model's layers have; 0: all positions before.
  public let windows: [Int]
  /// For each key that a token sees, in the layers of each window.
  public let perKey: [UInt64]
  /// False: every token of a text sees every other.
  public let isCausal: Bool

  public init(_ share: RankShare, of cut: AtomCut) {
    let shape = cut.shape
    let (hidden, head) = (UInt64(shape.hidden), UInt64(shape.attention.headDimension))
    isCausal = shape.attention.isCausal
    let units = shape.recurrent == nil ? share.units : []
    let heads = units.reduce(0) { $0 + UInt64(cut.queryUnit($1).heads.count) }
    let groups = UInt64(share.groups(cut).count)
    let attention =
      2 * hidden * head * (heads + groups) + WorkUnits.recurrence(share, of: cut)
    let feedForward = share.blocks.reduce(UInt64(0)) { sum, block in
      sum + WorkUnits.feedForward(cut.feedForwardBlock(block), shape)
    }
    perToken = UInt64(share.layers.count) * (attention + feedForward)
    let rows = share.vocabulary.reduce(0) { $0 + UInt64(cut.vocabularyRows($1).count) }
    // Before the last stage the vocabulary's blocks are rows to look up.
    let hasHead = shape.head.hasLogits && share.layers.upperBound == shape.layers
    perLogits = hasHead ? rows * hidden : 0
    let windows = Set(shape.attention.layers.map(\.window)).sorted()
    self.windows = windows
    perKey = windows.map { window in
      let layers = share.layers.count { shape.attention.layers[$0].window == window }
      return UInt64(layers) * 2 * head * heads
    }
  }

  /// The five products of each channel of a layer without attention.
  private static func recurrence(_ share: RankShare, of cut: AtomCut) -> UInt64 {
    guard let recurrent = cut.shape.recurrent else { return 0 }
    let channels = share.units.reduce(0) { $0 + cut.channelBlock($1).count }
    let columns = 3 * cut.shape.hidden + recurrent.projected + recurrent.rank
    return UInt64(channels) * UInt64(columns)
  }

  private static func feedForward(_ block: FeedForwardBlock, _ shape: Hyperparameters) -> UInt64 {
    let matrices: UInt64 = shape.feedForward.isGated ? 3 : 2
    let dense = matrices * UInt64(shape.hidden) * UInt64(block.columns.count)
    guard block.expert != nil, let experts = shape.feedForward.experts else { return dense }
    return dense * UInt64(experts.used) / UInt64(max(1, experts.count))
  }

  /// What `steps` asked of this share. Saturates.
  public func count(_ steps: StepCount) -> UInt64 {
    var total = WorkUnits.product(perToken, steps.tokens)
    total = WorkUnits.sum(total, WorkUnits.product(perLogits, steps.logits))
    for (rate, keys) in zip(perKey, steps.seen) {
      total = WorkUnits.sum(total, WorkUnits.product(rate, keys))
    }
    return total
  }

  /// Keys that `count` tokens from position `start` see together, each itself and those before it.
  static func keysSeen(start: Int, count: Int, window: Int) -> UInt64 {
    /// Of the first `tokens` positions of a sequence.
    func upTo(_ tokens: UInt64) -> UInt64 {
      let window = UInt64(window)
      guard window > 0, tokens > window else { return tokens * (tokens + 1) / 2 }
      return window * (window + 1) / 2 + (tokens - window) * window
    }
    let (start, count) = (UInt64(max(0, start)), UInt64(max(0, count)))
    return upTo(start + count) - upTo(start)
  }

  private static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : product
  }

  private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}
