// BPE by an ordered list of pairs: the first pair of the list that stands in a word merges first
// (Sennrich et al. 2016; over bytes, Radford et al. 2019, section 2.2).

/// Encodes words.
struct PairModel: Sendable {
  private struct Merge {
    let rank: UInt32
    let id: Int32
  }

  /// The vocabulary, followed by strings that only merges know.
  private let strings: ByteStringIndex
  private let vocabularyCount: Int
  private let rules: PairRules
  private let unknown: TokenID?
  /// The token of each byte, for characters without one; empty unless all have one.
  private let byteTokens: [TokenID]
  /// By the left id in the upper and the right id in the lower half.
  private let merges: [UInt64: Merge]
  private let prefix: [UInt8]
  private let suffix: [UInt8]

  init(_ definition: TokenizerDefinition, _ rules: PairRules, _ vocabulary: ByteStringIndex) {
    var strings = vocabulary
    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(definition.merges.count)
    let prefix = Array(rules.continuingPrefix.utf8)
    for rank in 0..<definition.merges.count / 2 {
      let (first, second) = (definition.merges[2 * rank], definition.merges[2 * rank + 1])
      let left = strings.insert(first).position
      let right = strings.insert(second).position
      let added = second.starts(with: prefix) ? second.dropFirst(prefix.count) : second
      let whole = strings.insert((first + added)[...]).position
      let key = Self.key(Int32(left), Int32(right))
      // The first of equal merges counts.
      if merges[key] == nil { merges[key] = Merge(rank: UInt32(rank), id: Int32(whole)) }
    }
    self.strings = strings
    self.merges = merges
    self.rules = rules
    self.prefix = prefix
    suffix = Array(rules.endSuffix.utf8)
    unknown = definition.unknown
    vocabularyCount = vocabulary.strings.count
    byteTokens = rules.spellsUnknownBytes ? ByteTokens.all(in: vocabulary) : []
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  func encode(
    _ text: [UInt8], _ word: Range<Int>, _ merging: inout PairMerging,
    into tokens: inout [TokenID]
  ) {
    if rules.ignoresMerges, let position = strings.find(text, word), position < vocabularyCount {
      tokens.append(TokenID(position))
      return
    }
    merging.clear()
    appendCharacters(text, word, to: &merging)
    merging.merge(text, by: self)
    for symbol in merging.symbols where symbol.length > 0 { append(symbol.id, to: &tokens) }
  }

  private func appendCharacters(
    _ text: [UInt8], _ word: Range<Int>, to merging: inout PairMerging
  ) {
    var start = word.lowerBound
    var lastIsUnknown = false
    while start < word.upperBound {
      let end = min(start + UTF8Form.length(of: text[start]), word.upperBound)
      let character = start..<end
      start = end
      if let id = find(text, character, in: word) {
        merging.append(id: id, character)
        lastIsUnknown = false
      } else if !byteTokens.isEmpty {
        for at in character { merging.append(id: byteTokens[Int(text[at])], at..<at + 1) }
        lastIsUnknown = false
      } else if let unknown, !(lastIsUnknown && rules.fusesUnknown) {
        merging.append(id: unknown, character)
        lastIsUnknown = true
      }
    }
  }

  /// The string that a character is in its place: with the prefix unless it begins the word, with
  /// the suffix if it ends it.
  private func find(_ text: [UInt8], _ character: Range<Int>, in word: Range<Int>) -> Int32? {
    if prefix.isEmpty, suffix.isEmpty { return strings.find(text, character).map { Int32($0) } }
    var spelled = Array(text[character])
    if character.lowerBound > word.lowerBound { spelled = prefix + spelled }
    if character.upperBound == word.upperBound { spelled += suffix }
    return strings.find(spelled, spelled.indices).map { Int32($0) }
  }

  /// What is no token is spelled by those bytes of it that are tokens.
  private func append(_ id: Int32, to tokens: inout [TokenID]) {
    guard id >= vocabularyCount else {
      tokens.append(id)
      return
    }
    for byte in strings.strings[Int(id)] {
      guard let position = strings.find([byte]), position < vocabularyCount else { continue }
      tokens.append(TokenID(position))
    }
  }
}

extension PairModel: MergeTable {
  func candidate(_ left: MergeSymbol, _ right: MergeSymbol, in text: [UInt8]) -> MergeCandidate? {
    merges[Self.key(left.id, right.id)].map { MergeCandidate(priority: $0.rank, id: $0.id) }
  }
}

/// Tokens such as `<0x0A>`, which stand for bytes that no other token has.
enum ByteTokens {
  static func spelling(of byte: UInt8) -> String {
    "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
  }

  /// The token of each byte; empty unless all have one.
  static func all(in vocabulary: ByteStringIndex) -> [TokenID] {
    let tokens = (UInt8.min...UInt8.max).compactMap { vocabulary.find(spelling(of: $0).utf8) }
    return tokens.count == 256 ? tokens.map { TokenID($0) } : []
  }

  /// The byte of a token; nil for any other token.
  static func byte(of token: some Collection<UInt8>) -> UInt8? {
    let text = String(decoding: token, as: UTF8.self)
    guard token.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">") else { return nil }
    return UInt8(text.dropFirst(3).dropLast(), radix: 16)
  }
}
