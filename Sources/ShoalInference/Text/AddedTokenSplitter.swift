// Finds the tokens that stand for themselves in a text, before anything else looks at it.

/// Cuts text at added tokens: from the left, the longest that stands at a place.
struct AddedTokenSplitter: Sendable {
  enum Part {
    case text(Range<Int>)
    /// And the bytes it takes, white space that belongs to it included.
    case token(TokenID, Range<Int>)
  }

  private let texts: ByteStringIndex
  /// By position in `texts`.
  private let added: [AddedToken]
  /// How long tokens are that begin with a byte, the longest first.
  private let lengths: [[Int]]

  /// - Parameter spell: how a token stands in the texts that will be cut.
  init(
    _ definition: TokenizerDefinition, spelled spell: ([UInt8]) -> [UInt8] = { $0 },
    where isWanted: (AddedToken) -> Bool
  ) {
    var texts = ByteStringIndex()
    var added: [AddedToken] = []
    var lengths = Array(repeating: Set<Int>(), count: 256)
    for token in definition.added where isWanted(token) {
      let text = spell(Array(definition.tokens[Int(token.token)]))
      guard let first = text.first, texts.insert(text[...]).isNew else { continue }
      added.append(token)
      lengths[Int(first)].insert(text.count)
    }
    self.texts = texts
    self.added = added
    self.lengths = lengths.map { $0.sorted(by: >) }
  }

  func split(_ text: [UInt8]) -> [Part] {
    guard !text.isEmpty else { return [] }
    guard !added.isEmpty else { return [.text(text.indices)] }
    var parts: [Part] = []
    // What no part has yet.
    var start = 0
    var at = 0
    while at < text.count {
      guard let (found, length) = longest(text, at) else {
        at += 1
        continue
      }
      let match = at..<at + length
      at = match.upperBound
      if found.isWholeWord, touchesWord(text, match) { continue }
      var (lower, upper) = (match.lowerBound, match.upperBound)
      if found.takesSpaceBefore { lower = spaceStart(text, lower, from: start) }
      if found.takesSpaceAfter { upper = spaceEnd(text, upper) }
      if start < lower { parts.append(.text(start..<lower)) }
      parts.append(.token(found.token, lower..<upper))
      start = upper
      at = upper
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private func longest(_ text: [UInt8], _ at: Int) -> (AddedToken, Int)? {
    for length in lengths[Int(text[at])] where at + length <= text.count {
      if let position = texts.find(text, at..<at + length) { return (added[position], length) }
    }
    return nil
  }

  private func touchesWord(_ text: [UInt8], _ match: Range<Int>) -> Bool {
    let after = match.upperBound < text.count ? UTF8Form.scalar(text, match.upperBound).scalar : 0
    let before = match.lowerBound > 0 ? Self.previous(text, match.lowerBound).scalar : 0
    return [before, after].contains { ScalarKind.isWord($0) }
  }

  private func spaceStart(_ text: [UInt8], _ end: Int, from limit: Int) -> Int {
    var at = end
    while at > limit {
      let previous = Self.previous(text, at)
      guard ScalarKind.of(previous.scalar).contains(.whitespace), previous.start >= limit else {
        return at
      }
      at = previous.start
    }
    return at
  }

  private func spaceEnd(_ text: [UInt8], _ start: Int) -> Int {
    var at = start
    while at < text.count {
      let (scalar, length) = UTF8Form.scalar(text, at)
      guard ScalarKind.of(scalar).contains(.whitespace) else { return at }
      at += length
    }
    return at
  }

  /// The character that ends at `end`.
  private static func previous(_ text: [UInt8], _ end: Int) -> (scalar: UInt32, start: Int) {
    var start = end - 1
    while start > 0, end - start < 4, text[start] & 0xc0 == 0x80 { start -= 1 }
    return (UTF8Form.scalar(text, start).scalar, start)
  }
}
