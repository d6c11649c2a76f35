// What `POST /api/embed` takes and answers, and `embed --json` prints: Ollama's names for what
// Ollama has, Shoal's for the rest (docs/INTERFACE.md). Fields are added, never changed.

public import ShoalNode
public import ShoalProtocol

/// Vectors that a client asks for.
public struct EmbedRequest: Codable, Sendable {
  public let model: String
  public let input: EmbeddingInput
  /// False: a text that is too long is refused.
  public let truncate: Bool?
  /// Only the model's own number can be had.
  public let dimensions: Int?
  /// `mean`, `first` or `last`; nil: as the model states.
  public let pooling: String?
  public let normalize: Bool?
  public let objective: String?

  public init(_ request: EmbeddingRequest) {
    model = request.model
    input = EmbeddingInput(texts: request.texts)
    truncate = request.truncates
    dimensions = nil
    pooling = request.pooling.map { $0.name }
    normalize = request.isNormalised
    objective = request.objective.name
  }
}

/// One text or several, as text or as token ids.
public struct EmbeddingInput: Codable, Sendable {
  let texts: [EmbeddingRequest.Text]

  init(texts: [EmbeddingRequest.Text]) { self.texts = texts }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      texts = [.text(text)]
    } else if let tokens = try? container.decode([UInt32].self), !tokens.isEmpty {
      texts = [.tokens(EncodedText(tokens))]
    } else if let parts = try? container.decode([Part].self) {
      texts = parts.map(\.text)
    } else {
      throw RequestError.wrongType(
        field: "input", expected: "a string, a list of strings or lists of token ids")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(texts.map { Part(text: $0) })
  }

  private struct Part: Codable {
    let text: EmbeddingRequest.Text

    init(text: EmbeddingRequest.Text) { self.text = text }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self.text = .text(text)
      } else {
        text = .tokens(EncodedText(try container.decode([UInt32].self)))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch text {
      case .text(let text): try container.encode(text)
      case .tokens(let text): try container.encode(text.tokens)
      }
    }
  }
}

/// All lists but `peers` are in the order of the texts.
public struct EmbedFacts: Codable, Sendable, Hashable {
  public let model: String
  public var embeddings: [[Float]]
  /// Nanoseconds.
  public var total_duration: UInt64
  /// Tokens of all texts.
  public var prompt_eval_count: Int
  public let manifest: String
  public let plan: String
  public let peers: [RunResult.Member]
  /// Tokens of each text as the model read it.
  public var tokens: [Int]
  /// Numbers of the texts that lost their end.
  public var truncated: [Int]
  /// Of each text, over the last rows of its tokens.
  public var hashes: [String]
  /// The hash of all those.
  public var digest: String
  /// Plans that the job ran on.
  public let terms: Int

  public init(
    _ outcome: EmbeddingOutcome, model: String, manifest: String, plan: String,
    peers: [RunResult.Member], took: Duration
  ) {
    self.model = model
    embeddings = outcome.vectors
    total_duration = UInt64(clamping: took.nanoseconds)
    prompt_eval_count = outcome.tokenCounts.reduce(0, +)
    self.manifest = manifest
    self.plan = plan
    self.peers = peers
    tokens = outcome.tokenCounts
    truncated = outcome.truncated
    hashes = outcome.hashes.map(\.hex)
    digest = outcome.digest.hex
    terms = outcome.terms
  }
}

extension Pooling {
  public var name: String {
    switch self {
    case .mean: "mean"
    case .first: "first"
    case .last: "last"
    }
  }
}
