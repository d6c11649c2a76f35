// One forward pass of a lane: rows of several sequences, as the entry sends them to all ranks.

/// Consecutive tokens of one sequence in a step.
public struct StepSpan: Hashable, Sendable {
  /// Names the sequence among those of its lane.
  public let slot: Int
  /// Of the first token. A span at 0 begins a sequence.
  public let position: Int
  /// The slot of a sequence that begins with the same tokens: a span that has one begins a sequence
  /// as well, with what that one remembers of the positions before this span's.
  public let source: Int?
  /// Tokens.
  public let count: Int
  /// Positions that the sequence may come to, prompt included.
  public let context: Int
  public let logits: LogitsWanted
  /// Whole slices of logits are to be returned, not only candidates.
  public let slices: Bool
  /// How many candidates each vocabulary atom returns, at most.
  public let candidates: Int

  public init(
    slot: Int, position: Int, source: Int? = nil, count: Int, context: Int,
    logits: LogitsWanted, slices: Bool, candidates: Int
  ) {
    self.slot = slot
    self.position = position
    self.source = source
    self.count = count
    self.context = context
    self.logits = logits
    self.slices = slices
    self.candidates = candidates
  }

  /// Whether the slot has no sequence before this span.
  public var begins: Bool { position == 0 || source != nil }

  /// On the wire: no source.
  fileprivate static let noSource = UInt16.max

  /// Positions that every vocabulary atom is to vote for.
  public var votedRows: Int {
    switch logits {
    case .none: 0
    case .last: 1
    case .all: count
    }
  }
}

/// One forward pass over some sequences. Its fields change only when a rank reads the next step
/// into the memory of the last.
public struct BatchStep: Hashable, Sendable {
  public internal(set) var term: Term
  /// Counts the steps of a term from 0.
  public internal(set) var sequence: UInt32
  /// Slots whose sequences have ended, ascending; they are free for spans of this step.
  public internal(set) var closed: [Int]
  /// In ascending order of slots.
  public internal(set) var spans: [StepSpan]
  /// Of all spans, one after the other.
  public internal(set) var tokens: [UInt32]

  public init(
    term: Term, sequence: UInt32, closed: [Int] = [], spans: [StepSpan], tokens: [UInt32]
  ) {
    self.term = term
    self.sequence = sequence
    self.closed = closed
    self.spans = spans
    self.tokens = tokens
  }
}

// MARK: Bytes (docs/PROTOCOL.md)

extension BatchStep {
  func write(to writer: inout ByteWriter) {
    writer.integer(term.value)
    writer.integer(sequence)
    writer.list(closed) { $0.integer(UInt16($1)) }
    writer.list(spans) { writer, span in
      writer.integer(UInt16(span.slot))
      writer.integer(UInt32(span.position))
      writer.integer(span.source.map { UInt16($0) } ?? StepSpan.noSource)
      writer.integer(UInt32(span.count))
      writer.integer(UInt32(span.context))
      writer.integer(span.logits.rawValue)
      writer.flag(span.slices)
      writer.integer(UInt16(span.candidates))
    }
    writer.list(tokens) { $0.integer($1) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    self.init()
    try read(from: &reader)
  }

  /// A step that nobody sent, to be read into.
  public init() { self.init(term: Term(0), sequence: 0, spans: [], tokens: []) }

  /// Reads the step that a job message holds into the memory of this one. False, and nothing read,
  /// where it is another message.
  public mutating func read(message bytes: [UInt8]) throws(WireError) -> Bool {
    guard bytes.first == JobMessage.stepTag else { return false }
    var reader = ByteReader(bytes[1...])
    try read(from: &reader)
    try reader.finish()
    return true
  }

  private mutating func read(from reader: inout ByteReader) throws(WireError) {
    term = Term(try reader.integer())
    sequence = try reader.integer()
    closed.removeAll(keepingCapacity: true)
    for _ in 0..<(try reader.count("closed slots", limit: Limits.laneSlots)) {
      closed.append(Int(try reader.integer(UInt16.self)))
    }
    spans.removeAll(keepingCapacity: true)
    for _ in 0..<(try reader.count("spans", limit: Limits.laneSlots)) {
      spans.append(try StepSpan(from: &reader))
    }
    tokens.removeAll(keepingCapacity: true)
    for _ in 0..<(try reader.count("tokens", limit: Limits.stepTokens)) {
      tokens.append(try reader.integer())
    }
    guard spans.reduce(0, { $0 + $1.count }) == tokens.count else {
      throw .invalid(field: "tokens of spans")
    }
  }
}

extension StepSpan {
  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    slot = Int(try reader.integer(UInt16.self))
    position = Int(try reader.integer(UInt32.self))
    let source = try reader.integer(UInt16.self)
    self.source = source == Self.noSource ? nil : Int(source)
    count = Int(try reader.integer(UInt32.self))
    context = Int(try reader.integer(UInt32.self))
    let wanted = try reader.integer(UInt8.self)
    guard let wanted = LogitsWanted(rawValue: wanted) else {
      throw .unknown(field: "logits wanted", value: UInt64(wanted))
    }
    logits = wanted
    slices = try reader.flag("slices")
    candidates = Int(try reader.integer(UInt16.self))
  }
}
