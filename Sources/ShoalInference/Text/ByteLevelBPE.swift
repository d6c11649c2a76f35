// GPT-2's BPE: text is cut into words, and within a word bytes merge by an ordered list of pairs.

/// Encodes text whose special tokens were taken out (Radford et al. 2019, section 2.2; llama.cpp's
/// `llm_tokenizer_bpe`).
struct ByteLevelBPE: Sendable {
  private struct Merge {
    let rank: UInt32
    let id: Int32
  }

  /// The vocabulary, followed by strings that only merges know.
  private let strings: ByteStringIndex
  private let vocabularyCount: Int
  private let preTokenizer: PreTokenizer
  private let ignoresMerges: Bool
  /// The string of each byte.
  private let byteIDs: [Int32]
  /// By the left id in the upper and the right id in the lower half.
  private let merges: [UInt64: Merge]

  init(
    _ definition: TokenizerDefinition, _ preTokenizer: PreTokenizer, _ vocabulary: ByteStringIndex
  ) {
    var strings = vocabulary
    byteIDs = ByteLevelAlphabet.spellings.map { Int32(strings.insert($0[...]).position) }
    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(definition.merges.count)
    for (rank, merge) in definition.merges.enumerated() {
      // A merge without a second part merges nothing; the first of equal merges counts.
      guard let space = merge.dropFirst().firstIndex(of: UInt8(ascii: " ")) else { continue }
      let left = strings.insert(merge[..<space]).position
      let right = strings.insert(merge[(space + 1)...]).position
      let whole = strings.insert((merge[..<space] + merge[(space + 1)...])[...]).position
      let key = Self.key(Int32(left), Int32(right))
      if merges[key] == nil { merges[key] = Merge(rank: UInt32(rank), id: Int32(whole)) }
    }
    self.strings = strings
    self.merges = merges
    self.preTokenizer = preTokenizer
    vocabularyCount = vocabulary.strings.count
    ignoresMerges = definition.ignoresMerges
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  func encode(_ text: ArraySlice<UInt8>, into tokens: inout [TokenID]) {
    let bytes = Array(text)
    var merging = PairMerging()
    for word in preTokenizer.words(bytes) {
      if ignoresMerges, let token = whole(bytes[word]) {
        tokens.append(token)
        continue
      }
      merging.clear()
      for index in word { merging.append(id: byteIDs[Int(bytes[index])], index..<index + 1) }
      merging.merge(bytes, by: self)
      for symbol in merging.symbols where symbol.length > 0 {
        append(symbol.id, to: &tokens)
      }
    }
  }

  private func whole(_ word: ArraySlice<UInt8>) -> TokenID? {
    guard word.count <= strings.longest else { return nil }
    let spelled = word.flatMap { ByteLevelAlphabet.spellings[Int($0)] }
    guard let position = strings.find(spelled, spelled.indices), position < vocabularyCount else {
      return nil
    }
    return TokenID(position)
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

extension ByteLevelBPE: MergeTable {
  func candidate(_ left: MergeSymbol, _ right: MergeSymbol, in text: [UInt8]) -> MergeCandidate? {
    merges[Self.key(left.id, right.id)].map { MergeCandidate(priority: $0.rank, id: $0.id) }
  }
}
