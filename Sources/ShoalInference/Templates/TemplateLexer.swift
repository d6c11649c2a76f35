// A template's text as tokens. Whitespace is controlled as the Hugging Face hub's templates expect
// (Jinja's `trim_blocks` and `lstrip_blocks`): a line break after a block goes, and so does the
// space between a line's beginning and a block.

enum TemplateToken: Sendable, Hashable {
  /// Text outside of tags.
  case text(String)
  case outputBegin, outputEnd
  case blockBegin, blockEnd
  case name(String)
  case string(String)
  case integer(Int)
  case double(Double)
  case symbol(String)
  case end
}

struct PlacedToken: Sendable {
  let token: TemplateToken
  let line: Int
}

struct TemplateLexer {
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var line = 1
  private var tokens: [PlacedToken] = []
  /// The tag before the text that comes next: whether it ends with `-`, and whether it is one that
  /// swallows a line break.
  private var stripsNext = false
  private var swallowsBreak = false
  /// Whether the tag at hand ends with `+`, which keeps that line break.
  private var keepsBreak = false

  private enum Tag { case output, block, comment }

  static func tokens(_ source: String) throws(TemplateError) -> [PlacedToken] {
    // Every line break is one character, and one at the end is not part of a template (Jinja,
    // `newline_sequence`, `keep_trailing_newline`).
    var scalars: [Unicode.Scalar] = []
    var previous: Unicode.Scalar = " "
    for scalar in source.unicodeScalars {
      if scalar != "\n" || previous != "\r" { scalars.append(scalar == "\r" ? "\n" : scalar) }
      previous = scalar
    }
    if scalars.last == "\n" { scalars.removeLast() }
    var lexer = TemplateLexer(scalars: scalars)
    try lexer.run()
    return lexer.tokens
  }

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  private func starts(with text: String, at place: Int) -> Bool {
    var place = place
    for scalar in text.unicodeScalars {
      guard place < scalars.count, scalars[place] == scalar else { return false }
      place += 1
    }
    return true
  }

  private mutating func run() throws(TemplateError) {
    while index < scalars.count {
      let start = index
      while index < scalars.count, tag(at: index) == nil { index += 1 }
      let kind = index < scalars.count ? tag(at: index) : nil
      text(start..<index, before: kind)
      guard let kind else { break }
      try take(kind)
    }
    add(.end)
  }

  private func tag(at place: Int) -> Tag? {
    guard scalars[place] == "{", place + 1 < scalars.count else { return nil }
    switch scalars[place + 1] {
    case "{": return .output
    case "%": return .block
    case "#": return .comment
    case _: return nil
    }
  }

  private mutating func text(_ range: Range<Int>, before tag: Tag?) {
    var (start, end) = (range.lowerBound, range.upperBound)
    if stripsNext {
      while start < end, scalars[start].properties.isWhitespace { start += 1 }
    } else if swallowsBreak, start < end, scalars[start] == "\n" {
      start += 1
    }
    if let tag {
      let sign = end + 2 < scalars.count ? scalars[end + 2] : " "
      if sign == "-" {
        while end > start, scalars[end - 1].properties.isWhitespace { end -= 1 }
      } else if tag != .output, sign != "+" {
        end = withoutIndent(start..<end, isLineStart: start == 0 || swallowsBreak)
      }
    }
    if start < end {
      add(.text(String(String.UnicodeScalarView(scalars[start..<end]))))
    }
    line += scalars[range].count { $0 == "\n" }
  }

  /// The end of `range` without the blanks that lead from a line's beginning to a block.
  private func withoutIndent(_ range: Range<Int>, isLineStart: Bool) -> Int {
    var end = range.upperBound
    while end > range.lowerBound, scalars[end - 1] == " " || scalars[end - 1] == "\t" { end -= 1 }
    let isBreak = end > 0 && scalars[end - 1] == "\n"
    if isBreak || (end == range.lowerBound && isLineStart && end == 0) { return end }
    return range.upperBound
  }

  private mutating func take(_ tag: Tag) throws(TemplateError) {
    let start = line
    index += 2
    if index < scalars.count, scalars[index] == "-" || scalars[index] == "+" { index += 1 }
    switch tag {
    case .comment:
      while index < scalars.count, !starts(with: "#}", at: index) { step() }
      guard index < scalars.count else {
        throw .syntax(line: start, reason: "a comment that does not end")
      }
      stripsNext = scalars[index - 1] == "-"
      swallowsBreak = scalars[index - 1] != "+"
      index += 2
    case .output:
      add(.outputBegin)
      try inside(until: "}}", from: start)
      add(.outputEnd)
      swallowsBreak = false
    case .block:
      add(.blockBegin)
      let first = tokens.count
      try inside(until: "%}", from: start)
      add(.blockEnd)
      swallowsBreak = !keepsBreak
      if tokens.count == first + 2, tokens[first].token == .name("raw") { try raw(from: start) }
    }
  }

  /// Everything up to `{% endraw %}` is text.
  private mutating func raw(from start: Int) throws(TemplateError) {
    tokens.removeLast(3)
    let begin = index
    while index < scalars.count {
      if starts(with: "{%", at: index), let (after, strips) = endRaw(at: index) {
        add(.text(String(String.UnicodeScalarView(scalars[begin..<index]))))
        line += scalars[begin..<after].count { $0 == "\n" }
        index = after
        stripsNext = strips
        return
      }
      index += 1
    }
    throw .syntax(line: start, reason: "a raw block that does not end")
  }

