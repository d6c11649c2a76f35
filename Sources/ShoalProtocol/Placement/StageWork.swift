// A model's shape, added up for one stage: what a slot of each kind weighs, holds and reads.

/// The slots of one kind over all layers of a stage.
package struct KindWork: Hashable, Sendable {
  package let count: Int
  /// Bytes that the heaviest slot reads for a token: weights and the KV scanned.
  package let readBytes: UInt64
  /// Bytes that the heaviest slot keeps in memory: weights and the KV of the whole context.
  package let residentBytes: UInt64
  /// Of all slots together; less than `count` times the heaviest where the last is short.
  package let totalReadBytes: UInt64
  package let totalResidentBytes: UInt64

  init(read: [UInt64], resident: [UInt64]) {
    count = read.count
    readBytes = read.max() ?? 0
    residentBytes = resident.max() ?? 0
    totalReadBytes = read.reduce(0, Saturating.sum)
    totalResidentBytes = resident.reduce(0, Saturating.sum)
  }
}

/// What a stage asks of its ranks together, and of each of them.
package struct StageWork: Sendable {
  package let layers: Range<Int>
  package let kinds: PerKind<KindWork>
  /// Weights alone, slot by slot, and resident bytes slot by slot.
  package let read: PerKind<[UInt64]>
  package let resident: PerKind<[UInt64]>
  /// What each rank holds whatever its share: norms and buffers.
  package let fixedBytes: UInt64
  package let commonReadBytes: UInt64
  /// Rounds per token: the layers' sums, the embedding row at the start, the candidates at the end.
  package let synchronisations: UInt64
  /// One rank's packed partial: 20 bits an element (docs/NUMERICS.md, rule 5: 18 to 22).
  package let partialBytes: UInt64

  /// Positions that a prefill holds at once, and f32 vectors of hidden size for each of them.
  static let prefillTokens: UInt64 = 64
  static let vectorsPerToken: UInt64 = 8

  package init(_ shape: ModelShape, contextTokens: Int) throws(PlanError) {
    try StageWork.check(shape, contextTokens: contextTokens)
    let tokens = UInt64(contextTokens)
    var attention = (read: UInt64(0), resident: UInt64(0))
    var feedForward = [UInt64](repeating: 0, count: shape.layers[0].feedForward.bytes.count)
    var (common, sums): (UInt64, UInt64) = (0, 2)
    for layer in shape.layers {
      let group = layer.attention
      let cache = Saturating.product(group.keyValueBytesPerToken, tokens)
      // A generation that fills its context scans half of it on average.
      attention.read = Saturating.sum(
        attention.read, Saturating.sum(group.bytesPerGroup, cache / 2))
      attention.resident = Saturating.sum(
        attention.resident, Saturating.sum(group.bytesPerGroup, cache))
      for (block, bytes) in layer.feedForward.bytes.enumerated() {
        feedForward[block] = Saturating.sum(feedForward[block], bytes)
      }
      common = Saturating.sum(common, layer.commonBytes)
      sums += UInt64(layer.sums)
    }
    let groups = shape.layers[0].attention.groups
    let vocabulary = shape.vocabulary
    let vocabularyResident = zip(vocabulary.embeddingBytes, vocabulary.outputBytes).map {
      vocabulary.isTied ? max($0, $1) : Saturating.sum($0, $1)
    }
    read = PerKind(
      attention: [UInt64](repeating: attention.read, count: groups), feedForward: feedForward,
      vocabulary: vocabulary.outputBytes)
    resident = PerKind(
      attention: [UInt64](repeating: attention.resident, count: groups), feedForward: feedForward,
      vocabulary: vocabularyResident)
    kinds = PerKind(
      attention: KindWork(read: read.attention, resident: resident.attention),
      feedForward: KindWork(read: read.feedForward, resident: resident.feedForward),
      vocabulary: KindWork(read: read.vocabulary, resident: resident.vocabulary))
    layers = 0..<shape.layers.count
    let hidden = UInt64(shape.hiddenSize)
    let vectors = hidden * 4 * StageWork.prefillTokens * StageWork.vectorsPerToken
    fixedBytes = Saturating.sum(common, vectors + UInt64(shape.vocabularySize) * 4)
    commonReadBytes = common
    synchronisations = sums
    partialBytes = hidden * 20 / 8 + 1
  }

  package var totalReadBytes: UInt64 {
    SlotKind.allCases.reduce(commonReadBytes) { Saturating.sum($0, kinds[$1].totalReadBytes) }
  }
  /// All slots, without anybody's buffers.
  package var totalResidentBytes: UInt64 {
    SlotKind.allCases.reduce(0) { Saturating.sum($0, kinds[$1].totalResidentBytes) }
  }
  /// The least that a rank can hold: buffers and the lightest slot.
  package var leastBytes: UInt64 {
    let lightest = SlotKind.allCases.compactMap { resident[$0].min() }.min() ?? 0
    return Saturating.sum(fixedBytes, lightest)
  }
}

extension StageWork {
  /// Refuses figures with which a sum here, or a count in a plan, would leave its bounds.
  private static func check(_ shape: ModelShape, contextTokens: Int) throws(PlanError) {
    guard (0...Limits.planContextTokens).contains(contextTokens) else {
      throw .contextTooLong(tokens: contextTokens, limit: Limits.planContextTokens)
    }
    let slots = Limits.planSlots
    guard let first = shape.layers.first, shape.layers.count <= Limits.planLayers else {
      throw .shape(field: "layers", value: shape.layers.count, limit: Limits.planLayers)
    }
    try bound("hidden size", shape.hiddenSize, 1 << 20)
    try bound("attention groups", first.attention.groups, slots)
    try bound("feed-forward blocks", first.feedForward.columns.count, slots)
    let vocabulary = shape.vocabulary
    try bound("vocabulary blocks", vocabulary.rows.count, slots)
    try bound("embedding blocks", vocabulary.embeddingBytes.count, vocabulary.rows.count)
    guard vocabulary.embeddingBytes.count == vocabulary.rows.count,
      vocabulary.outputBytes.count == vocabulary.rows.count
    else {
      throw .shape(
        field: "vocabulary blocks with bytes",
        value: min(vocabulary.embeddingBytes.count, vocabulary.outputBytes.count),
        limit: vocabulary.rows.count)
    }
    for rows in vocabulary.rows { try bound("vocabulary rows", rows, 1 << 24) }
    try bound("vocabulary", shape.vocabularySize, 1 << 28)
    for layer in shape.layers { try check(layer, like: first) }
  }

  private static func check(_ layer: LayerShape, like first: LayerShape) throws(PlanError) {
    try bound("query heads of a group", layer.attention.queryHeadsPerGroup, 1 << 14)
    guard (0...64).contains(layer.sums) else {
      throw .shape(field: "sums of a layer", value: layer.sums, limit: 64)
    }
    guard layer.attention.groups == first.attention.groups else {
      throw .shape(
        field: "attention groups of a later layer", value: layer.attention.groups,
        limit: first.attention.groups)
    }
    let blocks = first.feedForward.columns.count
    guard layer.feedForward.columns.count == blocks, layer.feedForward.bytes.count == blocks else {
      throw .shape(
        field: "feed-forward blocks of a later layer", value: layer.feedForward.bytes.count,
        limit: blocks)
    }
    for columns in layer.feedForward.columns { try bound("columns of a block", columns, 1 << 22) }
  }

  private static func bound(_ field: String, _ value: Int, _ limit: Int) throws(PlanError) {
    guard value >= 1, value <= limit else {
      throw .shape(field: field, value: value, limit: limit)
    }
  }
}
