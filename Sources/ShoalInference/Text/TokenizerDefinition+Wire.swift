// The canonical bytes of a tokenizer: what a manifest's hash is over and what peers fetch.

import ShoalProtocol

extension TokenizerDefinition {
  /// The first had two kinds of vocabulary and the names of pre-tokenizers; no model was published
  /// with it.
  private static let format: UInt8 = 2

  /// Format (1 byte), the model and its rules, normalisers, cuts, decoding steps (each a list of a
  /// tag and its fields), tokens, types, scores as bit patterns, merges, added tokens, the tokens
  /// before and after a text, then the special tokens as lists. Integers are little-endian; lists
  /// and strings are preceded by a `UInt32`.
  public var canonicalBytes: [UInt8] {
    var writer = ByteWriter(reserving: tokens.storage.count + merges.storage.count)
    writer.integer(Self.format)
    model.write(&writer)
    writer.list(normalizers) { $1.write(&$0) }
    writer.list(cuts) { $1.write(&$0) }
    writer.list(decoding) { $1.write(&$0) }
    writer.list(tokens) { $0.blob($1) }
    writer.list(types) { $0.integer($1.rawValue) }
    writer.list(scores) { $0.integer($1.bitPattern) }
    writer.list(merges) { $0.blob($1) }
    writer.list(added) { $1.write(&$0) }
    writer.list(before) { $0.integer($1) }
    writer.list(after) { $0.integer($1) }
    for token in [beginning, end, unknown] {
      writer.list(token.map { [$0] } ?? []) { $0.integer($1) }
    }
    writer.string(unknownText)
    writer.list(endOfGeneration) { $0.integer($1) }
    return writer.bytes
  }

  /// Reads and validates what `canonicalBytes` wrote. Refuses more than `Limits.tokenizerBytes`.
  public init(canonicalBytes bytes: [UInt8]) throws(TokenizerError) {
    guard bytes.count <= Limits.tokenizerBytes else {
      throw .tooMany(field: "bytes", limit: Limits.tokenizerBytes, found: bytes.count)
    }
    var reader = ByteReader(bytes)
    do {
      try self.init(&reader)
      try reader.finish()
    } catch {
      throw .wire(error)
    }
    try validate()
  }

  private init(_ reader: inout ByteReader) throws(WireError) {
    let format = try reader.integer(UInt8.self)
    guard format == Self.format else { throw .unknown(field: "format", value: UInt64(format)) }
    let model = try TokenizerModel(&reader)
    let steps = Limits.tokenizerSteps
    let normalizers = try reader.list("normalizers", limit: steps, NormalizerStep.init)
    let cuts = try reader.list("cuts", limit: steps, CutStep.init)
    let decoding = try reader.list("decoding", limit: steps, DecodingStep.init)
    let tokens = try reader.strings("tokens", limit: Limits.tokens)
    let types = try reader.list("types", limit: Limits.tokens) {
      (reader) throws(WireError) -> TokenType in try reader.choice("token type")
    }
    self.init(model: model, tokens: tokens, types: types)
    self.normalizers = normalizers
    self.cuts = cuts
    self.decoding = decoding
    scores = try reader.list("scores", limit: Limits.tokens) {
      (reader) throws(WireError) -> Double in
      Double(bitPattern: try reader.integer())
    }
    merges = try reader.strings("merges", limit: 2 * Limits.merges)
    added = try reader.list("added", limit: Limits.tokens, AddedToken.init)
    guard zip(added, added.dropFirst()).allSatisfy({ $0.token < $1.token }) else {
      throw .invalid(field: "added")
    }
    before = try reader.tokens("before", limit: steps, ascending: false)
    after = try reader.tokens("after", limit: steps, ascending: false)
    beginning = try reader.tokens("beginning", limit: 1).first
    end = try reader.tokens("end", limit: 1).first
    unknown = try reader.tokens("unknown", limit: 1).first
    unknownText = try reader.string("unknown text", limit: Limits.tokenBytes)
    endOfGeneration = try reader.tokens("end of generation", limit: Limits.tokens)
  }
}

extension ByteReader {
  fileprivate mutating func strings(
    _ field: String, limit: Int
  ) throws(WireError) -> ByteStrings {
    var strings = ByteStrings()
    for _ in 0..<(try count(field, limit: limit)) {
      strings.append(try take(count(field, limit: Limits.tokenizerBytes)))
    }
    return strings
  }

  /// Token ids. Those of a set must ascend: one set has one spelling.
  fileprivate mutating func tokens(
    _ field: String, limit: Int, ascending: Bool = true
  ) throws(WireError) -> [TokenID] {
    let tokens = try list(field, limit: limit) { (reader) throws(WireError) -> TokenID in
      try reader.integer()
    }
    guard !ascending || zip(tokens, tokens.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .invalid(field: field)
    }
    return tokens
  }
}
