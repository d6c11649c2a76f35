// Rules and steps as bytes: a tag, then the fields in the order of the declaration.

import ShoalProtocol

extension ByteReader {
  mutating func choice<Value: RawRepresentable<UInt8>>(
    _ field: String
  ) throws(WireError) -> Value {
    let byte = try integer(UInt8.self)
    guard let value = Value(rawValue: byte) else {
      throw .unknown(field: field, value: UInt64(byte))
    }
    return value
  }

  mutating func text(_ field: String) throws(WireError) -> String {
    try string(field, limit: Limits.tokenizerTextBytes)
  }

  mutating func small(_ field: String) throws(WireError) -> Int {
    let value = try integer(UInt32.self)
    guard value <= Int32.max else { throw .invalid(field: field) }
    return Int(value)
  }
}

extension ByteWriter {
  mutating func small(_ value: Int) { integer(UInt32(clamping: value)) }
}

extension TokenizerModel {
  func write(_ writer: inout ByteWriter) {
    switch self {
    case .pairs(let rules):
      writer.integer(UInt8(0))
      for flag in [rules.ignoresMerges, rules.spellsUnknownBytes, rules.fusesUnknown] {
        writer.flag(flag)
      }
      writer.string(rules.continuingPrefix)
      writer.string(rules.endSuffix)
    case .scoredPairs(let rules):
      writer.integer(UInt8(1))
      writer.flag(rules.fusesUnknown)
      writer.flag(rules.takesWholeWords)
    case .unigram(let rules):
      writer.integer(UInt8(2))
      writer.flag(rules.spellsUnknownBytes)
      writer.flag(rules.addsInSinglePrecision)
    case .wordPiece(let rules):
      writer.integer(UInt8(3))
      writer.string(rules.wordPrefix)
      writer.string(rules.continuingPrefix)
      writer.small(rules.longestWord)
    case .wordLevel: writer.integer(UInt8(4))
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0:
      var rules = PairRules()
      rules.ignoresMerges = try reader.flag("ignores merges")
      rules.spellsUnknownBytes = try reader.flag("spells unknown bytes")
      rules.fusesUnknown = try reader.flag("fuses unknown")
      rules.continuingPrefix = try reader.text("continuing prefix")
      rules.endSuffix = try reader.text("end suffix")
      self = .pairs(rules)
    case 1:
      var rules = ScoredPairRules()
      rules.fusesUnknown = try reader.flag("fuses unknown")
      rules.takesWholeWords = try reader.flag("takes whole words")
      self = .scoredPairs(rules)
    case 2:
      var rules = UnigramRules()
      rules.spellsUnknownBytes = try reader.flag("spells unknown bytes")
      rules.addsInSinglePrecision = try reader.flag("single precision")
      self = .unigram(rules)
    case 3:
      var rules = WordPieceRules()
      rules.wordPrefix = try reader.text("word prefix")
      rules.continuingPrefix = try reader.text("continuing prefix")
      rules.longestWord = try reader.small("longest word")
      self = .wordPiece(rules)
    case 4: self = .wordLevel
    case _: throw .unknown(field: "model", value: UInt64(tag))
    }
  }
}

