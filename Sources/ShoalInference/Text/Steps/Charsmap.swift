// SentencePiece's compiled table of replacements: a double array that leads from the bytes of a
// prefix to the offset of what replaces it (Aoe 1989; the layout is that of the darts-clone
// library, `darts.h`; the file's, of `normalizer.cc`).

struct Charsmap: Sendable {
  private let units: [UInt32]
  /// Replacements, each ended by a zero byte.
  private let replacements: [UInt8]

  /// - Parameter bytes: the size of the array in bytes (`UInt32`), the array, the replacements.
  init(_ bytes: [UInt8]) throws(TokenizerError) {
    guard bytes.count >= 4 else { throw .charsmap(offset: 0) }
    let size = Self.integer(bytes, 0)
    guard size % 4 == 0, size > 0, Int(size) <= bytes.count - 4 else { throw .charsmap(offset: 0) }
    units = stride(from: 4, to: 4 + Int(size), by: 4).map { Self.integer(bytes, $0) }
    replacements = Array(bytes[(4 + Int(size))...])
    guard replacements.last == 0 else { throw .charsmap(offset: bytes.count) }
  }

  private static func integer(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
  }

  /// Every prefix of `text` at `start` that has a replacement: its length and the replacement's
  /// offset, the shortest first. A unit that points outside of the array ends the search.
  private func prefixes(_ text: [UInt8], _ range: Range<Int>) -> [(length: Int, offset: Int)] {
    var found: [(length: Int, offset: Int)] = []
    var unit = units[0]
    var node = Self.offset(unit)
    for at in range {
      guard text[at] != 0 else { return found }
      node ^= UInt32(text[at])
      guard Int(node) < units.count else { return found }
      unit = units[Int(node)]
      guard unit & 0x8000_00ff == UInt32(text[at]) else { return found }
      node ^= Self.offset(unit)
      if unit >> 8 & 1 == 1 {
        guard Int(node) < units.count else { return found }
        found.append((at + 1 - range.lowerBound, Int(units[Int(node)] & 0x7fff_ffff)))
      }
    }
    return found
  }

  private static func offset(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & 1 << 9) >> 6) }

  private func replacement(_ offset: Int) -> ArraySlice<UInt8> {
    guard offset < replacements.count else { return [] }
    return replacements[offset...].prefix { $0 != 0 }
  }

  /// Replaces the longest prefix again and again, as SentencePiece does.
  func normalizePrefixes(_ text: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
      if let longest = prefixes(text, at..<text.count).last {
        output += replacement(longest.offset)
        at += longest.length
      } else {
        let (scalar, length) = UTF8Form.scalar(text, at)
        UTF8Form.append(scalar, to: &output)
        at += length
      }
    }
    return output
  }

  /// Replaces a short grapheme as a whole by what its shortest prefix stands for, and else each of
  /// its characters, as Hugging Face's tokenizers do.
  func normalizeGraphemes(_ text: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.count)
    for grapheme in String(decoding: text, as: UTF8.self) {
      let bytes = Array(grapheme.utf8)
      if bytes.count < 6, let first = prefixes(bytes, bytes.indices).first {
        output += replacement(first.offset)
        continue
      }
      for scalar in grapheme.unicodeScalars {
        let bytes = Array(String(scalar).utf8)
        if let first = prefixes(bytes, bytes.indices).first {
          output += replacement(first.offset)
        } else {
          output += bytes
        }
      }
    }
    return output
  }
}
