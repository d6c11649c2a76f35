// A model's shape, added up for one stage: what a slot of each kind weighs, holds and reads.

/// What several slots of a kind have in common, held once by a rank however many of them it has:
/// the keys and values of a group whose query units are dealt one by one.
package struct SharedWork: Hashable, Sendable {
  package let groups: Int
  /// Slot `i` belongs to group `i / slotsPerGroup`.
  package let slotsPerGroup: Int
  package let readBytes: UInt64
  package let residentBytes: UInt64
}

/// The slots of one kind over all layers of a stage.
package struct KindWork: Hashable, Sendable {
  package let count: Int
  /// Bytes that a slot reads for a token, weights and the KV scanned: the heaviest one, or where
  /// tokens choose among slots, the average.
  private let slotReadBytes: UInt64
  /// Bytes that the heaviest slot keeps in memory: weights and the KV of the whole context.
  private let slotResidentBytes: UInt64
  private let shared: SharedWork?
  /// Of all slots together; less than `count` times the heaviest where the last is short.
  package let totalReadBytes: UInt64
  package let totalResidentBytes: UInt64

  init(
    read: [UInt64], resident: [UInt64], isChosen: Bool = false, shared: SharedWork? = nil
  ) {
    count = read.count
    let total = read.reduce(0, Saturating.sum)
    slotReadBytes =
      isChosen && count > 0
      ? Saturating.sum(total / UInt64(count), 1) : read.max() ?? 0
    slotResidentBytes = resident.max() ?? 0
    self.shared = shared
    let groups = UInt64(shared?.groups ?? 0)
    totalReadBytes = Saturating.sum(
      total, Saturating.product(groups, shared?.readBytes ?? 0))
    totalResidentBytes = Saturating.sum(
      resident.reduce(0, Saturating.sum),
      Saturating.product(groups, shared?.residentBytes ?? 0))
  }

  /// At most what `slots` of them read: each may be of another group.
  package func readBytes(slots: UInt64) -> UInt64 {
    let touched = min(slots, UInt64(shared?.groups ?? 0))
    return Saturating.sum(
      Saturating.product(slots, slotReadBytes),
      Saturating.product(touched, shared?.readBytes ?? 0))
  }

  /// At most what `slots` of them keep in memory.
  package func residentBytes(slots: UInt64) -> UInt64 {
    let touched = min(slots, UInt64(shared?.groups ?? 0))
    return Saturating.sum(
      Saturating.product(slots, slotResidentBytes),
      Saturating.product(touched, shared?.residentBytes ?? 0))
  }

  /// The larger of what a slot, and what a group has in common, keeps here of what it keeps in
  /// `stored`: 65,536ths, rounded up.
  func ratio(to stored: KindWork) -> UInt64 {
    let part = { (bytes: UInt64, stored: UInt64) -> UInt64 in
      guard stored > 0 else { return 0 }
      return Saturating.sum(Saturating.ratio(bytes, times: 1 << 16, over: stored).quotient, 1)
    }
    return max(
      part(slotResidentBytes, stored.slotResidentBytes),
      part(shared?.residentBytes ?? 0, stored.shared?.residentBytes ?? 0))
  }

  /// The most slots that fit into `room` whichever they are.
  package func slots(within room: UInt64) -> UInt64 {
    let all = UInt64(count)
    guard residentBytes(slots: all) > room else { return all }
    guard let shared else { return room / max(1, slotResidentBytes) }
    let groups = UInt64(shared.groups)
    let both = max(1, Saturating.sum(slotResidentBytes, shared.residentBytes))
    if room / both < groups { return room / both }
    let left = Saturating.difference(room, Saturating.product(groups, shared.residentBytes))
    return min(all, left / max(1, slotResidentBytes))
  }
}

