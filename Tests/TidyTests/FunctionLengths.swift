// How long each function of a Swift file is: from its keyword to the brace that closes it.

enum FunctionLengths {
  struct Length: Hashable {
    let name: String
    /// Where it begins, counted from 1.
    let line: Int
    let lines: Int
  }

  /// Functions, initialisers, deinitialisers and subscripts that have a body.
  static func of(_ file: SourceFile) -> [Length] {
    let text = file.code.map { Array($0) }
    return CodeWord.all(in: file).compactMap { word in
      guard isDeclaration(word) else { return nil }
      let column = file.code[word.line - 1].count - word.rest.count
      guard let end = end(of: text, line: word.line - 1, column: max(0, column)) else { return nil }
      let name = word.rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      return Length(
        name: name.isEmpty ? String(word.text) : String(name), line: word.line,
        lines: end + 1 - word.line + 1)
    }
  }

  private static func isDeclaration(_ word: CodeWord) -> Bool {
    switch word.text {
    case "func": true
    case "init", "subscript":
      word.before != "." && ["(", "?", "<"].contains { word.rest.hasPrefix($0) }
    case "deinit": true
    case _: false
    }
  }

  /// The line of the closing brace; nil where another declaration begins before any brace, as
  /// after a protocol's requirement.
  private static func end(of text: [[Character]], line: Int, column: Int) -> Int? {
    var (parentheses, braces) = (0, 0)
    for number in line..<text.count {
      let start = number == line ? column : 0
      if number > line, braces == 0, parentheses == 0, beginsDeclaration(text[number]) {
        return nil
      }
      for character in text[number].dropFirst(start) {
        switch character {
        case "(", "[": parentheses += 1
        case ")", "]": parentheses -= 1
        case "{" where parentheses == 0 || braces > 0: braces += 1
        case "}" where braces > 0:
          braces -= 1
          if braces == 0 { return number }
        case "}" where parentheses == 0: return nil
        case _: break
        }
      }
    }
    return nil
  }

  private static func beginsDeclaration(_ line: [Character]) -> Bool {
    let words = String(line).split { !($0.isLetter || $0 == "@") }
    let keywords: Set<Substring> = [
      "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "class", "enum",
      "protocol", "extension", "typealias", "associatedtype", "import", "mutating", "static",
      "public", "package", "internal", "private", "fileprivate",
    ]
    return words.first.map { keywords.contains($0) } ?? false
  }
}
