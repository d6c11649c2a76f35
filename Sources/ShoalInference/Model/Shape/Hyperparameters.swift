// Everything that fixes what a decoder or an encoder computes, beside its weights: a forward pass
// reads these numbers and never the name of an architecture.

public import ShoalProtocol

public struct Hyperparameters: Sendable, Hashable {
  /// Elements of the residual stream.
  public var hidden: Int
  public var layers: Int
  public var vocabulary: Int
  /// The longest sequence the model was made for, in tokens.
  public var context: Int
  public var norm: NormOptions
  public var embedding: EmbeddingOptions
  public var attention: AttentionOptions
  public var feedForward: FeedForwardOptions
  /// In place of attention and feed-forward; nil in a transformer.
  public var recurrent: RecurrentOptions?
  public var residual: ResidualOptions
  public var head: HeadOptions

  public init(
    hidden: Int, layers: Int, vocabulary: Int, context: Int, norm: NormOptions,
    embedding: EmbeddingOptions = EmbeddingOptions(), attention: AttentionOptions,
    feedForward: FeedForwardOptions, recurrent: RecurrentOptions? = nil,
    residual: ResidualOptions = ResidualOptions(), head: HeadOptions = HeadOptions()
  ) {
    self.hidden = hidden
    self.layers = layers
    self.vocabulary = vocabulary
    self.context = context
    self.norm = norm
    self.embedding = embedding
    self.attention = attention
    self.feedForward = feedForward
    self.recurrent = recurrent
    self.residual = residual
    self.head = head
  }
}

/// How rows are normalised, everywhere in the model.
public struct NormOptions: Sendable, Hashable {
  public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
    /// x / sqrt(mean(x^2) + epsilon) * weight (Zhang & Sennrich 2019).
    case rms = 0
    /// (x - mean) / sqrt(variance + epsilon) * weight + bias (Ba et al. 2016).
    case layer = 1
  }
  public var kind: Kind
  public var epsilon: Float

  public init(_ kind: Kind, epsilon: Float) {
    self.kind = kind
    self.epsilon = epsilon
  }
}

/// What happens to a token's row before the first layer, in this order.
public struct EmbeddingOptions: Sendable, Hashable {
  /// The row is multiplied by it; 1: not at all.
  public var scale: Float = 1
  /// Rows of learned positions that are added; 0: none.
  public var positions = 0
  /// Rows of token types, of which each token's is added, mostly the first; 0: none.
  public var tokenTypes = 0
  /// The sum is normalised.
  public var isNormed = false

  public init() {}
}

/// Where a branch (attention or feed-forward) takes its input, and what happens to its output.
public struct ResidualOptions: Sendable, Hashable {
  /// Attention and feed-forward read the same residual and are summed together: one exchange a
  /// layer instead of two.
  public var isParallel = false
  /// A branch reads the normalised residual; false: the residual itself.
  public var normalisesInput = true
  /// A branch's output is normalised before it is added (Gemma 2, OLMo 2).
  public var normalisesBranch = false
  /// The residual is normalised after a branch was added (the original transformer, BERT).
  public var normalisesSum = false
  /// A branch's output is multiplied by it before it is added (Granite); 1: not at all.
  public var branchScale: Float = 1

  public init() {}
}

/// From the residual after the last layer to logits.
public struct HeadOptions: Sendable, Hashable {
  /// The last residual is normalised before the vocabulary.
  public var isNormed = true
  /// False for an encoder: the last rows themselves are what is asked for.
  public var hasLogits = true
  /// Logits are multiplied by it (Granite); 1: not at all.
  public var logitScale: Float = 1
  /// Above 0, a logit s becomes softCap * tanh(s / softCap) (Gemma 2).
  public var softCap: Float = 0
  /// One number for each token is added to its logit, after the scale and before the cap.
  public var hasBias = false
  /// How a text's last rows become one vector; nil where the model does not state it.
  public var pooling: PoolingOptions?

  public init() {}
}

extension Hyperparameters {
  /// Query heads that read one key-value head.
  public var headsPerGroup: Int { attention.heads / attention.keyValueHeads }

  /// Whether a role is of norms that each head has for itself.
  func hasNormOfEachHead(_ role: TensorRole) -> Bool {
    attention.queryKeyNorm == .eachHead && (role == .queryNorm || role == .keyNorm)
  }

  /// Sums over all ranks in each layer: after attention and after the feed-forward, or after both
  /// at once; one more where a norm spans the heads of all ranks. In a recurrent layer the small
  /// projection and the output.
  public var sumsPerLayer: Int {
    (residual.isParallel ? 1 : 2) + (attention.queryKeyNorm == .fullWidth ? 1 : 0)
  }

  /// Elements of the largest sum, for each token.
  var sumWidth: Int {
    max(
      hidden, recurrent?.projected ?? 0,
      attention.queryKeyNorm == .fullWidth ? attention.heads + attention.keyValueHeads : 0)
  }
}
