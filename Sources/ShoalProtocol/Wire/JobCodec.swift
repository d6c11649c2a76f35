// Bytes of a job message: a tag, then its fields in the order of the type (docs/PROTOCOL.md).

extension JobMessage {
  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .prepare(let prepare):
      writer.integer(UInt8(1))
      prepare.write(to: &writer)
    case .step(let step):
      writer.integer(UInt8(2))
      step.write(to: &writer)
    case .finish:
      writer.integer(UInt8(3))
    case .fetching(let remaining, let total):
      writer.integer(UInt8(4))
      writer.integer(remaining)
      writer.integer(total)
    case .ready(let plan):
      writer.integer(UInt8(5))
      writer.id(plan)
    case .result(let sequence, let votes, let cost):
      writer.integer(UInt8(6))
      writer.integer(sequence)
      for part in [cost.compute, cost.wait, cost.exchange, cost.bytesSent] { writer.integer(part) }
      writer.list(votes) { $1.write(to: &$0) }
    case .failed(let failure):
      writer.integer(UInt8(7))
      failure.write(to: &writer)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .prepare(try Prepare(from: &reader))
    case 2: self = .step(try Step(from: &reader))
    case 3: self = .finish
    case 4: self = .fetching(remaining: try reader.integer(), total: try reader.integer())
    case 5: self = .ready(try reader.id())
    case 6:
      let sequence = try reader.integer(UInt32.self)
      let cost = StepCost(
        compute: try reader.integer(), wait: try reader.integer(),
        exchange: try reader.integer(), bytesSent: try reader.integer())
      let votes = try reader.list("votes", limit: 1 << 22) { reader throws(WireError) in
        try VocabularyVote(from: &reader)
      }
      self = .result(sequence: sequence, votes: votes, cost: cost)
    case 7: self = .failed(try JobFailure(from: &reader))
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
    writer.integer(UInt32(batch))
    writer.list(view) { $1.write(to: &$0) }
    writer.list(distrusted) { $0.id($1) }
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
    batch = Int(try reader.integer(UInt32.self))
    guard (1...Limits.contextTokens).contains(context) else {
      throw .tooLong(field: "context", limit: Limits.contextTokens, announced: context)
    }
    guard (1...Limits.stepTokens).contains(batch) else {
      throw .tooLong(field: "batch", limit: Limits.stepTokens, announced: batch)
    }
    view = try reader.list("view", limit: Limits.peers) { reader throws(WireError) in
      try SignedRecord(from: &reader)
    }
    distrusted = try reader.list("distrusted", limit: Limits.peers) { reader throws(WireError) in
      try reader.id()
    }
  }
}

extension Step {
  func write(to writer: inout ByteWriter) {
    writer.integer(term.value)
    writer.integer(sequence)
    writer.integer(UInt32(position))
    writer.integer(logits.rawValue)
    writer.integer(UInt8(slices ? 1 : 0))
    writer.integer(UInt16(candidates))
    writer.list(tokens) { $0.integer($1) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    term = Term(try reader.integer())
    sequence = try reader.integer()
    position = Int(try reader.integer(UInt32.self))
    let wanted = try reader.integer(UInt8.self)
    guard let wanted = LogitsWanted(rawValue: wanted) else {
      throw .unknown(field: "logits wanted", value: UInt64(wanted))
    }
    logits = wanted
    slices = try reader.integer(UInt8.self) != 0
    candidates = Int(try reader.integer(UInt16.self))
    tokens = try reader.list("tokens", limit: Limits.stepTokens) { reader throws(WireError) in
      try reader.integer()
    }
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

extension JobFailure {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .unknownModel(let model):
      writer.integer(UInt8(1))
      writer.id(model)
    case .planDiffers(let mine, let yours):
      writer.integer(UInt8(2))
      writer.id(mine)
      writer.id(yours)
    case .notInPlan:
      writer.integer(UInt8(3))
    case .recordRefused(let peer):
      writer.integer(UInt8(4))
      writer.id(peer)
    case .noMemory(let needed, let available):
      writer.integer(UInt8(5))
      writer.integer(needed)
      writer.integer(available)
    case .missingAtoms(let count):
      writer.integer(UInt8(6))
      writer.integer(UInt32(count))
    case .damagedAtom(let blob):
      writer.integer(UInt8(7))
      writer.id(blob)
    case .staleTerm(let mine, let yours):
      writer.integer(UInt8(8))
      writer.integer(mine.value)
      writer.integer(yours.value)
    case .peerLost(let peer):
      writer.integer(UInt8(9))
      writer.id(peer)
    case .deadline(let peer, let milliseconds):
      writer.integer(UInt8(10))
      writer.id(peer)
      writer.integer(UInt32(milliseconds))
    case .protocolViolation(let peer, _):
      writer.integer(UInt8(11))
      writer.id(peer)
    case .numericRange(let layer):
      writer.integer(UInt8(12))
      writer.integer(UInt32(layer))
    case .contextFull(let limit):
      writer.integer(UInt8(13))
      writer.integer(UInt32(limit))
    case .busy(let running, let limit):
      writer.integer(UInt8(14))
      writer.integer(UInt32(running))
      writer.integer(UInt32(limit))
    case .cancelled:
      writer.integer(UInt8(15))
    }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .unknownModel(try reader.id())
    case 2: self = .planDiffers(mine: try reader.id(), yours: try reader.id())
    case 3: self = .notInPlan
    case 4: self = .recordRefused(try reader.id())
    case 5: self = .noMemory(needed: try reader.integer(), available: try reader.integer())
    case 6: self = .missingAtoms(count: Int(try reader.integer(UInt32.self)))
    case 7: self = .damagedAtom(try reader.id())
    case 8: self = .staleTerm(mine: Term(try reader.integer()), yours: Term(try reader.integer()))
    case 9: self = .peerLost(try reader.id())
    case 10:
      self = .deadline(try reader.id(), milliseconds: Int(try reader.integer(UInt32.self)))
    case 11: self = .protocolViolation(try reader.id(), .invalid(field: "reported by a rank"))
    case 12: self = .numericRange(layer: Int(try reader.integer(UInt32.self)))
    case 13: self = .contextFull(limit: Int(try reader.integer(UInt32.self)))
    case 14:
      self = .busy(
        running: Int(try reader.integer(UInt32.self)), limit: Int(try reader.integer(UInt32.self)))
    case 15: self = .cancelled
    case _: throw .unknown(field: "failure", value: UInt64(tag))
    }
  }
}
