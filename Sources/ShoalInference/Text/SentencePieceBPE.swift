// SentencePiece's BPE: neighbours merge where what they spell is a token, the best score first.

/// Encodes text whose special tokens were taken out (llama.cpp's `llm_tokenizer_spm`;
/// SentencePiece, `bpe_model.cc`).
struct SentencePieceBPE: Sendable {
  private let vocabulary: ByteStringIndex
  private let scores: [Float]
  /// The token of each byte, for characters without a token.
  private let byteTokens: [TokenID?]

  /// U+2581, the visible space.
  static let space: [UInt8] = [0xe2, 0x96, 0x81]

  init(_ definition: TokenizerDefinition, _ vocabulary: ByteStringIndex) {
    self.vocabulary = vocabulary
    scores = definition.scores
    byteTokens = (0...255).map { byte in
      let spelled = "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
      let position = vocabulary.find(spelled.utf8) ?? vocabulary.find([UInt8(byte)])
      return position.map { TokenID($0) } ?? definition.unknown
    }
  }

  /// - Parameter prefix: whether a space comes before the text.
  func encode(_ text: ArraySlice<UInt8>, prefix: Bool, into tokens: inout [TokenID]) {
    let escaped = escape(text, prefix: prefix)
    var merging = PairMerging()
    var start = 0
    while start < escaped.count {
      let end = min(start + UTF8Form.length(of: escaped[start]), escaped.count)
      let position = vocabulary.find(escaped, start..<end)
      merging.append(id: position.map { Int32($0) } ?? -1, start..<end)
      start = end
    }
    merging.merge(escaped, by: self)
    for symbol in merging.symbols where symbol.length > 0 {
      if symbol.id >= 0 {
        tokens.append(symbol.id)
      } else {
        let bytes = escaped[symbol.start..<symbol.start + symbol.length]
        tokens.append(contentsOf: bytes.compactMap { byteTokens[Int($0)] })
      }
    }
  }

  private func escape(_ text: ArraySlice<UInt8>, prefix: Bool) -> [UInt8] {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(text.count + text.count / 2 + 3)
    if prefix { escaped += Self.space }
    for byte in text {
      if byte == UInt8(ascii: " ") { escaped += Self.space } else { escaped.append(byte) }
    }
    return escaped
  }
}

extension SentencePieceBPE: MergeTable {
  func candidate(_ left: MergeSymbol, _ right: MergeSymbol, in text: [UInt8]) -> MergeCandidate? {
    let range = left.start..<left.start + left.length + right.length
    guard let position = vocabulary.find(text, range) else { return nil }
    return MergeCandidate(
      priority: Self.priority(of: scores[position]), id: Int32(truncatingIfNeeded: position))
  }

  /// Higher scores first: the order of floats as the reverse order of integers.
  private static func priority(of score: Float) -> UInt32 {
    let bits = (score + 0).bitPattern
    return bits >> 31 == 0 ? 0x7fff_ffff - bits : bits
  }
}

/// What the first byte of a UTF-8 character says about it.
enum UTF8Form {
  /// 1 to 4; 1 for a byte that starts no character.
  static func length(of first: UInt8) -> Int {
    switch first {
    case 0xf0...: 4
    case 0xe0...: 3
    case 0xc0...: 2
    case _: 1
    }
  }
}
