// The modules of a QR code: its fixed patterns, the codewords between them, and the mask over those
// (ISO/IEC 18004, sections 6.3, 7.7 to 7.10).

struct QRMatrix: Hashable {
  let version: Int
  let size: Int
  private var dark: [Bool]
  /// Modules that are no data.
  private var isFixed: [Bool]

  subscript(row: Int, column: Int) -> Bool { dark[row * size + column] }

  /// Modules that codewords have.
  var freeModules: Int { isFixed.count { !$0 } }

  /// The fixed patterns of a version, and no data.
  init(version: Int) {
    precondition((1...40).contains(version), "version \(version)")
    self.version = version
    size = 17 + 4 * version
    dark = [Bool](repeating: false, count: size * size)
    isFixed = dark
    for place in 0..<size {
      fix(6, place, place.isMultiple(of: 2))
      fix(place, 6, place.isMultiple(of: 2))
    }
    // Rings are told apart by their distance from the middle; the fourth is the light separator.
    for (row, column) in [(3, 3), (3, size - 4), (size - 4, 3)] {
      drawRings(row, column, radius: 4, light: [2, 4])
    }
    for (row, column) in alignments { drawRings(row, column, radius: 2, light: [1]) }
    drawVersion()
    drawFormat(mask: 0)
  }

  private mutating func fix(_ row: Int, _ column: Int, _ isDark: Bool) {
    dark[row * size + column] = isDark
    isFixed[row * size + column] = true
  }

  private mutating func drawRings(_ row: Int, _ column: Int, radius: Int, light: Set<Int>) {
    for down in -radius...radius {
      for across in -radius...radius {
        let (place, other) = (row + down, column + across)
        guard (0..<size).contains(place), (0..<size).contains(other) else { continue }
        fix(place, other, !light.contains(max(abs(down), abs(across))))
      }
    }
  }

  /// Middles of the alignment patterns (annex E): a grid whose last line is 7 from the edge, whose
  /// first is 6 from it, and whose steps are even and as equal as that allows.
  private var alignments: [(Int, Int)] {
    guard version > 1 else { return [] }
    let count = version / 7 + 2
    // 26.4 is rounded down in this one version.
    let step = version == 32 ? 26 : (size - 13 + 2 * (count - 1) - 1) / (2 * (count - 1)) * 2
    let lines = [6] + (0..<count - 1).reversed().map { size - 7 - $0 * step }
    return lines.flatMap { row in lines.map { (row, $0) } }.filter { row, column in
      // Where finders are.
      !(row == 6 && column == 6) && !(row == 6 && column == size - 7)
        && !(row == size - 7 && column == 6)
    }
  }

  /// Bits behind which their remainder by a generator stands (annexes C and D).
  private static func withRemainder(_ bits: Int, by generator: Int, degree: Int) -> Int {
    var remainder = bits << degree
    while remainder >> degree > 0 {
      let excess = (Int.bitWidth - remainder.leadingZeroBitCount) - (degree + 1)
      remainder ^= generator << excess
    }
    return bits << degree | remainder
  }

  /// Twice, beside two finders, from version 7 on.
  private mutating func drawVersion() {
    guard version >= 7 else { return }
    let bits = QRMatrix.withRemainder(version, by: 0x1f25, degree: 12)
    for bit in 0..<18 {
      let (far, near) = (size - 11 + bit % 3, bit / 3)
      fix(far, near, bits >> bit & 1 == 1)
      fix(near, far, bits >> bit & 1 == 1)
    }
  }

