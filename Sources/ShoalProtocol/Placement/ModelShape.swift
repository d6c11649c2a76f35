// What placement needs to know of a model: how many atoms there are of each kind, what they weigh
// and how often ranks must meet. No weights, no names of tensors.

/// The attention atoms of one layer: query units, and the key-value group that each of them reads.
public struct AttentionShape: Hashable, Sendable {
  public let groups: Int
  /// 1: a group is dealt whole. More: its units may go to several ranks, each of which then holds
  /// the group's keys and values.
  public let unitsPerGroup: Int
  /// Query heads of each unit, `groups * unitsPerGroup` of them.
  public let headsPerUnit: [Int]
  /// Stored bytes of each unit: its query heads and their output columns.
  public let unitBytes: [UInt64]
  /// Stored bytes of one group's key and value heads.
  public let keyValueBytes: UInt64
  /// Bytes that one token adds to the KV cache of one group.
  public let keyValueBytesPerToken: UInt64

  public init(
    groups: Int, unitsPerGroup: Int, headsPerUnit: [Int], unitBytes: [UInt64],
    keyValueBytes: UInt64, keyValueBytesPerToken: UInt64
  ) {
    self.groups = groups
    self.unitsPerGroup = unitsPerGroup
    self.headsPerUnit = headsPerUnit
    self.unitBytes = unitBytes
    self.keyValueBytes = keyValueBytes
    self.keyValueBytesPerToken = keyValueBytesPerToken
  }
}

/// The feed-forward atoms of one layer: blocks of hidden columns, of the dense
/// block and then of each expert; the last of each may be short.
public struct FeedForwardShape: Hashable, Sendable {
  public let columns: [Int]
  /// Stored bytes of each block, as many as `columns`.
  public let bytes: [UInt64]
  /// Bytes of each block that a token reads: all, but of an expert the share of tokens that go
  /// to it.
  public let readBytes: [UInt64]

  public init(columns: [Int], bytes: [UInt64], readBytes: [UInt64]? = nil) {
    self.columns = columns
    self.bytes = bytes
    self.readBytes = readBytes ?? bytes
  }
}

/// One layer. All layers of a stage share one slot map, so they have equal counts of atoms.
public struct LayerShape: Hashable, Sendable {
  public let attention: AttentionShape
  public let feedForward: FeedForwardShape
  /// Bytes that every rank holds: norms, biases after a sum.
  public let commonBytes: UInt64
  /// Sums over all ranks: two in a Llama layer (attention output, FFN down).
  public let sums: Int

  public init(
    attention: AttentionShape, feedForward: FeedForwardShape, commonBytes: UInt64, sums: Int = 2
  ) {
    self.attention = attention
    self.feedForward = feedForward
    self.commonBytes = commonBytes
    self.sums = sums
  }
}

/// Blocks of vocabulary rows: of the embedding and of the output head; the last may be short.
public struct VocabularyShape: Hashable, Sendable {
  public let rows: [Int]
  /// Bytes of each block's embedding rows: held, but only one row of all is read for a token.
  public let embeddingBytes: [UInt64]
  /// Bytes of each block's output rows, read for each token.
  public let outputBytes: [UInt64]
  /// Whether embedding and output are one tensor, held once.
  public let isTied: Bool

  public init(rows: [Int], embeddingBytes: [UInt64], outputBytes: [UInt64], isTied: Bool) {
    self.rows = rows
    self.embeddingBytes = embeddingBytes
    self.outputBytes = outputBytes
    self.isTied = isTied
  }
}

/// A model as the planner sees it.
public struct ModelShape: Hashable, Sendable {
  public let model: ModelID
  /// The arithmetic that a peer must keep to take part (docs/NUMERICS.md): `canon-1`.
  public let numerics: String
  /// Elements of the residual vector: what ranks exchange in each sum.
  public let hiddenSize: Int
  /// The precision most weights are stored in: the one whose measured speed is used.
  public let precision: AtomPrecision
  public let layers: [LayerShape]
  public let vocabulary: VocabularyShape

  public init(
    model: ModelID, numerics: String, hiddenSize: Int, precision: AtomPrecision,
    layers: [LayerShape],
    vocabulary: VocabularyShape
  ) {
    self.model = model
    self.numerics = numerics
    self.hiddenSize = hiddenSize
    self.precision = precision
    self.layers = layers
    self.vocabulary = vocabulary
  }

  public var vocabularySize: Int { vocabulary.rows.reduce(0, +) }
}
