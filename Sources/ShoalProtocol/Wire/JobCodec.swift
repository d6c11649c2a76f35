// Bytes of a job message: a tag, then its fields in the order of the type (docs/PROTOCOL.md).

extension JobMessage {
  static let stepTag: UInt8 = 2
  static let resultTag: UInt8 = 6

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .prepare(let prepare):
      writer.integer(UInt8(1))
      prepare.write(to: &writer)
    case .step(let step):
      writer.integer(Self.stepTag)
      step.write(to: &writer)
    case .finish:
      writer.integer(UInt8(3))
    case .fetching(let remaining, let total):
      writer.integer(UInt8(4))
      writer.integer(remaining)
      writer.integer(total)
    case .ready(let plan, let positions):
      writer.integer(UInt8(5))
      writer.id(plan)
      writer.integer(UInt32(positions))
    case .result(let sequence, let votes, let cost):
      writer.integer(Self.resultTag)
      writer.integer(sequence)
      cost.write(to: &writer)
      writer.list(votes) { $1.write(to: &$0) }
    case .failed(let failure):
      writer.integer(UInt8(7))
      failure.write(to: &writer)
    case .connect:
      writer.integer(UInt8(8))
    case .embed(let step):
      writer.integer(UInt8(9))
      step.write(to: &writer)
    case .embedded(let sequence, let vectors, let cost):
      writer.integer(UInt8(10))
      writer.integer(sequence)
      cost.write(to: &writer)
      writer.list(vectors) { $1.write(to: &$0) }
    case .rest:
      writer.integer(UInt8(11))
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .prepare(try Prepare(from: &reader))
    case Self.stepTag: self = .step(try BatchStep(from: &reader))
    case 3: self = .finish
    case 4: self = .fetching(remaining: try reader.integer(), total: try reader.integer())
    case 5:
      self = .ready(try reader.id(), positions: Int(try reader.integer(UInt32.self)))
    case Self.resultTag:
      let sequence = try reader.integer(UInt32.self)
      let cost = try StepCost(from: &reader)
      let votes = try reader.list("votes", limit: 1 << 22) { reader throws(WireError) in
        try VocabularyVote(from: &reader)
      }
      self = .result(sequence: sequence, votes: votes, cost: cost)
    case 7: self = .failed(try JobFailure(from: &reader))
    case 8: self = .connect
    case 9: self = .embed(try EmbeddingStep(from: &reader))
    case 10:
      let sequence = try reader.integer(UInt32.self)
      let cost = try StepCost(from: &reader)
      let vectors = try reader.list("vectors", limit: Limits.stepTexts) {
        reader throws(WireError) in
        try TextVector(from: &reader)
      }
      self = .embedded(sequence: sequence, vectors, cost: cost)
    case 11: self = .rest
    case _: throw .unknown(field: "job message", value: UInt64(tag))
    }
    try reader.finish()
  }
}

extension Prepare {
  func write(to writer: inout ByteWriter) {
    writer.id(job)
    writer.integer(term.value)
    writer.id(model)
    writer.id(plan)
    writer.integer(objective.rawValue)
    writer.integer(UInt32(context))
    writer.integer(UInt32(positions))
    writer.integer(UInt32(batch))
    writer.list(view) { $1.write(to: &$0) }
    writer.list(distrusted) { $0.id($1) }
    payment?.write(to: &writer)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    job = try reader.id()
    term = Term(try reader.integer())
    model = try reader.id()
    plan = try reader.id()
    let objective = try reader.integer(UInt8.self)
    guard let objective = PlanObjective(rawValue: objective) else {
      throw .unknown(field: "objective", value: UInt64(objective))
    }
    self.objective = objective
    context = Int(try reader.integer(UInt32.self))
    positions = Int(try reader.integer(UInt32.self))
    batch = Int(try reader.integer(UInt32.self))
    guard (1...Limits.contextTokens).contains(context) else {
      throw .tooLong(field: "context", limit: Limits.contextTokens, announced: context)
    }
    let most = context * Limits.laneSlots
    guard (context...most).contains(positions) else {
      throw .tooLong(field: "positions", limit: most, announced: positions)
    }
    guard (1...Limits.textTokens).contains(batch) else {
      throw .tooLong(field: "batch", limit: Limits.textTokens, announced: batch)
    }
    view = try reader.list("view", limit: Limits.peers) { reader throws(WireError) in
      try SignedRecord(from: &reader)
    }
    distrusted = try reader.list("distrusted", limit: Limits.peers) { reader throws(WireError) in
      try reader.id()
    }
    payment = try PaymentTerms.last(of: &reader)
  }
}

extension VocabularyVote {
  func write(to writer: inout ByteWriter) {
    writer.integer(UInt32(block))
    writer.integer(UInt32(row))
    writer.integer(maximum.bitPattern)
    writer.integer(exponentials.bitPattern)
    writer.raw(hash.bytes)
    writer.list(candidates) {
      $0.integer($1.token)
      $0.integer($1.logit.bitPattern)
    }
    writer.list(slice) { $0.integer($1.bitPattern) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    block = Int(try reader.integer(UInt32.self))
    row = Int(try reader.integer(UInt32.self))
    maximum = Float(bitPattern: try reader.integer())
    exponentials = Float(bitPattern: try reader.integer())
    hash = try reader.bytes32()
    candidates = try reader.list("candidates", limit: Limits.candidates) {
      reader throws(WireError) in
      TokenCandidate(
        token: try reader.integer(), logit: Float(bitPattern: try reader.integer(UInt32.self)))
    }
    slice = try reader.list("logits", limit: Limits.candidates) { reader throws(WireError) in
      Float(bitPattern: try reader.integer(UInt32.self))
    }
  }
}
