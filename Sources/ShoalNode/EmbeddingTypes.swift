// What a node is asked for vectors, and what it answers.

public import ShoalProtocol

/// Vectors that a client asks for.
public struct EmbeddingRequest: Sendable, Hashable {
  public enum Text: Sendable, Hashable {
    case text(String)
    /// Read as they are: special tokens are the client's.
    case tokens(EncodedText)
  }

  /// A name, `publisher/name`, or the beginning of a model's id.
  public var model: String
  public var texts: [Text]
  /// Nil: as the model states.
  public var pooling: Pooling?
  public var isNormalised: Bool?
  /// A text longer than the model reads loses its end; false: it is refused.
  public var truncates: Bool
  public var objective: PlanObjective

  public init(
    model: String, texts: [Text], pooling: Pooling? = nil, isNormalised: Bool? = nil,
    truncates: Bool = true, objective: PlanObjective = .latency
  ) {
    self.model = model
    self.texts = texts
    self.pooling = pooling
    self.isNormalised = isNormalised
    self.truncates = truncates
    self.objective = objective
  }
}

/// What became of it. All lists are in the order of the texts.
public struct EmbeddingOutcome: Sendable, Hashable {
  public let vectors: [[Float]]
  /// Tokens of each text as the model read it.
  public let tokenCounts: [Int]
  /// Texts that lost their end.
  public let truncated: [Int]
  /// Of each text, over the last rows of its tokens.
  public let hashes: [Bytes32]
  /// The hash of all those.
  public let digest: Bytes32
  public let plan: PlanID
  public let members: [JobMember]
  /// Plans that the job ran on.
  public let terms: Int

  public init(
    _ vectors: [TextVector], tokenCounts: [Int], truncated: [Int], plan: PlanID,
    members: [JobMember], terms: Int
  ) {
    self.vectors = vectors.map(\.values)
    self.tokenCounts = tokenCounts
    self.truncated = truncated
    hashes = vectors.map(\.hash)
    digest = TextVector.digest(vectors)
    self.plan = plan
    self.members = members
    self.terms = terms
  }

  public init(
    _ vectors: [TextVector], of texts: EmbeddingTexts, plan: PlanID, members: [JobMember],
    terms: Int
  ) {
    self.init(
      vectors, tokenCounts: texts.order.texts.map(\.count), truncated: texts.truncated, plan: plan,
      members: members, terms: terms)
  }
}
