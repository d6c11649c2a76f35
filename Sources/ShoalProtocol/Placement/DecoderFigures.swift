// A decoder's shape from its header's figures alone: enough to plan a model that nobody holds yet.

/// The figures of a Llama-like decoder (gated FFN, two sums per layer), as a header states them.
public struct DecoderFigures: Hashable, Sendable {
  public var hidden: Int
  public var layers: Int
  public var heads: Int
  public var keyValueHeads: Int
  public var headDimension: Int
  public var feedForward: Int
  public var vocabulary: Int
  public var isTied: Bool
  public var precision: AtomPrecision
  /// Bytes of one cached element of K or V: 4 for f32, 2 for f16.
  public var keyValueElementBytes: Int

  public init(
    hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int,
    feedForward: Int, vocabulary: Int, isTied: Bool, precision: AtomPrecision,
    keyValueElementBytes: Int
  ) {
    self.hidden = hidden
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.feedForward = feedForward
    self.vocabulary = vocabulary
    self.isTied = isTied
    self.precision = precision
    self.keyValueElementBytes = keyValueElementBytes
  }

  /// The shape, cut as docs/NUMERICS.md (rule 0) cuts it: query units, FFN blocks of 256
  /// columns (32 below a width of 1,024), vocabulary blocks of 256 rows (32 below 8,192).
  public func shape(model: ModelID, numerics: String) throws(PlanError) -> ModelShape {
    try check()
    let layer = LayerShape(
      attention: attention, feedForward: feedForwardShape,
      commonBytes: UInt64(hidden) * 2 * 4)
    return ModelShape(
      model: model, numerics: numerics, hiddenSize: hidden, precision: precision,
      layers: [LayerShape](repeating: layer, count: layers), vocabulary: vocabularyShape)
  }

  private func check() throws(PlanError) {
    let bounds: [(String, Int, Int)] = [
      ("hidden size", hidden, 1 << 20), ("layers", layers, 1 << 12), ("heads", heads, 1 << 14),
      ("key-value heads", keyValueHeads, 1 << 14), ("head dimension", headDimension, 1 << 14),
      ("feed-forward width", feedForward, 1 << 22), ("vocabulary", vocabulary, 1 << 24),
      ("key-value element bytes", keyValueElementBytes, 8),
    ]
    for (field, value, limit) in bounds where value < 1 || value > limit {
      throw .shape(field: field, value: value, limit: limit)
    }
    guard heads % keyValueHeads == 0 else {
      throw .shape(field: "heads per key-value head", value: heads, limit: keyValueHeads)
    }
  }

  /// A group is one unit where there are 8 groups or more; else groups are cut until there are
  /// about 16 units.
  private var attention: AttentionShape {
    let queryHeads = heads / keyValueHeads
    let unitsPerGroup =
      keyValueHeads >= 8 ? 1 : min(queryHeads, (16 + keyValueHeads - 1) / keyValueHeads)
    let units = (0..<keyValueHeads * unitsPerGroup).map { unit in
      let place = unit % unitsPerGroup
      return (place + 1) * queryHeads / unitsPerGroup - place * queryHeads / unitsPerGroup
    }
    let row = precision.byteCount(elements: UInt64(hidden))
    // A block that straddles two heads is cut (rule 1), so each head's part begins a block.
    let output = precision.byteCount(elements: UInt64(headDimension))
    let ofHead = Saturating.sum(
      Saturating.product(UInt64(headDimension), row),
      Saturating.product(output, UInt64(hidden)))
    return AttentionShape(
      groups: keyValueHeads, unitsPerGroup: unitsPerGroup, headsPerUnit: units,
      unitBytes: units.map { Saturating.product(UInt64($0), ofHead) },
      keyValueBytes: Saturating.product(2 * UInt64(headDimension), row),
      keyValueBytesPerToken: UInt64(2 * headDimension * keyValueElementBytes))
  }

  private var feedForwardShape: FeedForwardShape {
    let columns = DecoderFigures.blocks(of: feedForward >= 1_024 ? 256 : 32, in: feedForward)
    let row = precision.byteCount(elements: UInt64(hidden))
    let bytes = columns.map { count in
      let gateAndUp = Saturating.product(2 * UInt64(count), row)
      let down = Saturating.product(UInt64(hidden), precision.byteCount(elements: UInt64(count)))
      return Saturating.sum(gateAndUp, down)
    }
    return FeedForwardShape(columns: columns, bytes: bytes)
  }

  private var vocabularyShape: VocabularyShape {
    let rows = DecoderFigures.blocks(of: vocabulary >= 8_192 ? 256 : 32, in: vocabulary)
    let row = precision.byteCount(elements: UInt64(hidden))
    let bytes = rows.map { Saturating.product(UInt64($0), row) }
    return VocabularyShape(
      rows: rows, embeddingBytes: bytes, outputBytes: bytes, isTied: isTied)
  }

  private static func blocks(of size: Int, in total: Int) -> [Int] {
    stride(from: 0, to: total, by: size).map { min(size, total - $0) }
  }
}
