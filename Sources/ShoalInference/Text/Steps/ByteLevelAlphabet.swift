// GPT-2's spelling of bytes as visible letters, so that a vocabulary of bytes is one of strings.

/// Printable Latin-1 bytes stand for themselves, the other 68 for the letters from U+0100 on
/// (`bytes_to_unicode` in GPT-2's encoder).
enum ByteLevelAlphabet {
  /// The letter of each byte.
  static let letters: [Unicode.Scalar] = {
    var letters: [Unicode.Scalar] = []
    var next: UInt32 = 0x100
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 0x21...0x7e, 0xa1...0xac, 0xae...0xff: letters.append(Unicode.Scalar(byte))
      case _:
        letters.append(Unicode.Scalar(next) ?? Unicode.Scalar(byte))
        next += 1
      }
    }
    return letters
  }()

  /// The letter of each byte in UTF-8.
  static let spellings: [[UInt8]] = letters.map { Array(String($0).utf8) }

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: zip(letters, UInt8.min...UInt8.max))

  /// The bytes that a token stands for. One with a letter outside of the alphabet stands for
  /// itself.
  static func decode(_ token: [UInt8]) -> [UInt8] {
    var decoded: [UInt8] = []
    for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
      guard let byte = bytes[scalar] else { return token }
      decoded.append(byte)
    }
    return decoded
  }
}
