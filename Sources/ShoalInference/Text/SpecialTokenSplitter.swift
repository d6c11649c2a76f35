// Finds the tokens that stand for themselves in a text, before anything else looks at it.

/// Cuts text at special tokens. The longest token takes all its places first, then the next longest
/// (llama.cpp's `tokenizer_st_partition`), in one pass over the text and one over what was found.
struct SpecialTokenSplitter: Sendable {
  enum Part {
    case text(Range<Int>)
    case token(TokenID)
  }

  private struct Match {
    let token: TokenID
    let range: Range<Int>
  }

  private let texts: ByteStringIndex
  /// The token of each text.
  private let tokens: [TokenID]
  /// Descending.
  private let lengths: [Int]
  private let startsToken: [Bool]
  private let swallowingSpace: Set<TokenID>

  /// - Parameter types: which tokens are looked for.
  init(_ definition: TokenizerDefinition, types: Set<TokenizerDefinition.TokenType>) {
    var texts = ByteStringIndex()
    var tokens: [TokenID] = []
    var lengths: Set<Int> = []
    var startsToken = Array(repeating: false, count: 256)
    for (index, type) in definition.types.enumerated() where types.contains(type) {
      let text = definition.tokens[index]
      guard let first = text.first, texts.insert(text).isNew else { continue }
      tokens.append(TokenID(index))
      lengths.insert(text.count)
      startsToken[Int(first)] = true
    }
    self.texts = texts
    self.tokens = tokens
    self.lengths = lengths.sorted(by: >)
    self.startsToken = startsToken
    swallowingSpace = Set(definition.swallowingSpace)
  }

  func split(_ text: [UInt8]) -> [Part] {
    guard !text.isEmpty else { return [] }
    let chosen = choose(matches(text), in: text)
    var parts: [Part] = []
    var start = 0
    for match in chosen {
      if start < match.range.lowerBound { parts.append(.text(start..<match.range.lowerBound)) }
      parts.append(.token(match.token))
      start = match.range.upperBound
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  /// All places where a special token stands, overlapping ones too.
  private func matches(_ text: [UInt8]) -> [Match] {
    var matches: [Match] = []
    for start in text.indices where startsToken[Int(text[start])] {
      for length in lengths where start + length <= text.count {
        guard let position = texts.find(text, start..<start + length) else { continue }
        matches.append(Match(token: tokens[position], range: start..<start + length))
      }
    }
    return matches
  }

  /// Those that the longest-first order leaves, by place, each with the white space it swallows.
  private func choose(_ matches: [Match], in text: [UInt8]) -> [Match] {
    guard !matches.isEmpty else { return [] }
    let order = matches.sorted { left, right in
      (right.range.count, left.token, left.range.lowerBound)
        < (left.range.count, right.token, right.range.lowerBound)
    }
    var isTaken = Array(repeating: false, count: text.count)
    var chosen: [Match] = []
    for match in order where !match.range.contains(where: { isTaken[$0] }) {
      var end = match.range.upperBound
      if swallowingSpace.contains(match.token) {
        while end < text.count, !isTaken[end], Self.isSpace(text[end]) { end += 1 }
      }
      for index in match.range.lowerBound..<end { isTaken[index] = true }
      chosen.append(Match(token: match.token, range: match.range.lowerBound..<end))
    }
    return chosen.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }
}
