// What each character decomposes into, out of the compact texts beside this file.

/// One level of decompositions, by scalar.
struct DecompositionTable: Sendable {
  private var ranges: [UInt32: Range<Int>] = [:]
  private var scalars: [UInt32] = []

  static let canonical = DecompositionTable(canonicalText)
  static let compatibility = DecompositionTable(compatibilityText)

  /// Entries are `gap[*count].step[.step...]` in base 36: how far after the last entry's scalar
  /// this one is, how many scalars from there on map to as many in a row, and for each scalar of
  /// the mapping how far it is from the last one written, the sign in the lowest bit.
  private init(_ text: String) {
    var scalar: UInt32 = 0
    var last: UInt32 = 0
    for entry in text.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x0a }) {
      let fields = entry.split(separator: UInt8(ascii: "."))
      let head = fields[0].split(separator: UInt8(ascii: "*"))
      scalar &+= Self.number(head[0])
      let start = scalars.count
      for field in fields.dropFirst() {
        let step = Self.number(field)
        last = last &+ (step & 1 == 0 ? step / 2 : 0 &- (step + 1) / 2)
        scalars.append(last)
      }
      ranges[scalar] = start..<scalars.count
      for further in 1..<max(1, head.count > 1 ? Self.number(head[1]) : 1) {
        ranges[scalar + further] = scalars.count..<scalars.count + 1
        scalars.append(last + further)
      }
      scalar += head.count > 1 ? Self.number(head[1]) - 1 : 0
    }
  }

  private static func number(_ digits: Substring.UTF8View) -> UInt32 {
    digits.reduce(0) { $0 * 36 + UInt32($1 < 0x3a ? $1 - 0x30 : $1 - 0x61 + 10) }
  }

  subscript(scalar: UInt32) -> ArraySlice<UInt32>? { ranges[scalar].map { scalars[$0] } }

  /// Every pair of scalars that a single one decomposes into.
  var pairs: [(whole: UInt32, first: UInt32, second: UInt32)] {
    ranges.compactMap { whole, range in
      range.count == 2
        ? (whole, scalars[range.lowerBound], scalars[range.lowerBound + 1]) : nil
    }
  }
}
