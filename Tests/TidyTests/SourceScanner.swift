// Tells code from comments and strings, well enough to count braces and find words.

/// Blanks what is not code. Line ends stay, so that line numbers do.
struct SourceScanner {
  /// Where strings end: `"` or `"""`, and how many `#` follow.
  private struct Quote {
    let isMultiline: Bool
    let hashes: Int
  }

  private let text: [UInt8]
  private var position = 0
  private var output: [UInt8] = []

  static func blanked(_ text: String) -> String {
    var scanner = SourceScanner(text: Array(text.utf8))
    scanner.code(untilParenthesis: false)
    return String(decoding: scanner.output, as: UTF8.self)
  }

  private init(text: [UInt8]) {
    self.text = text
    output.reserveCapacity(text.count)
  }

  /// Copies code. An interpolation is code up to the parenthesis that closes it.
  private mutating func code(untilParenthesis: Bool) {
    var depth = 0
    while position < text.count {
      if sees("//") {
        while position < text.count, text[position] != UInt8(ascii: "\n") { blank() }
      } else if sees("/*") {
        blockComment()
      } else if let quote = openingQuote() {
        string(quote)
      } else {
        if text[position] == UInt8(ascii: "(") { depth += 1 }
        if text[position] == UInt8(ascii: ")") {
          depth -= 1
          if untilParenthesis, depth < 0 { return blank() }
        }
        output.append(text[position])
        position += 1
      }
    }
  }

  /// Swift's block comments nest.
  private mutating func blockComment() {
    var depth = 0
    while position < text.count {
      if sees("/*") {
        depth += 1
        blank()
      } else if sees("*/") {
        depth -= 1
        blank()
      }
      blank()
      if depth == 0 { return }
    }
  }

  private mutating func openingQuote() -> Quote? {
    var end = position
    while end < text.count, text[end] == UInt8(ascii: "#") { end += 1 }
    guard end < text.count, text[end] == UInt8(ascii: "\"") else { return nil }
    let isMultiline = text[end...].starts(with: "\"\"\"".utf8)
    let quote = Quote(isMultiline: isMultiline, hashes: end - position)
    for _ in 0..<quote.hashes + (isMultiline ? 3 : 1) { blank() }
    return quote
  }

  private mutating func string(_ quote: Quote) {
    let hashes = String(repeating: "#", count: quote.hashes)
    let end = (quote.isMultiline ? "\"\"\"" : "\"") + hashes
    let escape = "\\" + hashes
    while position < text.count {
      if sees(end) { return blank(end.utf8.count) }
      // A string on one line cannot go on: this was no string, as a quote in C's 'x'.
      if !quote.isMultiline, text[position] == UInt8(ascii: "\n") { return }
      if sees(escape + "(") {
        blank(escape.utf8.count + 1)
        code(untilParenthesis: true)
      } else if sees(escape) {
        blank(min(escape.utf8.count + 1, text.count - position))
      } else {
        blank()
      }
    }
  }

  private func sees(_ part: String) -> Bool { text[position...].starts(with: part.utf8) }

  private mutating func blank(_ count: Int = 1) {
    for _ in 0..<count where position < text.count {
      output.append(
        text[position] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
      position += 1
    }
  }
}

/// A word of code and what surrounds it.
struct CodeWord {
  let text: Substring
  /// The character right before it, if any.
  let before: Character?
  /// What follows on the same line, spaces skipped.
  let rest: Substring
  /// Counted from 1.
  let line: Int

  static func all(in file: SourceFile) -> [CodeWord] {
    file.code.enumerated().flatMap { number, line in words(line, number: number + 1) }
  }

  private static func words(_ line: String, number: Int) -> [CodeWord] {
    var words: [CodeWord] = []
    var index = line.startIndex
    while index < line.endIndex {
      guard isPart(line[index]) else {
        index = line.index(after: index)
        continue
      }
      let end = line[index...].firstIndex { !isPart($0) } ?? line.endIndex
      words.append(
        CodeWord(
          text: line[index..<end],
          before: index == line.startIndex ? nil : line[line.index(before: index)],
          rest: line[end...].drop { $0 == " " }, line: number))
      index = end
    }
    return words
  }

  private static func isPart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }
}
