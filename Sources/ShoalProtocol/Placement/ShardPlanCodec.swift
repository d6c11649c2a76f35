// The canonical bytes of a plan, and what a stranger's bytes must satisfy to be one.

extension ShardPlan {
  /// The one encoding: equal plans have equal bytes. docs/PLACEMENT.md has the byte table.
  public var canonicalBytes: [UInt8] {
    var writer = ByteWriter(reserving: 4_096)
    writer.integer(plannerVersion)
    writer.id(model)
    writer.integer(objective.rawValue)
    writer.integer(precision.rawValue)
    writer.integer(UInt32(clamping: contextTokens))
    for kind in SlotKind.allCases { writer.integer(UInt32(clamping: slotCounts[kind])) }
    writer.list(stages) { writer, stage in stage.write(to: &writer) }
    return writer.bytes
  }

  /// The plan's name: the hash of its canonical bytes.
  public func id(hash: ContentHash) -> PlanID {
    PlanID(unsafe canonicalBytes.withUnsafeBytes { unsafe hash($0) })
  }

  /// Reads one plan and nothing after it. Each slot of a dealt kind must have exactly one owner in
  /// its stage, a peer one stage, and stages must follow each other without a gap.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    plannerVersion = try reader.integer()
    model = try reader.id()
    let objectiveCode = try reader.integer(UInt8.self)
    guard let objective = PlanObjective(rawValue: objectiveCode) else {
      throw .unknown(field: "plan objective", value: UInt64(objectiveCode))
    }
    self.objective = objective
    precision = try AtomPrecision(from: &reader)
    contextTokens = try reader.count("plan context", limit: Limits.planContextTokens)
    let limit = Limits.planSlots
    let counts = PerKind(
      attention: try reader.count("plan attention slots", limit: limit),
      feedForward: try reader.count("plan feed-forward slots", limit: limit),
      vocabulary: try reader.count("plan vocabulary slots", limit: limit))
    slotCounts = counts
    stages = try reader.list("plan stages", limit: Limits.planLayers) { reader throws(WireError) in
      try PlanStage(from: &reader, counts: counts)
    }
    try reader.finish()
    try checkStages()
  }

  private func checkStages() throws(WireError) {
    var next = 0
    for (number, stage) in stages.enumerated() {
      guard stage.layers.lowerBound == next else { throw .invalid(field: "plan stage layers") }
      next = stage.layers.upperBound
      try stage.check(.attention, count: slotCounts.attention)
      try stage.check(.feedForward, count: slotCounts.feedForward)
      // The first stage has the embedding, the last the output head.
      let isOuter = number == 0 || number == stages.count - 1
      try stage.check(.vocabulary, count: isOuter ? slotCounts.vocabulary : 0)
    }
    let ranks = stages.reduce(0) { $0 + $1.ranks.count }
    guard peers.count == ranks else { throw .invalid(field: "plan peer in two stages") }
    guard !stages.isEmpty else { throw .invalid(field: "plan stages") }
  }
}

extension AtomPrecision {
  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    let code = try reader.integer(UInt8.self)
    guard let precision = AtomPrecision(rawValue: code) else {
      throw .unknown(field: "plan precision", value: UInt64(code))
    }
    self = precision
  }
}

extension PlanStage {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.integer(UInt32(clamping: layers.lowerBound))
    writer.integer(UInt32(clamping: layers.count))
    writer.list(ranks) { writer, rank in
      writer.id(rank.peer)
      writer.integer(rank.precision.rawValue)
      for kind in SlotKind.allCases {
        writer.list(rank.slots[kind]) { writer, slot in writer.integer(UInt32(clamping: slot)) }
      }
      writer.integer(rank.residentBytes)
    }
  }

  fileprivate init(from reader: inout ByteReader, counts: PerKind<Int>) throws(WireError) {
    let first = try reader.count("plan first layer", limit: Limits.planLayers)
    let count = try reader.count("plan layers", limit: Limits.planLayers - first)
    let ranks = try reader.list("plan ranks", limit: Limits.peers) { reader throws(WireError) in
      PlanRank(
        peer: try reader.id(), precision: try AtomPrecision(from: &reader),
        slots: PerKind(
          attention: try PlanStage.slots(from: &reader, below: counts.attention),
          feedForward: try PlanStage.slots(from: &reader, below: counts.feedForward),
          vocabulary: try PlanStage.slots(from: &reader, below: counts.vocabulary)),
        residentBytes: try reader.integer())
    }
    guard count > 0, !ranks.isEmpty else { throw .invalid(field: "plan stage") }
    guard zip(ranks, ranks.dropFirst()).allSatisfy({ $0.peer < $1.peer }) else {
      throw .invalid(field: "plan rank order")
    }
    self.init(layers: first..<first + count, ranks: ranks)
  }

  private static func slots(
    from reader: inout ByteReader, below count: Int
  ) throws(WireError) -> [Int] {
    let slots = try reader.list("plan slots", limit: count) { reader throws(WireError) in
      Int(try reader.integer(UInt32.self))
    }
    guard zip(slots, slots.dropFirst()).allSatisfy({ $0 < $1 }), (slots.last ?? -1) < count else {
      throw .invalid(field: "plan slots")
    }
    return slots
  }

  fileprivate func check(_ kind: SlotKind, count: Int) throws(WireError) {
    var isDealt = [Bool](repeating: false, count: count)
    for slot in ranks.lazy.flatMap({ $0.slots[kind] }) {
      guard slot < count, !isDealt[slot] else { throw .invalid(field: "plan slot owner") }
      isDealt[slot] = true
    }
    guard isDealt.allSatisfy(\.self) else { throw .invalid(field: "plan slot without owner") }
  }
}
