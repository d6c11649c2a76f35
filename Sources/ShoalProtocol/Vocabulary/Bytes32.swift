// 32 opaque bytes that compare, hash and print: the body of every id made by a hash or a key.

/// Exactly 32 bytes, ordered as an unsigned big-endian number.
public struct Bytes32: Hashable, Comparable, Sendable {
  let a: UInt64
  let b: UInt64
  let c: UInt64
  let d: UInt64

  public static let zero = Bytes32(a: 0, b: 0, c: 0, d: 0)

  private init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }

  /// Nil unless `bytes` has 32 elements.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var words: [UInt64] = []
    words.reserveCapacity(4)
    var word: UInt64 = 0
    for (position, byte) in bytes.enumerated() {
      word = word << 8 | UInt64(byte)
      if position % 8 == 7 { words.append(word) }
    }
    (a, b, c, d) = (words[0], words[1], words[2], words[3])
  }

  /// Nil unless `hex` is 64 hexadecimal digits.
  public init?(hex: some StringProtocol) {
    guard let bytes = Hex.decode(hex) else { return nil }
    self.init(bytes)
  }

  public var bytes: [UInt8] {
    [a, b, c, d].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
  }

  /// The first eight bytes as a number: a well-mixed seed where the bytes are a hash.
  public var prefix64: UInt64 { a }

  public var hex: String { Hex.encode(bytes) }

  public static func < (left: Bytes32, right: Bytes32) -> Bool {
    (left.a, left.b, left.c, left.d) < (right.a, right.b, right.c, right.d)
  }
}

/// Lower-case hexadecimal, two digits a byte.
public enum Hex {
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for an odd length or a character that is no hexadecimal digit.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case _: nil
    }
  }
}
