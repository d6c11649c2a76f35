// Reads `tokenizer.model`, a SentencePiece model: a protocol buffer of pieces and of how its
// trainer and normaliser were set (SentencePiece, `sentencepiece_model.proto`).

import ShoalProtocol

extension TokenizerDefinition {
  /// Reads the file and makes its defaults explicit. What surrounds a text is left empty: the file
  /// does not say.
  public init(sentencePiece bytes: [UInt8]) throws(TokenizerError) {
    let file = try SentencePieceFile(bytes)
    let model: TokenizerModel
    switch file.modelType {
    case 1:
      var rules = UnigramRules()
      rules.spellsUnknownBytes = file.spellsBytes
      rules.addsInSinglePrecision = true
      model = .unigram(rules)
    case 2:
      var rules = ScoredPairRules()
      rules.fusesUnknown = true
      model = .scoredPairs(rules)
    case _:
      throw .unknownModel("SentencePiece type \(file.modelType)", known: ["1 unigram", "2 BPE"])
    }
    self.init(model: model, tokens: file.tokens, types: file.types)
    scores = file.scores
    let known = { (id: Int) in
      file.tokens.indices.contains(id) ? TokenID(id) : nil
    }
    (unknown, beginning, end) = (known(file.unknown), known(file.beginning), known(file.end))
    unknownText = file.unknownText
    if !file.charsmap.isEmpty { normalizers.append(.charsmap(file.charsmap, byGrapheme: false)) }
    if file.collapsesSpaces { normalizers.append(.collapseSpaces) }
    if file.addsPrefix { normalizers.append(.prepend(" ", .first)) }
    if file.escapesSpaces { normalizers.append(.replace(.literal(" "), with: "▁")) }
    decoding = [.replace(.literal("▁"), with: " "), .byteFallback, .fuse]
    if file.addsPrefix { decoding.append(.strip(" ", start: 1, end: 0)) }
    added = types.indices.compactMap { index in
      var token = AddedToken(TokenID(index))
      // What its author defined is found after normalisation: the space before a text stays.
      token.isNormalized = types[index] == .userDefined
      return types[index] == .userDefined || types[index] == .control ? token : nil
    }
    settleEnds([], among: Set(added.map(\.token)))
    try validate()
  }
}

/// The fields that matter, with the defaults of the format.
private struct SentencePieceFile {
  private(set) var tokens = ByteStrings()
  private(set) var types: [TokenizerDefinition.TokenType] = []
  private(set) var scores: [Double] = []
  private(set) var modelType = 1
  private(set) var spellsBytes = false
  private(set) var unknown = 0
  private(set) var beginning = 1
  private(set) var end = 2
  private(set) var unknownText = " \u{2047} "
  private(set) var charsmap: [UInt8] = []
  private(set) var addsPrefix = true
  private(set) var collapsesSpaces = true
  private(set) var escapesSpaces = true

  init(_ bytes: [UInt8]) throws(TokenizerError) {
    var reader = ProtocolBufferReader(bytes[...])
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let message)): try readPiece(message)
      case (2, .bytes(let message)): try readTrainer(message)
      case (3, .bytes(let message)): try readNormalizer(message)
      case _: break
      }
    }
    guard tokens.count > 0 else { throw .sentencePiece(offset: 0, reason: "no pieces") }
  }

  private mutating func readPiece(_ message: ArraySlice<UInt8>) throws(TokenizerError) {
    guard tokens.count < Limits.tokens else {
      throw .tooMany(field: "tokens", limit: Limits.tokens, found: tokens.count + 1)
    }
    var (text, score, type) = (ArraySlice<UInt8>(), Float(0), 1)
    var reader = ProtocolBufferReader(message)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let bytes)): text = bytes
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .integer(let number)): type = Int(truncatingIfNeeded: number)
      case _: break
      }
    }
    guard let known = UInt8(exactly: type).flatMap(TokenizerDefinition.TokenType.init) else {
      throw .unknownTokenType(token: TokenID(tokens.count), type: type)
    }
    tokens.append(text)
    types.append(known)
    scores.append(Double(score))
  }

  private mutating func readTrainer(_ message: ArraySlice<UInt8>) throws(TokenizerError) {
    var reader = ProtocolBufferReader(message)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (3, .integer(let number)): modelType = Int(truncatingIfNeeded: number)
      case (24, .integer(1)):
        throw .unknownPart(path: "tokenizer.model", name: "white space as suffix")
      case (35, .integer(let number)): spellsBytes = number != 0
      case (40, .integer(let number)): unknown = Int(Int32(truncatingIfNeeded: number))
      case (41, .integer(let number)): beginning = Int(Int32(truncatingIfNeeded: number))
      case (42, .integer(let number)): end = Int(Int32(truncatingIfNeeded: number))
      case (44, .bytes(let bytes)): unknownText = String(decoding: bytes, as: UTF8.self)
      case _: break
      }
    }
  }

  private mutating func readNormalizer(_ message: ArraySlice<UInt8>) throws(TokenizerError) {
    var reader = ProtocolBufferReader(message)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (2, .bytes(let bytes)): charsmap = Array(bytes)
      case (3, .integer(let number)): addsPrefix = number != 0
      case (4, .integer(let number)): collapsesSpaces = number != 0
      case (5, .integer(let number)): escapesSpaces = number != 0
      case _: break
      }
    }
  }
}

/// Walks over the fields of one message (Protocol Buffers, "Encoding").
struct ProtocolBufferReader {
  enum Value {
    case integer(UInt64)
    case fixed64(UInt64)
    case bytes(ArraySlice<UInt8>)
    case fixed32(UInt32)
  }

  struct Field {
    let number: UInt64
    let value: Value
  }

  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// The next field; nil at the end of the message.
  mutating func next() throws(TokenizerError) -> Field? {
    guard position < bytes.endIndex else { return nil }
    let start = position
    let key = try integer()
    let value: Value
    switch key & 7 {
    case 0: value = .integer(try integer())
    case 1: value = .fixed64(try fixed(8))
    case 2:
      let length = try integer()
      guard length <= UInt64(bytes.endIndex - position) else { throw truncated }
      defer { position += Int(length) }
      value = .bytes(bytes[position..<position + Int(length)])
    case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
    case let kind: throw .sentencePiece(offset: start, reason: "wire type \(kind)")
    }
    return Field(number: key >> 3, value: value)
  }

  private var truncated: TokenizerError {
    .sentencePiece(offset: position, reason: "the file ends within a field")
  }

  /// Seven bits in a byte, the lowest first.
  private mutating func integer() throws(TokenizerError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < bytes.endIndex else { throw truncated }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw .sentencePiece(offset: position, reason: "a number of more than ten bytes")
  }

  private mutating func fixed(_ count: Int) throws(TokenizerError) -> UInt64 {
    guard bytes.endIndex - position >= count else { throw truncated }
    defer { position += count }
    return bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