  private func endRaw(at place: Int) -> (Int, Bool)? {
    var place = place + 2
    let skip = { (place: inout Int) in
      while place < scalars.count, scalars[place].properties.isWhitespace || scalars[place] == "-" {
        place += 1
      }
    }
    skip(&place)
    guard starts(with: "endraw", at: place) else { return nil }
    place += 6
    skip(&place)
    guard starts(with: "%}", at: place) else { return nil }
    return (place + 2, scalars[place - 1] == "-")
  }

  private mutating func step() {
    if scalars[index] == "\n" { line += 1 }
    index += 1
  }

  // MARK: Inside a tag

  private mutating func inside(until close: String, from start: Int) throws(TemplateError) {
    var depth = 0
    while index < scalars.count {
      let scalar = scalars[index]
      if depth == 0, starts(with: "-" + close, at: index) || starts(with: "+" + close, at: index) {
        stripsNext = scalar == "-"
        keepsBreak = scalar == "+"
        index += 3
        return
      }
      if depth == 0, starts(with: close, at: index) {
        stripsNext = false
        keepsBreak = false
        index += 2
        return
      }
      if scalar.properties.isWhitespace {
        step()
      } else if scalar == "\"" || scalar == "'" {
        try string(quote: scalar)
      } else if scalar.isDigit {
        try number()
      } else if scalar.isNameStart {
        let begin = index
        while index < scalars.count, scalars[index].isNameStart || scalars[index].isDigit {
          index += 1
        }
        add(.name(String(String.UnicodeScalarView(scalars[begin..<index]))))
      } else {
        try symbol(&depth)
      }
    }
    throw .syntax(line: start, reason: "a tag that does not end with \(close)")
  }

  private static let symbols = [
    "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{", "}",
    "<", ">", "=", ".", ",", ":", "|", ";",
  ]

  private mutating func symbol(_ depth: inout Int) throws(TemplateError) {
    guard let symbol = Self.symbols.first(where: { starts(with: $0, at: index) }) else {
      throw .syntax(line: line, reason: "unexpected \(scalars[index])")
    }
    if symbol == "(" || symbol == "[" || symbol == "{" { depth += 1 }
    if symbol == ")" || symbol == "]" || symbol == "}" { depth -= 1 }
    add(.symbol(symbol))
    index += symbol.unicodeScalars.count
  }

  private mutating func string(quote: Unicode.Scalar) throws(TemplateError) {
    let start = line
    index += 1
    var text = String.UnicodeScalarView()
    while index < scalars.count, scalars[index] != quote {
      if scalars[index] == "\\", index + 1 < scalars.count {
        index += 1
        text.append(contentsOf: try escape())
      } else {
        text.append(scalars[index])
        step()
      }
    }
    guard index < scalars.count else {
      throw .syntax(line: start, reason: "a string that does not end")
    }
    index += 1
    add(.string(String(text)))
  }

  /// What follows a backslash, as Python's string literals have it.
  private mutating func escape() throws(TemplateError) -> [Unicode.Scalar] {
    let scalar = scalars[index]
    step()
    switch scalar {
    case "n": return ["\n"]
    case "t": return ["\t"]
    case "r": return ["\r"]
    case "0": return ["\0"]
    case "\\", "'", "\"": return [scalar]
    case "\n": return []
    case "x": return [try hexadecimal(2)]
    case "u": return [try hexadecimal(4)]
    case "U": return [try hexadecimal(8)]
    case _: return ["\\", scalar]
    }
  }

  private mutating func hexadecimal(_ digits: Int) throws(TemplateError) -> Unicode.Scalar {
    let end = min(index + digits, scalars.count)
    let text = String(String.UnicodeScalarView(scalars[index..<end]))
    guard text.unicodeScalars.count == digits, let value = UInt32(text, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw .syntax(line: line, reason: "\\\(text) names no character") }
    index = end
    return scalar
  }

  private mutating func number() throws(TemplateError) {
    let start = index
    while index < scalars.count, scalars[index].isDigit { index += 1 }
    var isWhole = true
    if index + 1 < scalars.count, scalars[index] == ".", scalars[index + 1].isDigit {
      isWhole = false
      index += 1
      while index < scalars.count, scalars[index].isDigit { index += 1 }
    }
    if index < scalars.count, scalars[index] == "e" || scalars[index] == "E" {
      isWhole = false
      index += 1
      if index < scalars.count, scalars[index] == "-" || scalars[index] == "+" { index += 1 }
      while index < scalars.count, scalars[index].isDigit { index += 1 }
    }
    let text = String(String.UnicodeScalarView(scalars[start..<index]))
    if isWhole, let value = Int(text) {
      add(.integer(value))
    } else if !isWhole, let value = Double(text) {
      add(.double(value))
    } else {
      throw .syntax(line: line, reason: "\(text) is no number that fits")
    }
  }

  private mutating func add(_ token: TemplateToken) {
    tokens.append(PlacedToken(token: token, line: line))
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
  fileprivate var isNameStart: Bool {
    ("a"..."z").contains(self) || ("A"..."Z").contains(self) || self == "_"
  }
}