/// What a stage asks of its ranks together, and of each of them.
package struct StageWork: Sendable {
  package let layers: Range<Int>
  package let kinds: PerKind<KindWork>
  /// Weights alone, slot by slot, and resident bytes slot by slot.
  package let read: PerKind<[UInt64]>
  package let resident: PerKind<[UInt64]>
  /// What attention slots of one group have in common; nil where a group is one slot.
  package let shared: SharedWork?
  /// What each rank holds whatever its share: norms and buffers.
  package let fixedBytes: UInt64
  package let commonReadBytes: UInt64
  /// Rounds per token: the layers' sums; the embedding row in the first stage, what was handed over
  /// in a later one; the candidates in the last.
  package let synchronisations: UInt64
  /// One rank's packed partial: 20 bits an element (docs/NUMERICS.md, rule 5: 18 to 22).
  package let partialBytes: UInt64
  /// A hidden state on its way to the next stage: f32.
  package let handoverBytes: UInt64

  /// Positions that a prefill holds at once, and f32 vectors of hidden size for each of them.
  static let prefillTokens: UInt64 = 64
  static let vectorsPerToken: UInt64 = 8

  /// The whole of a model as one stage. Refuses a shape of absurd figures.
  package init(_ shape: ModelShape, contextTokens: Int) throws(PlanError) {
    try StageWork.check(shape, contextTokens: contextTokens)
    self.init(
      checked: shape, contextTokens: contextTokens, layers: 0..<shape.layers.count)
  }

  /// Some layers of a shape that was checked before. The first stage has the embedding, the last
  /// the output head.
  package init(checked shape: ModelShape, contextTokens: Int, layers: Range<Int>) {
    let first = shape.layers[0]
    var attention = AttentionWork(first.attention)
    var feedForward = [UInt64](repeating: 0, count: first.feedForward.bytes.count)
    var feedForwardRead = feedForward
    var (common, sums): (UInt64, UInt64) = (0, 1)
    for layer in shape.layers[layers] {
      attention.add(layer.attention, tokens: UInt64(contextTokens))
      for block in feedForward.indices {
        feedForward[block] = Saturating.sum(feedForward[block], layer.feedForward.bytes[block])
        feedForwardRead[block] = Saturating.sum(
          feedForwardRead[block], layer.feedForward.readBytes[block])
      }
      common = Saturating.sum(common, layer.commonBytes)
      sums += UInt64(layer.sums)
    }
    let isLast = layers.upperBound == shape.layers.count
    let vocabulary = StageWork.vocabulary(
      shape.vocabulary, isFirst: layers.lowerBound == 0, isLast: isLast)
    read = PerKind(
      attention: attention.read, feedForward: feedForwardRead, vocabulary: vocabulary.read)
    resident = PerKind(
      attention: attention.resident, feedForward: feedForward, vocabulary: vocabulary.resident)
    shared = attention.shared
    kinds = PerKind(
      attention: KindWork(
        read: attention.read, resident: attention.resident, shared: attention.shared),
      feedForward: KindWork(
        read: feedForwardRead, resident: feedForward, isChosen: feedForwardRead != feedForward),
      vocabulary: KindWork(read: read.vocabulary, resident: resident.vocabulary))
    self.layers = layers
    let hidden = UInt64(shape.hiddenSize)
    let vectors = hidden * 4 * StageWork.prefillTokens * StageWork.vectorsPerToken
    fixedBytes = Saturating.sum(
      common, vectors + (isLast ? UInt64(shape.vocabularySize) * 4 : 0))
    commonReadBytes = common
    synchronisations = sums + (isLast ? 1 : 0)
    partialBytes = hidden * 20 / 8 + 1
    handoverBytes = hidden * 4
  }

  /// Blocks of vocabulary rows as a stage has them: those in the middle have none.
  private static func vocabulary(
    _ shape: VocabularyShape, isFirst: Bool, isLast: Bool
  ) -> (read: [UInt64], resident: [UInt64]) {
    switch (isFirst, isLast) {
    case (true, true):
      let both = zip(shape.embeddingBytes, shape.outputBytes)
      return (
        shape.outputBytes, both.map { shape.isTied ? max($0, $1) : Saturating.sum($0, $1) }
      )
    case (true, false):
      // One row in all is read of an embedding.
      return ([UInt64](repeating: 0, count: shape.rows.count), shape.embeddingBytes)
    case (false, true): return (shape.outputBytes, shape.outputBytes)
    case (false, false): return ([], [])
    }
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
    let lightest = SlotKind.allCases.compactMap { kind in
      resident[kind].min().map {
        Saturating.sum($0, kind == .attention ? shared?.residentBytes ?? 0 : 0)
      }
    }.min()
    return Saturating.sum(fixedBytes, lightest ?? 0)
  }

  /// What a rank holds that has a slot of each kind.
  package var oneOfEachBytes: UInt64 {
    SlotKind.allCases.reduce(fixedBytes) {
      Saturating.sum($0, kinds[$1].count == 0 ? 0 : kinds[$1].residentBytes(slots: 1))
    }
  }

  /// What exactly these slots keep in memory, beside `fixedBytes`.
  package func residentBytes(of slots: PerKind<[Int]>) -> UInt64 {
    bytes(of: slots, resident, shared: shared?.residentBytes ?? 0)
  }
  /// What exactly these slots read for a token.
  package func readBytes(of slots: PerKind<[Int]>) -> UInt64 {
    bytes(of: slots, read, shared: shared?.readBytes ?? 0)
  }

  private func bytes(
    of slots: PerKind<[Int]>, _ each: PerKind<[UInt64]>, shared common: UInt64
  ) -> UInt64 {
    let perGroup = shared?.slotsPerGroup ?? 1
    let groups = common == 0 ? 0 : Set(slots.attention.map { $0 / perGroup }).count
    return SlotKind.allCases.reduce(Saturating.product(UInt64(groups), common)) { sum, kind in
      slots[kind].reduce(sum) { Saturating.sum($0, each[kind][$1]) }
    }
  }
}

