// Reads a regular expression in the syntax of Oniguruma (its doc/RE, Ruby syntax), which is what
// `tokenizer.json` files are written for.

/// Bounds on what an expression may ask for.
enum ExpressionLimits {
  static let scalars = 16_384
  static let depth = 32
  static let repeats = 1_024
  static let instructions = 32_768
}

struct ExpressionParser {
  private let text: [UInt32]
  private var at = 0
  private var depth = 0
  private var ignoresCase = false

  static func parse(_ text: String) throws(ExpressionError) -> ExpressionNode {
    var parser = ExpressionParser(text: text.unicodeScalars.map(\.value))
    guard parser.text.count <= ExpressionLimits.scalars else {
      throw .tooLarge(field: "characters", limit: ExpressionLimits.scalars)
    }
    let node = try parser.alternation()
    guard parser.at == parser.text.count else {
      throw .unexpected(offset: parser.at, wanted: "the end")
    }
    return node
  }

  private init(text: [UInt32]) { self.text = text }

  private var next: Unicode.Scalar? { at < text.count ? Unicode.Scalar(text[at]) : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    at += 1
    return true
  }

  private mutating func take(_ word: String) -> Bool {
    let word = word.unicodeScalars.map(\.value)
    guard text[at...].starts(with: word) else { return false }
    at += word.count
    return true
  }

  private mutating func advance() throws(ExpressionError) -> Unicode.Scalar {
    guard let next else { throw .truncated }
    at += 1
    return next
  }