  /// Level L and the mask, twice, around the finders; and the one module that is always dark.
  private mutating func drawFormat(mask: Int) {
    let bits = QRMatrix.withRemainder(0b01_000 | mask, by: 0x537, degree: 10) ^ 0x5412
    for bit in 0..<15 {
      let isDark = bits >> bit & 1 == 1
      // Around the timing patterns, which have row and column 6.
      switch bit {
      case 0...5: fix(bit, 8, isDark)
      case 6, 7: fix(bit + 1, 8, isDark)
      case 8: fix(8, 7, isDark)
      case _: fix(8, 14 - bit, isDark)
      }
      if bit < 8 { fix(8, size - 1 - bit, isDark) } else { fix(size - 15 + bit, 8, isDark) }
    }
    fix(size - 8, 8, true)
  }

  // MARK: Data

  /// Bits go up and down in columns of two from the right, around what is fixed.
  mutating func place(_ codewords: [UInt8]) {
    var bits = codewords.lazy.flatMap { word in (0..<8).reversed().map { word >> $0 & 1 == 1 } }
      .makeIterator()
    for (turn, right) in stride(from: size - 1, through: 2, by: -2).enumerated() {
      // The timing column belongs to none of the twos.
      let column = right <= 6 ? right - 1 : right
      for step in 0..<size {
        let row = turn.isMultiple(of: 2) ? size - 1 - step : step
        for place in [row * size + column, row * size + column - 1] where !isFixed[place] {
          // Up to seven modules are left over, and light.
          dark[place] = bits.next() ?? false
        }
      }
    }
  }

  /// Turns around the data that a mask covers, and says which mask it is. Twice is not at all.
  mutating func apply(mask: Int) {
    for row in 0..<size {
      for column in 0..<size where !isFixed[row * size + column] {
        if QRMatrix.covers(mask, row, column) { dark[row * size + column].toggle() }
      }
    }
    drawFormat(mask: mask)
  }

  /// Table 10.
  private static func covers(_ mask: Int, _ row: Int, _ column: Int) -> Bool {
    let (sum, product) = (row + column, row * column)
    return switch mask {
    case 0: sum % 2 == 0
    case 1: row % 2 == 0
    case 2: column % 3 == 0
    case 3: sum % 3 == 0
    case 4: (row / 2 + column / 3) % 2 == 0
    case 5: product % 2 + product % 3 == 0
    case 6: (product % 2 + product % 3) % 2 == 0
    case _: (sum % 2 + product % 3) % 2 == 0
    }
  }

  /// The first of those with the fewest points.
  var bestMask: Int {
    let points = (0..<8).map { mask in
      var masked = self
      masked.apply(mask: mask)
      return masked.points
    }
    return points.indices.min { points[$0] < points[$1] } ?? 0
  }

  /// Table 11: runs, squares, what looks like a finder, and too much of one colour.
  private var points: Int {
    let rows = (0..<size).map { row in (0..<size).map { self[row, $0] } }
    let columns = (0..<size).map { column in (0..<size).map { self[$0, column] } }
    var points = (rows + columns).reduce(0) { $0 + QRMatrix.points(ofLine: $1) }
    for row in 0..<size - 1 {
      for column in 0..<size - 1 {
        let module = self[row, column]
        if module == self[row, column + 1], module == self[row + 1, column],
          module == self[row + 1, column + 1]
        {
          points += 3
        }
      }
    }
    let twentieths = 20 * dark.count { $0 }
    return points + abs(twentieths - 10 * dark.count) / dark.count * 10
  }

  private static let finder = [true, false, true, true, true, false, true]

  private static func points(ofLine line: [Bool]) -> Int {
    var (points, run) = (0, 0)
    for (place, module) in line.enumerated() {
      run = place > 0 && line[place - 1] == module ? run + 1 : 1
      if run == 5 { points += 3 } else if run > 5 { points += 1 }
    }
    // Outside everything is light.
    let light = [Bool](repeating: false, count: 4)
    let framed = light + line + light
    for place in 4...framed.count - 11 where framed[place..<place + 7].elementsEqual(finder) {
      let before = framed[place - 4..<place].allSatisfy { !$0 }
      let after = framed[place + 7..<place + 11].allSatisfy { !$0 }
      if before || after { points += 40 }
    }
    return points
  }
}