/// Query units and their groups, added up over layers.
private struct AttentionWork {
  private(set) var read: [UInt64]
  private(set) var resident: [UInt64]
  private let shape: AttentionShape
  private var sharedRead: UInt64 = 0
  private var sharedResident: UInt64 = 0

  init(_ shape: AttentionShape) {
    self.shape = shape
    read = [UInt64](repeating: 0, count: shape.unitBytes.count)
    resident = read
  }

  mutating func add(_ layer: AttentionShape, tokens: UInt64) {
    let cache = Saturating.product(layer.keyValueBytesPerToken, tokens)
    // A generation that fills its context scans half of it on average.
    let groupRead = Saturating.sum(layer.keyValueBytes, cache / 2)
    let groupResident = Saturating.sum(layer.keyValueBytes, cache)
    let isWhole = layer.unitsPerGroup == 1
    if !isWhole {
      sharedRead = Saturating.sum(sharedRead, groupRead)
      sharedResident = Saturating.sum(sharedResident, groupResident)
    }
    for (unit, bytes) in layer.unitBytes.enumerated() {
      read[unit] = Saturating.sum(read[unit], Saturating.sum(bytes, isWhole ? groupRead : 0))
      resident[unit] = Saturating.sum(
        resident[unit], Saturating.sum(bytes, isWhole ? groupResident : 0))
    }
  }

  var shared: SharedWork? {
    guard shape.unitsPerGroup > 1 else { return nil }
    return SharedWork(
      groups: shape.groups, slotsPerGroup: shape.unitsPerGroup, readBytes: sharedRead,
      residentBytes: sharedResident)
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
    try bound("query units of a group", first.attention.unitsPerGroup, slots)
    let units = Saturating.product(
      UInt64(first.attention.groups), UInt64(first.attention.unitsPerGroup))
    try bound("query units", Int(clamping: units), slots)
    // None where a layer is recurrent.
    try bound("feed-forward blocks", first.feedForward.columns.count, slots, least: 0)
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
    let units = first.attention.groups * first.attention.unitsPerGroup
    guard layer.attention.unitsPerGroup == first.attention.unitsPerGroup,
      layer.attention.unitBytes.count == units, layer.attention.headsPerUnit.count == units
    else {
      throw .shape(
        field: "query units of a layer", value: layer.attention.unitBytes.count, limit: units)
    }
    for heads in layer.attention.headsPerUnit { try bound("query heads of a unit", heads, 1 << 14) }
    guard (0...64).contains(layer.sums) else {
      throw .shape(field: "sums of a layer", value: layer.sums, limit: 64)
    }
    guard layer.attention.groups == first.attention.groups else {
      throw .shape(
        field: "attention groups of a later layer", value: layer.attention.groups,
        limit: first.attention.groups)
    }
    let blocks = first.feedForward.columns.count
    guard layer.feedForward.columns.count == blocks, layer.feedForward.bytes.count == blocks,
      layer.feedForward.readBytes.count == blocks
    else {
      throw .shape(
        field: "feed-forward blocks of a later layer", value: layer.feedForward.bytes.count,
        limit: blocks)
    }
    for columns in layer.feedForward.columns { try bound("columns of a block", columns, 1 << 22) }
  }

  private static func bound(
    _ field: String, _ value: Int, _ limit: Int, least: Int = 1
  ) throws(PlanError) {
    guard value >= least, value <= limit else {
      throw .shape(field: field, value: value, limit: limit)
    }
  }
}
