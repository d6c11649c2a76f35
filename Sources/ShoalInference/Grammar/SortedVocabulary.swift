// The tokens that can be text, in the order of their bytes: tokens that begin alike are neighbours,
// so that what a grammar refuses for one is refused for all of them at once.

public struct SortedVocabulary: Sendable {
  /// In order. Tokens that steer the model, and empty ones, are left out.
  let tokens: [TokenID]
  /// How many bytes each has in common with the one before it.
  let shared: [Int]
  /// Tokens of the vocabulary, those left out included.
  public let count: Int
  private let starts: [Int]
  private let bytes: [UInt8]

  public init(_ tokenizer: Tokenizer) {
    var words: [(token: TokenID, bytes: [UInt8])] = []
    for index in 0..<tokenizer.count {
      let token = TokenID(index)
      guard !tokenizer.isControl(token), !tokenizer.isEndOfGeneration(token) else { continue }
      let bytes = tokenizer.bytes(of: token)
      if !bytes.isEmpty { words.append((token, bytes)) }
    }
    words.sort { left, right in
      left.bytes.lexicographicallyPrecedes(right.bytes)
        || (left.bytes == right.bytes && left.token < right.token)
    }
    count = tokenizer.count
    tokens = words.map(\.token)
    var (starts, bytes, shared) = ([0], [UInt8](), [Int]())
    var last: [UInt8] = []
    for word in words {
      shared.append(zip(last, word.bytes).prefix { $0 == $1 }.count)
      bytes += word.bytes
      starts.append(bytes.count)
      last = word.bytes
    }
    (self.starts, self.bytes, self.shared) = (starts, bytes, shared)
  }

  func bytes(at index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1]] }
}
