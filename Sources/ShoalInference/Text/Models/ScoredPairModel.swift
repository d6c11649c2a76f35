// SentencePiece's BPE: neighbours merge where what they spell is a token, the best score first
// (SentencePiece, `bpe_model.cc`; llama.cpp's `llm_tokenizer_spm`).

/// Encodes words, which are whole texts where nothing cuts them.
struct ScoredPairModel: Sendable {
  private let vocabulary: ByteStringIndex
  private let scores: [Double]
  /// The token of each byte, for characters without a token.
  private let byteTokens: [TokenID?]
  /// Tokens that exist to be merged further, never to be used.
  private let isUnused: [Bool]
  private let rules: ScoredPairRules
  private let unknown: TokenID?

  init(
    _ definition: TokenizerDefinition, _ rules: ScoredPairRules, _ vocabulary: ByteStringIndex
  ) {
    self.vocabulary = vocabulary
    scores = definition.scores
    unknown = definition.unknown
    self.rules = rules
    byteTokens = (UInt8.min...UInt8.max).map { byte in
      let spelled = vocabulary.find(ByteTokens.spelling(of: byte).utf8)
      return (spelled ?? vocabulary.find([byte])).map { TokenID($0) } ?? definition.unknown
    }
    isUnused =
      definition.types.contains(.unused) ? definition.types.map { $0 == .unused } : []
  }

  func encode(
    _ text: [UInt8], _ word: Range<Int>, _ merging: inout PairMerging,
    into tokens: inout [TokenID]
  ) {
    if rules.takesWholeWords, let position = vocabulary.find(text, word) {
      tokens.append(TokenID(position))
      return
    }
    merging.clear()
    var start = word.lowerBound
    while start < word.upperBound {
      let end = min(start + UTF8Form.length(of: text[start]), word.upperBound)
      let position = vocabulary.find(text, start..<end)
      merging.append(id: position.map { Int32($0) } ?? -1, start..<end)
      start = end
    }
    merging.merge(text, by: self)
    for symbol in merging.symbols where symbol.length > 0 {
      let range = symbol.start..<symbol.start + symbol.length
      if symbol.id < 0 {
        spell(text[range], into: &tokens)
      } else if isUnused.isEmpty || !isUnused[Int(symbol.id)] {
        tokens.append(symbol.id)
      } else {
        resolve(text, range, into: &tokens)
      }
    }
  }

  private func spell(_ bytes: ArraySlice<UInt8>, into tokens: inout [TokenID]) {
    for byte in bytes {
      guard let token = byteTokens[Int(byte)] else { continue }
      if token == unknown, rules.fusesUnknown, tokens.last == unknown { continue }
      tokens.append(token)
      if token == unknown { return }
    }
  }

  /// Spells an unused token by the two best tokens that make it up, and those alike.
  private func resolve(_ text: [UInt8], _ range: Range<Int>, into tokens: inout [TokenID]) {
    var best: (score: Double, middle: Int)?
    for middle in range.dropFirst() {
      guard let left = vocabulary.find(text, range.lowerBound..<middle),
        let right = vocabulary.find(text, middle..<range.upperBound)
      else { continue }
      let score = min(scores[left], scores[right])
      if score > best?.score ?? -.infinity { best = (score, middle) }
    }
    guard let best else { return spell(text[range], into: &tokens) }
    for part in [range.lowerBound..<best.middle, best.middle..<range.upperBound] {
      guard let position = vocabulary.find(text, part) else { continue }
      if isUnused[position] {
        resolve(text, part, into: &tokens)
      } else {
        tokens.append(TokenID(position))
      }
    }
  }
}

extension ScoredPairModel: MergeTable {
  func candidate(_ left: MergeSymbol, _ right: MergeSymbol, in text: [UInt8]) -> MergeCandidate? {
    let range = left.start..<left.start + left.length + right.length
    guard let position = vocabulary.find(text, range) else { return nil }
    return MergeCandidate(
      priority: Self.priority(of: Float(scores[position])),
      id: Int32(truncatingIfNeeded: position))
  }

  /// Higher scores first: the order of floats as the reverse order of integers.
  private static func priority(of score: Float) -> UInt32 {
    let bits = (score + 0).bitPattern
    return bits >> 31 == 0 ? 0x7fff_ffff - bits : bits
  }
}
