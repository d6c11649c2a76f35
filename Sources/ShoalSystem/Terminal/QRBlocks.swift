// The codewords of a QR code in blocks, each with its own error correction (ISO/IEC 18004, section
// 7.5 and table 9, level L), and the order in which they are laid out.

struct QRBlocks {
  /// By version, from 1.
  private static let counts = [
    1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15,
    16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
  ]
  /// Codewords of error correction in each block, by version.
  private static let corrections = [
    7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30,
    26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
  ]

  let codewords: Int
  let count: Int
  /// Of each block.
  let correction: Int
  var dataCodewords: Int { codewords - count * correction }

  init(version: Int, codewords: Int) {
    self.codewords = codewords
    count = QRBlocks.counts[version - 1]
    correction = QRBlocks.corrections[version - 1]
  }

  /// First words of all blocks, second words, and so on; then corrections likewise. The last blocks
  /// have a word of data more where they do not come out even.
  func interleaved(_ data: [UInt8]) -> [UInt8] {
    precondition(data.count == dataCodewords, "\(data.count) codewords of \(dataCodewords)")
    let short = data.count / count
    let shortBlocks = count - data.count % count
    var blocks: [ArraySlice<UInt8>] = []
    var start = 0
    for number in 0..<count {
      let length = number < shortBlocks ? short : short + 1
      blocks.append(data[start..<start + length])
      start += length
    }
    let divisor = ReedSolomon.divisor(degree: correction)
    let corrections = blocks.map { ReedSolomon.remainder(of: $0, by: divisor) }
    let dataWords = (0...short).flatMap { place in
      blocks.compactMap { place < $0.count ? $0[$0.startIndex + place] : nil }
    }
    return dataWords + (0..<correction).flatMap { place in corrections.map { $0[place] } }
  }
}

/// Polynomials over the field of 256 elements with x^8 + x^4 + x^3 + x^2 + 1 (section 7.5.2). The
/// highest power comes first.
private enum ReedSolomon {
  static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var (product, factor, rest) = (UInt16(0), UInt16(left), right)
    while rest > 0 {
      if rest & 1 == 1 { product ^= factor }
      factor <<= 1
      if factor > 255 { factor ^= 0x11d }
      rest >>= 1
    }
    return UInt8(product)
  }

  /// (x - 1)(x - 2)(x - 4)... of that degree, without its leading 1.
  static func divisor(degree: Int) -> [UInt8] {
    var polynomial: [UInt8] = [1]
    var root: UInt8 = 1
    for _ in 0..<degree {
      let shifted = polynomial + [0]
      let scaled = [0] + polynomial.map { product($0, root) }
      polynomial = zip(shifted, scaled).map { $0 ^ $1 }
      root = product(root, 2)
    }
    return Array(polynomial.dropFirst())
  }

  static func remainder(of data: some Sequence<UInt8>, by divisor: [UInt8]) -> [UInt8] {
    var remainder = [UInt8](repeating: 0, count: divisor.count)
    for byte in data {
      let factor = byte ^ remainder[0]
      remainder = Array(remainder.dropFirst()) + [0]
      for (place, coefficient) in divisor.enumerated() {
        remainder[place] ^= product(coefficient, factor)
      }
    }
    return remainder
  }
}
