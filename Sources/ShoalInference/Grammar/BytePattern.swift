// What texts a grammar allows, as its author writes it: bytes, one after the other, one of several,
// again and again, and rules by their number.

/// A set of bytes.
struct ByteSet: Sendable, Hashable {
  private var words = SIMD4<UInt64>()

  init(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  }

  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
}

indirect enum BytePattern: Sendable {
  case bytes(ByteSet)
  case literal([UInt8])
  case sequence([BytePattern])
  case choice([BytePattern])
  /// At least `least` times; without a bound where `most` is nil.
  case times(BytePattern, least: Int, most: Int?)
  case rule(Int)

  static let empty = BytePattern.sequence([])

  static func optional(_ pattern: BytePattern) -> BytePattern { .times(pattern, least: 0, most: 1) }
  static func text(_ text: String) -> BytePattern { .literal(Array(text.utf8)) }
  static func range(_ range: ClosedRange<UInt8>) -> BytePattern { .bytes(ByteSet(range)) }
  static func any(of characters: String) -> BytePattern { .bytes(ByteSet(characters.utf8)) }
}
