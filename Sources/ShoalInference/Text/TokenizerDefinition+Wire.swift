// The canonical bytes of a tokenizer: what a manifest's hash is over and what peers fetch.

import ShoalProtocol

extension TokenizerDefinition {
  private static let format: UInt8 = 1

  /// Format (1 byte), kind (1), flags (1: beginning, end, space prefix, ignores merges from bit 0),
  /// the pre-tokenizer's name, tokens, types, scores as bit patterns, merges, then the special
  /// tokens as lists. Integers are little-endian; lists and strings are preceded by a `UInt32`.
  public var canonicalBytes: [UInt8] {
    var writer = ByteWriter(reserving: tokens.storage.count + merges.storage.count)
    writer.integer(Self.format)
    writer.integer(kind.rawValue)
    let flags = [addsBeginning, addsEnd, addsSpacePrefix, ignoresMerges]
    writer.integer(flags.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 : 0) << $1.offset })
    writer.string(preTokenizer?.rawValue ?? "")
    writer.list(tokens) { $0.blob($1) }
    writer.list(types) { $0.integer($1.rawValue) }
    writer.list(scores) { $0.integer($1.bitPattern) }
    writer.list(merges) { $0.blob($1) }
    for token in [beginning, end, unknown] {
      writer.list(token.map { [$0] } ?? []) { $0.integer($1) }
    }
    writer.list(endOfGeneration) { $0.integer($1) }
    writer.list(swallowingSpace) { $0.integer($1) }
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
    let kindNumber = try reader.integer(UInt8.self)
    guard let kind = Kind(rawValue: kindNumber) else {
      throw .unknown(field: "kind", value: UInt64(kindNumber))
    }
    let flags = try reader.integer(UInt8.self)
    guard flags < 16 else { throw .unknown(field: "flags", value: UInt64(flags)) }
    let name = try reader.string("pre-tokenizer", limit: 64)
    let preTokenizer = PreTokenizer(rawValue: name)
    guard name.isEmpty || preTokenizer != nil else { throw .invalid(field: "pre-tokenizer") }
    let tokens = try reader.strings("tokens", limit: Limits.tokens)
    let types = try reader.list("types", limit: Limits.tokens) {
      (reader) throws(WireError) -> TokenType in
      let number = try reader.integer(UInt8.self)
      guard let type = TokenType(rawValue: number) else {
        throw .unknown(field: "token type", value: UInt64(number))
      }
      return type
    }
    let scores = try reader.list("scores", limit: Limits.tokens) {
      (reader) throws(WireError) -> Float in
      Float(bitPattern: try reader.integer())
    }
    self.init(
      kind: kind, preTokenizer: preTokenizer, tokens: tokens, types: types, scores: scores,
      merges: try reader.strings("merges", limit: Limits.merges))
    beginning = try reader.tokens("beginning", limit: 1).first
    end = try reader.tokens("end", limit: 1).first
    unknown = try reader.tokens("unknown", limit: 1).first
    endOfGeneration = try reader.tokens("end of generation", limit: Limits.tokens)
    swallowingSpace = try reader.tokens("swallowing space", limit: Limits.tokens)
    addsBeginning = flags & 1 != 0
    addsEnd = flags & 2 != 0
    addsSpacePrefix = flags & 4 != 0
    ignoresMerges = flags & 8 != 0
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

  /// Token ids, which must ascend: one set has one spelling.
  fileprivate mutating func tokens(
    _ field: String, limit: Int
  ) throws(WireError) -> [TokenID] {
    let tokens = try list(field, limit: limit) { (reader) throws(WireError) -> TokenID in
      try reader.integer()
    }
    guard zip(tokens, tokens.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .invalid(field: field)
    }
    return tokens
  }
}
