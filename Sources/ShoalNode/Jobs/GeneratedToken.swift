// One token as it comes.

public import ShoalProtocol

public struct GeneratedToken: Sendable, Hashable {
  public let token: UInt32
  /// Whole characters that became known with it; may be empty.
  public let text: String
  /// The logits of its position, where they were asked for.
  public let logits: [Float]
  public let cost: StepCost
  /// Where it was asked for, and not of a token that ends a text.
  public let probability: TokenProbability?

  public init(
    token: UInt32, text: String, logits: [Float], cost: StepCost,
    probability: TokenProbability? = nil
  ) {
    self.token = token
    self.text = text
    self.logits = logits
    self.cost = cost
    self.probability = probability
  }
}
