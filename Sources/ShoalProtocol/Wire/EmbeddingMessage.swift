// One step of a job that makes vectors of texts, and what a rank answers.

/// Whole texts, each of which becomes one vector.
public struct EmbeddingStep: Hashable, Sendable {
  public let term: Term
  /// Counts the steps of a term from 0.
  public let sequence: UInt32
  public let pooling: PoolingOptions
  public let texts: [EncodedText]

  public init(term: Term, sequence: UInt32, pooling: PoolingOptions, texts: [EncodedText]) {
    self.term = term
    self.sequence = sequence
    self.pooling = pooling
    self.texts = texts
  }
}

/// What one rank makes of one text. All ranks make the same.
public struct TextVector: Hashable, Sendable {
  /// Hash of the rows of all its tokens after the last layer, as little-endian f32.
  public let hash: Bytes32
  /// (hidden)
  public let values: [Float]

  public init(hash: Bytes32, values: [Float]) {
    self.hash = hash
    self.values = values
  }
}

extension Limits {
  /// Elements of the residual in one step of texts: as many as a prompt's step of the widest model
  /// may have, so that partial sums fit their frames.
  public static let textElements = stepTokens * 16_384
  /// Texts of one step: a token each.
  public static let stepTexts = stepTokens
  /// Tokens of one step of texts, or the longest text that is read: what encoders of long texts are
  /// made for.
  public static let textTokens = 8_192
  /// Elements of a vector.
  public static let vectorElements = 1 << 17
}

extension EmbeddingStep {
  func write(to writer: inout ByteWriter) {
    writer.integer(term.value)
    writer.integer(sequence)
    writer.integer(pooling.kind.rawValue)
    writer.integer(UInt8(pooling.isNormalised ? 1 : 0))
    writer.list(texts) { writer, text in
      writer.list(text.tokens) { $0.integer($1) }
      writer.list(text.types) { $0.integer($1) }
    }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    term = Term(try reader.integer())
    sequence = try reader.integer()
    let kind = try reader.integer(UInt8.self)
    guard let kind = Pooling(rawValue: kind) else {
      throw .unknown(field: "pooling", value: UInt64(kind))
    }
    let isNormalised = try reader.integer(UInt8.self)
    guard isNormalised <= 1 else {
      throw .unknown(field: "normalised", value: UInt64(isNormalised))
    }
    pooling = PoolingOptions(kind, isNormalised: isNormalised == 1)
    texts = try reader.list("texts", limit: Limits.stepTexts) { reader throws(WireError) in
      let tokens = try reader.list("tokens", limit: Limits.textTokens) { reader throws(WireError) in
        try reader.integer(UInt32.self)
      }
      let types = try reader.list("token types", limit: tokens.count) { reader throws(WireError) in
        try reader.integer(UInt8.self)
      }
      return EncodedText(tokens, types: types)
    }
  }
}

extension TextVector {
  func write(to writer: inout ByteWriter) {
    writer.raw(hash.bytes)
    writer.list(values) { $0.integer($1.bitPattern) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    hash = try reader.bytes32()
    values = try reader.list("vector", limit: Limits.vectorElements) { reader throws(WireError) in
      Float(bitPattern: try reader.integer(UInt32.self))
    }
  }
}

extension StepCost {
  func write(to writer: inout ByteWriter) {
    for part in [compute, wait, exchange, bytesSent] { writer.integer(part) }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    self.init(
      compute: try reader.integer(), wait: try reader.integer(), exchange: try reader.integer(),
      bytesSent: try reader.integer())
  }
}
