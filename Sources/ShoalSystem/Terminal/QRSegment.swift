// A text as the bits of one segment of a QR code: capitals and digits at five and a half bits each,
// anything else as bytes.

struct QRSegment {
  /// Their places are their values (ISO/IEC 18004, table 5).
  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

  private let bytes: [UInt8]
  /// Values of the characters; nil: not all of them are in the alphabet.
  private let values: [Int]?

  init(_ text: String) {
    bytes = Array(text.utf8)
    let found = bytes.map { Self.alphabet.firstIndex(of: $0) }
    values = found.contains(nil) ? nil : found.compactMap(\.self)
  }

  /// Of the count of characters (table 3).
  private func countBits(version: Int) -> Int {
    let column = version < 10 ? 0 : version < 27 ? 1 : 2
    return values == nil ? [8, 16, 16][column] : [9, 11, 13][column]
  }

  private var contentBits: Int {
    guard let values else { return 8 * bytes.count }
    return values.count / 2 * 11 + values.count % 2 * 6
  }

  func bitCount(version: Int) -> Int { 4 + countBits(version: version) + contentBits }

  /// Mode, count, characters, then what fills `limit` codewords (section 7.4). Nil where they do
  /// not fit.
  func codewords(version: Int, limit: Int) -> [UInt8]? {
    let room = 8 * limit
    guard bitCount(version: version) <= room else { return nil }
    var bits: [Bool] = []
    bits.reserveCapacity(room)
    let append = { (value: Int, count: Int, bits: inout [Bool]) in
      for shift in (0..<count).reversed() { bits.append(value >> shift & 1 == 1) }
    }
    append(values == nil ? 0b0100 : 0b0010, 4, &bits)
    append(bytes.count, countBits(version: version), &bits)
    if let values {
      for first in stride(from: 0, to: values.count, by: 2) {
        if first + 1 < values.count {
          append(values[first] * 45 + values[first + 1], 11, &bits)
        } else {
          append(values[first], 6, &bits)
        }
      }
    } else {
      for byte in bytes { append(Int(byte), 8, &bits) }
    }
    append(0, min(4, room - bits.count), &bits)
    append(0, (8 - bits.count % 8) % 8, &bits)
    var words = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
    }
    let padding: [UInt8] = [0xec, 0x11]
    for number in 0..<limit - words.count { words.append(padding[number % 2]) }
    return words
  }
}
