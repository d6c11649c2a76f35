// What the driver of a job and its witnesses say to each other (docs/PROTOCOL.md).

public enum WitnessMessage: Hashable, Sendable {
  /// Driver to witness, first: all that is known of the job.
  case record(JobRecord)
  /// Driver to witness: what came since. With no token in it: the driver lives.
  case news(JobNews)
  /// Witness to driver: it keeps the job. Where clients reach it; nil: they do not.
  case witnessing(api: Endpoint?)

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .record(let record):
      writer.integer(UInt8(1))
      record.write(to: &writer)
    case .news(let news):
      writer.integer(UInt8(2))
      news.write(to: &writer)
    case .witnessing(let api):
      writer.integer(UInt8(3))
      writer.list(api.map { [$0] } ?? []) { writer, endpoint in
        writer.integer(UInt8(endpoint.address.count))
        writer.raw(endpoint.address)
        writer.integer(endpoint.port)
      }
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .record(try JobRecord(from: &reader))
    case 2: self = .news(try JobNews(from: &reader))
    case 3:
      let found = try reader.list("api", limit: 1) { reader throws(WireError) in
        let length = Int(try reader.integer(UInt8.self))
        let address = Array(try reader.take(length))
        guard let endpoint = Endpoint(address: address, port: try reader.integer()) else {
          throw .invalid(field: "api")
        }
        return endpoint
      }
      self = .witnessing(api: found.first)
    case _: throw .unknown(field: "witness message", value: UInt64(tag))
    }
    try reader.finish()
  }
}

extension JobNews {
  func write(to writer: inout ByteWriter) {
    writer.integer(term.value)
    writer.id(plan)
    writer.integer(UInt32(position))
    writer.list(tokens) { $0.integer($1) }
    writer.raw(digest.bytes)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    self.init(
      term: Term(try reader.integer()), plan: try reader.id(),
      position: Int(try reader.integer(UInt32.self)), tokens: try reader.tokens("tokens"),
      digest: try reader.bytes32())
  }
}

extension JobRecord {
  func write(to writer: inout ByteWriter) {
    writer.id(job)
    writer.id(model)
    writer.integer(objective.rawValue)
    for field in [order.maximumTokens, order.context, order.batch, order.candidates] {
      writer.integer(UInt32(clamping: field))
    }
    writer.flag(order.slices)
    writer.list(order.prompt) { $0.integer($1) }
    writer.blob(options)
    news(from: order.prompt.count).write(to: &writer)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let job: JobID = try reader.id()
    let model: ModelID = try reader.id()
    let code = try reader.integer(UInt8.self)
    guard let objective = PlanObjective(rawValue: code) else {
      throw .unknown(field: "objective", value: UInt64(code))
    }
    let maximum = Int(try reader.integer(UInt32.self))
    let context = try reader.bounded("context", limit: Limits.contextTokens)
    let batch = try reader.bounded("batch", limit: Limits.stepTokens)
    let candidates = Int(try reader.integer(UInt32.self))
    guard candidates <= Limits.candidates else {
      throw .tooLong(field: "candidates", limit: Limits.candidates, announced: candidates)
    }
    let slices = try reader.flag("slices")
    let prompt = try reader.tokens("prompt")
    guard !prompt.isEmpty, prompt.count <= context else {
      throw .tooLong(field: "prompt", limit: context, announced: prompt.count)
    }
    let options = try reader.blob("options", limit: Limits.jobOptionsBytes)
    self.init(
      job: job, model: model, objective: objective,
      order: GenerationOrder(
        prompt: prompt, maximumTokens: maximum, context: context, batch: batch, slices: slices,
        candidates: candidates),
      options: options)
    let log = try JobNews(from: &reader)
    try extend(log)
    // A record holds its log whole, and a digest of nothing else.
    guard news(from: prompt.count) == log else { throw .invalid(field: "log") }
  }
}

extension ByteReader {
  fileprivate mutating func tokens(_ field: String) throws(WireError) -> [UInt32] {
    try list(field, limit: Limits.contextTokens) { reader throws(WireError) in
      try reader.integer()
    }
  }

  fileprivate mutating func bounded(_ field: String, limit: Int) throws(WireError) -> Int {
    let value = Int(try integer(UInt32.self))
    guard (1...limit).contains(value) else {
      throw .tooLong(field: field, limit: limit, announced: value)
    }
    return value
  }
}