  private mutating func alternation() throws(ExpressionError) -> ExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ExpressionLimits.depth else {
      throw .tooLarge(field: "nested groups", limit: ExpressionLimits.depth)
    }
    let caseOutside = ignoresCase
    defer { ignoresCase = caseOutside }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func sequence() throws(ExpressionError) -> ExpressionNode {
    var parts: [ExpressionNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if take("(?i)") {
        ignoresCase = true
        continue
      }
      parts.append(try quantified(try atom()))
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  private mutating func quantified(
    _ atom: ExpressionNode
  ) throws(ExpressionError) -> ExpressionNode {
    var node = atom
    while let (least, most, isInterval) = try quantifier() {
      var mode = RepeatMode.greedy
      if take("?") {
        mode = .lazy
      } else if !isInterval, take("+") {
        // In this syntax `{n,m}+` repeats the interval instead.
        mode = .possessive
      }
      node = .repeated(node, least: least, most: most, mode)
    }
    return node
  }

  private mutating func quantifier() throws(ExpressionError) -> (Int, Int?, Bool)? {
    if take("*") { return (0, nil, false) }
    if take("+") { return (1, nil, false) }
    if take("?") { return (0, 1, false) }
    let start = at
    guard take("{") else { return nil }
    let least = try number()
    let hasComma = take(",")
    let most = hasComma ? try number() : least
    // A brace that opens no interval is a brace.
    guard take("}"), least != nil || most != nil else {
      at = start
      return nil
    }
    guard least ?? 0 <= most ?? .max else { throw .unexpected(offset: at, wanted: "an interval") }
    return (least ?? 0, most, true)
  }

  private mutating func number() throws(ExpressionError) -> Int? {
    var value: Int?
    while let digit = next, ("0"..."9").contains(digit) {
      at += 1
      let number = (value ?? 0) * 10 + Int(digit.value - 0x30)
      guard number <= ExpressionLimits.repeats else {
        throw .tooLarge(field: "repetitions", limit: ExpressionLimits.repeats)
      }
      value = number
    }
    return value
  }

  private mutating func atom() throws(ExpressionError) -> ExpressionNode {
    let offset = at
    let scalar = try advance()
    switch scalar {
    case "(": return try group()
    case "[": return .set(try bracket(offset))
    case ".":
      var set = ScalarSet(0x0a)
      set.isNegated = true
      return .set(set)
    case "^": return .anchor(.lineStart)
    case "$": return .anchor(.lineEnd)
    case "\\":
      if let anchor = anchor() { return .anchor(anchor) }
      return .set(try escape())
    case "*", "+", "?": throw .unexpected(offset: offset, wanted: "something to repeat")
    case _: return .set(try literal(scalar.value))
    }
  }

  private func literal(_ scalar: UInt32) throws(ExpressionError) -> ScalarSet {
    var set = ScalarSet(scalar)
    if ignoresCase { try set.ignoreCase() }
    return set
  }

  private mutating func group() throws(ExpressionError) -> ExpressionNode {
    let heads: [(String, (ExpressionNode) -> ExpressionNode)] = [
      ("?:", { $0 }), ("?>", { .atomic($0) }),
      ("?=", { .look($0, ahead: true, wanted: true) }),
      ("?!", { .look($0, ahead: true, wanted: false) }),
      ("?<=", { .look($0, ahead: false, wanted: true) }),
      ("?<!", { .look($0, ahead: false, wanted: false) }),
    ]
    let caseOutside = ignoresCase
    defer { ignoresCase = caseOutside }
    var wrap: (ExpressionNode) -> ExpressionNode = { $0 }
    if take("?i:") {
      ignoresCase = true
    } else if let head = heads.first(where: { text[at...].starts(with: Self.scalars($0.0)) }) {
      _ = take(head.0)
      wrap = head.1
    } else if take("?<") {
      while try advance() != ">" {}
    } else if next == "?" {
      let construct = text[(at - 1)...].prefix(4).compactMap(Unicode.Scalar.init)
      throw .unsupported(String(String.UnicodeScalarView(construct)))
    }
    let inner = try alternation()
    guard take(")") else { throw .unexpected(offset: at, wanted: "a closing parenthesis") }
    return wrap(inner)
  }

  private static func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

  private mutating func anchor() -> ExpressionAnchor? {
    let anchors: [(Unicode.Scalar, ExpressionAnchor)] = [
      ("b", .wordBoundary), ("B", .noWordBoundary), ("A", .textStart), ("z", .textEnd),
      ("Z", .textEndOrLastLine),
    ]
    for (scalar, anchor) in anchors where take(scalar) { return anchor }
    return nil
  }
}

extension ExpressionParser {
  /// What follows a backslash, as a set.
  private mutating func escape() throws(ExpressionError) -> ScalarSet {
    let scalar = try advance()
    switch scalar {
    case "s": return ScalarSet(kinds: .whitespace)
    case "S": return ScalarSet(kinds: .whitespace, isNegated: true)
    case "d": return ScalarSet(kinds: .decimalNumber)
    case "D": return ScalarSet(kinds: .decimalNumber, isNegated: true)
    case "w": return ScalarSet(class: .word)
    case "W": return ScalarSet(class: .word, isNegated: true)
    case "p", "P": return try property(isNegated: scalar == "P")
    case "n": return ScalarSet(0x0a)
    case "r": return ScalarSet(0x0d)
    case "t": return ScalarSet(0x09)
    case "f": return ScalarSet(0x0c)
    case "v": return ScalarSet(0x0b)
    case "a": return ScalarSet(0x07)
    case "e": return ScalarSet(0x1b)
    case "x": return ScalarSet(try hexadecimal(digits: 2))
    case "u": return ScalarSet(try hexadecimal(digits: 4))
    case "0": return ScalarSet(0)
    case "1"..."9": throw .unsupported("a reference to a group")
    case "a"..."z", "A"..."Z": throw .unsupported("\\\(scalar)")
    case _: return try literal(scalar.value)
    }
  }

  /// `{NAME}` or `{^NAME}`.
  private mutating func property(isNegated: Bool) throws(ExpressionError) -> ScalarSet {
    guard take("{") else { throw .unexpected(offset: at, wanted: "the name of a property") }
    let isNegated = take("^") != isNegated
    var name = ""
    while true {
      let scalar = try advance()
      if scalar == "}" { break }
      name.unicodeScalars.append(scalar)
    }
    guard let kinds = ScalarKind.named[name] else { throw .unsupported("\\p{\(name)}") }
    return ScalarSet(kinds: kinds, isNegated: isNegated)
  }

  /// That many digits, or as many as a pair of braces holds.
  private mutating func hexadecimal(digits: Int) throws(ExpressionError) -> UInt32 {
    let isBraced = take("{")
    var value: UInt32 = 0
    for _ in 0..<(isBraced ? 8 : digits) {
      guard let scalar = next, let digit = Int(String(scalar), radix: 16), value < 1 << 24 else {
        break
      }
      at += 1
      value = value << 4 | UInt32(digit)
    }
    guard !isBraced || take("}"), Unicode.Scalar(value) != nil else {
      throw .unexpected(offset: at, wanted: "a character's number")
    }
    return value
  }

  /// What is between brackets, after the opening one.
  private mutating func bracket(_ start: Int) throws(ExpressionError) -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ExpressionLimits.depth else {
      throw .tooLarge(field: "nested sets", limit: ExpressionLimits.depth)
    }
    var set = ScalarSet()
    let isNegated = take("^")
    var isFirst = true
    while isFirst || next != "]" {
      let offset = at
      let scalar = try advance()
      isFirst = false
      if scalar == "[" {
        guard next != ":" else { throw .unsupported("a POSIX bracket") }
        set.nested.append(try bracket(offset))
      } else if scalar == "&", next == "&" {
        throw .unsupported("an intersection of sets")
      } else {
        try member(scalar, offset, of: &set)
      }
    }
    at += 1
    if ignoresCase { try set.ignoreCase() }
    set.isNegated = isNegated
    return set
  }

  /// A character, a class, or a range.
  private mutating func member(
    _ scalar: Unicode.Scalar, _ offset: Int, of set: inout ScalarSet
  ) throws(ExpressionError) {
    var first = ScalarSet(scalar.value)
    if scalar == "\\" { first = take("b") ? ScalarSet(0x08) : try escape() }
    guard let low = first.ranges.first, next == "-", at + 1 < text.count,
      text[at + 1] != UInt32(UInt8(ascii: "]"))
    else {
      set.kinds.formUnion(first.kinds)
      set.complements += first.complements
      set.ranges += first.ranges
      set.nested += first.nested
      return
    }
    at += 1
    let end = try advance()
    let last = end == "\\" ? try escape() : ScalarSet(end.value)
    guard let high = last.ranges.first, low.lowerBound <= high.upperBound else {
      throw .unexpected(offset: offset, wanted: "a range of characters")
    }
    set.ranges.append(low.lowerBound...high.upperBound)
  }
}
