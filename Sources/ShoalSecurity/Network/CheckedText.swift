// Bytes as text that people copy and cameras read: base32 with a prefix and a checksum.
import ShoalProtocol

/// Why a text was refused.
public enum CheckedTextError: Error, Hashable, Sendable {
  case wrongPrefix
  case notBase32(position: Int)
  case tooLong(limit: Int, characters: Int)
  /// A length that no bytes have, or bits left over that are not zero.
  case incomplete(characters: Int)
  /// A character was mistyped or lost.
  case wrongChecksum
}

/// Base32 (RFC 4648, section 6, without padding) over the bytes and four bytes of their BLAKE2b,
/// behind a prefix. Read in either case, with spaces and line breaks ignored.
enum CheckedText {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
  private static let checksumBytes = 4

  static func encode(_ bytes: [UInt8], prefix: String) -> String {
    var text = Array(prefix.utf8)
    var bits: UInt16 = 0
    var bitCount = 0
    for byte in bytes + checksum(bytes) {
      bits = bits << 8 | UInt16(byte)
      bitCount += 8
      while bitCount >= 5 {
        bitCount -= 5
        text.append(alphabet[Int(bits >> UInt16(bitCount) & 31)])
      }
    }
    if bitCount > 0 { text.append(alphabet[Int(bits << UInt16(5 - bitCount) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(
    _ text: String, prefix: String, limit: Int
  ) throws(CheckedTextError) -> [UInt8] {
    let characterLimit = prefix.utf8.count + ((limit + checksumBytes) * 8 + 4) / 5
    let characters = text.utf8.filter { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
    guard characters.count <= characterLimit else {
      throw .tooLong(limit: characterLimit, characters: characters.count)
    }
    guard characters.prefix(prefix.utf8.count).map(upper) == Array(prefix.utf8) else {
      throw .wrongPrefix
    }
    var bytes: [UInt8] = []
    var bits: UInt16 = 0
    var bitCount = 0
    for (position, character) in characters.enumerated().dropFirst(prefix.utf8.count) {
      guard let value = value(upper(character)) else { throw .notBase32(position: position) }
      bits = bits << 5 | UInt16(value)
      bitCount += 5
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt16(bitCount)))
      }
    }
    guard bitCount < 5, bits & (1 << UInt16(bitCount) - 1) == 0, bytes.count >= checksumBytes
    else { throw .incomplete(characters: characters.count) }
    let content = Array(bytes.dropLast(checksumBytes))
    guard Array(bytes.suffix(checksumBytes)) == checksum(content) else { throw .wrongChecksum }
    return content
  }

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    Array(BLAKE2b.hash(bytes).bytes.prefix(checksumBytes))
  }

  private static func upper(_ character: UInt8) -> UInt8 {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(character) ? character - 32 : character
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "2")...UInt8(ascii: "7"): character - UInt8(ascii: "2") + 26
    case _: nil
    }
  }
}
