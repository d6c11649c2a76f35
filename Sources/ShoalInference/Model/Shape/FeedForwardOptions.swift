// What the feed-forward does: one gated or plain block for all tokens, experts for some, or both.

public struct FeedForwardOptions: Sendable, Hashable {
  /// Hidden units of the block that every token passes: of a dense layer, or of the expert that all
  /// tokens share. 0 where there are only routed experts.
  public var width: Int
  public var activation: Activation
  /// act(gate) * up (Shazeer 2020); false: act(up).
  public var isGated: Bool
  /// Nil in a dense model.
  public var experts: ExpertOptions?

  public init(
    width: Int, activation: Activation, isGated: Bool = true, experts: ExpertOptions? = nil
  ) {
    self.width = width
    self.activation = activation
    self.isGated = isGated
    self.experts = experts
  }
}

/// A mixture of experts (Shazeer et al. 2017): a router gives each token to a few of many blocks.
public struct ExpertOptions: Sendable, Hashable {
  public var count: Int
  /// How many of them a token passes.
  public var used: Int
  /// Hidden units of each.
  public var width: Int
  /// The weights of the chosen ones are divided by their sum.
  public var normalisesWeights: Bool
  /// The shared block is multiplied by sigmoid(gate . x) (Qwen 2 MoE).
  public var gatesShared: Bool

  public init(
    count: Int, used: Int, width: Int, normalisesWeights: Bool, gatesShared: Bool = false
  ) {
    self.count = count
    self.used = used
    self.width = width
    self.normalisesWeights = normalisesWeights
    self.gatesShared = gatesShared
  }
}
