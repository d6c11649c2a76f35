// WordPiece, which takes the longest token from the left again and again (Devlin et al. 2018; the
// search is that of BERT's `WordpieceTokenizer`), and whole words.

/// Encodes words.
struct WordPieceModel: Sendable {
  private let vocabulary: ByteStringIndex
  private let rules: WordPieceRules
  private let wordPrefix: [UInt8]
  private let continuingPrefix: [UInt8]
  private let unknown: TokenID

  init(
    _ definition: TokenizerDefinition, _ rules: WordPieceRules, _ vocabulary: ByteStringIndex
  ) throws(TokenizerError) {
    guard let unknown = definition.unknown else { throw .missing(field: "unknown token") }
    self.unknown = unknown
    self.vocabulary = vocabulary
    self.rules = rules
    wordPrefix = Array(rules.wordPrefix.utf8)
    continuingPrefix = Array(rules.continuingPrefix.utf8)
  }

  func encode(_ text: [UInt8], _ word: Range<Int>, into tokens: inout [TokenID]) {
    let starts = word.filter { text[$0] & 0xc0 != 0x80 } + [word.upperBound]
    guard starts.count - 1 <= rules.longestWord else { return tokens.append(unknown) }
    let count = tokens.count
    var first = 0
    while first < starts.count - 1 {
      let prefix = first == 0 ? wordPrefix : continuingPrefix
      let ends = starts.indices.dropFirst(first + 1).prefix(vocabulary.longest)
      let end = ends.reversed().first { last in
        find(prefix, text[starts[first]..<starts[last]]) != nil
      }
      guard let end, let token = find(prefix, text[starts[first]..<starts[end]]) else {
        // One piece that is unknown makes the whole word so.
        tokens.removeSubrange(count...)
        return tokens.append(unknown)
      }
      tokens.append(token)
      first = end
    }
  }

  private func find(_ prefix: [UInt8], _ piece: ArraySlice<UInt8>) -> TokenID? {
    guard prefix.count + piece.count <= vocabulary.longest else { return nil }
    return vocabulary.find(prefix + piece).map { TokenID($0) }
  }
}

/// A word is a token or unknown.
struct WordLevelModel: Sendable {
  private let vocabulary: ByteStringIndex
  private let unknown: TokenID?

  init(_ definition: TokenizerDefinition, _ vocabulary: ByteStringIndex) {
    self.vocabulary = vocabulary
    unknown = definition.unknown
  }

  func encode(_ text: [UInt8], _ word: Range<Int>, into tokens: inout [TokenID]) {
    if let position = vocabulary.find(text, word) {
      tokens.append(TokenID(position))
    } else if let unknown {
      tokens.append(unknown)
    }
  }
}