extension TextPattern {
  func write(_ writer: inout ByteWriter) {
    switch self {
    case .literal(let text):
      writer.integer(UInt8(0))
      writer.string(text)
    case .expression(let text):
      writer.integer(UInt8(1))
      writer.string(text)
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let isExpression = try reader.flag("pattern")
    let text = try reader.text("pattern")
    self = isExpression ? .expression(text) : .literal(text)
  }
}

extension NormalizerStep {
  func write(_ writer: inout ByteWriter) {
    switch self {
    case .form(let form):
      writer.integer(UInt8(0))
      writer.integer(form.rawValue)
    case .lowercase: writer.integer(UInt8(1))
    case .stripAccents: writer.integer(UInt8(2))
    case .strip(let left, let right):
      writer.integer(UInt8(3))
      writer.flag(left)
      writer.flag(right)
    case .prepend(let text, let scheme):
      writer.integer(UInt8(4))
      writer.string(text)
      writer.integer(scheme.rawValue)
    case .replace(let pattern, let content):
      writer.integer(UInt8(5))
      pattern.write(&writer)
      writer.string(content)
    case .bert(let clean, let chinese, let accents, let lowercase):
      writer.integer(UInt8(6))
      for flag in [clean, chinese, accents, lowercase] { writer.flag(flag) }
    case .charsmap(let bytes, let byGrapheme):
      writer.integer(UInt8(7))
      writer.blob(bytes)
      writer.flag(byGrapheme)
    case .collapseSpaces: writer.integer(UInt8(8))
    case .nmt: writer.integer(UInt8(9))
    case .byteLevel: writer.integer(UInt8(10))
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0: self = .form(try reader.choice("form"))
    case 1: self = .lowercase
    case 2: self = .stripAccents
    case 3: self = .strip(left: try reader.flag("left"), right: try reader.flag("right"))
    case 4: self = .prepend(try reader.text("prefix"), try reader.choice("scheme"))
    case 5: self = .replace(try TextPattern(&reader), with: try reader.text("content"))
    case 6:
      self = .bert(
        clean: try reader.flag("clean"), chinese: try reader.flag("chinese"),
        accents: try reader.flag("accents"), lowercase: try reader.flag("lowercase"))
    case 7:
      self = .charsmap(
        try reader.blob("charsmap", limit: Limits.charsmapBytes),
        byGrapheme: try reader.flag("by grapheme"))
    case 8: self = .collapseSpaces
    case 9: self = .nmt
    case 10: self = .byteLevel
    case _: throw .unknown(field: "normalizer", value: UInt64(tag))
    }
  }
}

extension CutStep {
  func write(_ writer: inout ByteWriter) {
    switch self {
    case .split(let pattern, let behavior, let isInverted):
      writer.integer(UInt8(0))
      pattern.write(&writer)
      writer.integer(behavior.rawValue)
      writer.flag(isInverted)
    case .byteLevel(let addsSpace, let cuts):
      writer.integer(UInt8(1))
      writer.flag(addsSpace)
      writer.flag(cuts)
    case .metaspace(let replacement, let scheme, let splits):
      writer.integer(UInt8(2))
      writer.string(replacement)
      writer.integer(scheme.rawValue)
      writer.flag(splits)
    case .whitespace: writer.integer(UInt8(3))
    case .whitespaceSplit: writer.integer(UInt8(4))
    case .bert: writer.integer(UInt8(5))
    case .digits(let individual):
      writer.integer(UInt8(6))
      writer.flag(individual)
    case .punctuation(let behavior):
      writer.integer(UInt8(7))
      writer.integer(behavior.rawValue)
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0:
      self = .split(
        try TextPattern(&reader), try reader.choice("behavior"),
        isInverted: try reader.flag("inverted"))
    case 1: self = .byteLevel(addsSpace: try reader.flag("space"), cuts: try reader.flag("cuts"))
    case 2:
      self = .metaspace(
        replacement: try reader.text("replacement"), try reader.choice("scheme"),
        splits: try reader.flag("splits"))
    case 3: self = .whitespace
    case 4: self = .whitespaceSplit
    case 5: self = .bert
    case 6: self = .digits(individual: try reader.flag("individual"))
    case 7: self = .punctuation(try reader.choice("behavior"))
    case _: throw .unknown(field: "cut", value: UInt64(tag))
    }
  }
}

extension DecodingStep {
  func write(_ writer: inout ByteWriter) {
    switch self {
    case .byteLevel: writer.integer(UInt8(0))
    case .byteFallback: writer.integer(UInt8(1))
    case .replace(let pattern, let content):
      writer.integer(UInt8(2))
      pattern.write(&writer)
      writer.string(content)
    case .metaspace(let replacement, let scheme):
      writer.integer(UInt8(3))
      writer.string(replacement)
      writer.integer(scheme.rawValue)
    case .wordPiece(let prefix, let cleansUp):
      writer.integer(UInt8(4))
      writer.string(prefix)
      writer.flag(cleansUp)
    case .wordStart(let prefix):
      writer.integer(UInt8(5))
      writer.string(prefix)
    case .wordEnd(let suffix):
      writer.integer(UInt8(6))
      writer.string(suffix)
    case .strip(let text, let start, let end):
      writer.integer(UInt8(7))
      writer.string(text)
      writer.small(start)
      writer.small(end)
    case .fuse: writer.integer(UInt8(8))
    case .spaced: writer.integer(UInt8(9))
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0: self = .byteLevel
    case 1: self = .byteFallback
    case 2: self = .replace(try TextPattern(&reader), with: try reader.text("content"))
    case 3: self = .metaspace(replacement: try reader.text("text"), try reader.choice("scheme"))
    case 4: self = .wordPiece(prefix: try reader.text("text"), cleansUp: try reader.flag("clean"))
    case 5: self = .wordStart(prefix: try reader.text("prefix"))
    case 6: self = .wordEnd(suffix: try reader.text("suffix"))
    case 7:
      self = .strip(
        try reader.text("text"), start: try reader.small("start"), end: try reader.small("end"))
    case 8: self = .fuse
    case 9: self = .spaced
    case _: throw .unknown(field: "decoder", value: UInt64(tag))
    }
  }
}

extension AddedToken {
  func write(_ writer: inout ByteWriter) {
    writer.integer(token)
    let flags = [takesSpaceBefore, takesSpaceAfter, isWholeWord, isNormalized]
    writer.integer(flags.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 : 0) << $1.offset })
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    self.init(try reader.integer(TokenID.self))
    let flags = try reader.integer(UInt8.self)
    guard flags < 16 else { throw .unknown(field: "added token", value: UInt64(flags)) }
    takesSpaceBefore = flags & 1 != 0
    takesSpaceAfter = flags & 2 != 0
    isWholeWord = flags & 4 != 0
    isNormalized = flags & 8 != 0
  }
}
