// Single weights out of a packed matrix: embedding rows, and what the reference loops read.

/// The weights of one row in one part, taken out of their planes:
/// w = scale * s * q + minimum * m, with s and m of the half that the column is in.
struct PartWeights {
  /// d.
  var scale: Float = 0
  /// m of formats with blocks of 32, -dmin of those with super-blocks; 0 where there is none.
  var minimum: Float = 0
  /// s of the first and of the second half; 1 where the format has none.
  var subScales: (Int32, Int32) = (1, 1)
  /// m of both halves; 1 in formats with blocks of 32.
  var subMinima: (Int32, Int32) = (1, 1)
  /// Columns of the first half; all, where the format has no halves.
  var split = 32
  /// Integer weights q: u without its offset.
  var quants = SIMD32<Int32>()
}

extension PackedMatrix {
  /// Writes row `row` as f32 into `output` (`shape.columns` elements), each weight rounded once;
  /// float formats are exact. This is the embedding look-up.
  public func dequantizeRow(_ row: Int, into output: UnsafeMutableBufferPointer<Float>) {
    precondition((0..<shape.rows).contains(row) && output.count == shape.columns)
    guard let packing = WeightPacking(shape.format) else {
      for column in 0..<shape.columns {
        unsafe output[column] = float(row: row, column: column)
      }
      return
    }
    forEachPart(row: row, packing) { _, part, weights in
      for column in 0..<part.count {
        let isFirst = column < weights.split
        let scale = isFirst ? weights.subScales.0 : weights.subScales.1
        // 11 bits of d and 13 of s q: exact. So is the other product.
        var weight = weights.scale * Float(scale) * Float(weights.quants[column])
        if packing.scales.hasMinimum {
          let minimum = isFirst ? weights.subMinima.0 : weights.subMinima.1
          weight += Float(minimum) * weights.minimum
        }
        unsafe output[part.column + column] = weight
      }
    }
  }

  /// Row `row` as f32, (columns).
  public func dequantizeRow(_ row: Int) -> [Float] {
    unsafe Array(unsafeUninitializedCapacity: shape.columns) { buffer, count in
      unsafe dequantizeRow(
        row, into: UnsafeMutableBufferPointer(rebasing: buffer[..<shape.columns]))
      count = shape.columns
    }
  }

  /// The weight of a float format.
  func float(row: Int, column: Int) -> Float {
    let element = column * MatrixShape.groupRows + row % MatrixShape.groupRows
    let start = row / MatrixShape.groupRows * shape.groupStride
    if shape.format == .f32 {
      return unsafe base.load(fromByteOffset: start + element * 4, as: Float.self)
    }
    let bits = unsafe base.load(fromByteOffset: start + element * 2, as: UInt16.self)
    return shape.format == .bf16 ? Float(bitPattern: UInt32(bits) << 16) : Half.float(bits)
  }

  /// Calls `body` with each part of a quantised row, ascending: its number, its columns, its
  /// weights.
  func forEachPart(
    row: Int, _ packing: WeightPacking, _ body: (Int, ColumnParts.Part, PartWeights) -> Void
  ) {
    let (group, lane) = row.quotientAndRemainder(dividingBy: MatrixShape.groupRows)
    let start = unsafe base + group * shape.groupStride
    var lines = unsafe start + shape.quantsOffset + lane * 4
    for (index, part) in shape.parts.parts.enumerated() {
      var weights = unsafe scales(start, lane, index, part, packing.scales)
      for column in 0..<part.count {
        let quant = unsafe Self.quant(lines, packing, column: column, quads: part.quads)
        weights.quants[column] =
          (packing.values.isEmpty ? Int32(quant) : Int32(packing.values[Int(quant)]))
          - packing.offset
      }
      body(index, part, weights)
      unsafe lines += packing.lines(quads: part.quads) * 64
    }
  }

  private func scales(
    _ group: UnsafeRawPointer, _ lane: Int, _ index: Int, _ part: ColumnParts.Part,
    _ scales: WeightPacking.Scales
  ) -> PartWeights {
    var weights = PartWeights()
    let column = shape.superPhase + part.column
    let place = scales.columns == ColumnParts.block ? index : column / scales.columns
    let half = { (offset: Int) in
      Half.float(
        unsafe group.load(
          fromByteOffset: place * scales.floatBytes + offset + 2 * lane, as: UInt16.self))
    }
    let byte = { (offset: Int) in
      unsafe group.load(
        fromByteOffset: shape.integersOffset + index * scales.integerBytes + offset + lane,
        as: UInt8.self)
    }
    weights.scale = half(0)
    if scales.hasMinimum { weights.minimum = half(32) }
    if scales.isHalved { weights.split = part.split }
    switch scales {
    case .part, .partWithMinimum: break
    case .sub: weights.subScales.0 = Int32(Int8(bitPattern: byte(0)))
    case .subWithMinimum:
      weights.subScales.0 = Int32(byte(0))
      weights.subMinima.0 = Int32(byte(16))
      weights.minimum.negate()
    case .halves:
      weights.subScales = (
        Int32(Int8(bitPattern: byte(0))), Int32(Int8(bitPattern: byte(16)))
      )
    case .halvesWithMinimum:
      weights.subScales = (Int32(byte(0) & 0x0F), Int32(byte(16) & 0x0F))
      weights.subMinima = (Int32(byte(0) >> 4), Int32(byte(16) >> 4))
      weights.minimum.negate()
    }
    return weights
  }

  /// u of a column of the part whose lines, of this row, begin at `lines`.
  private static func quant(
    _ lines: UnsafeRawPointer, _ packing: WeightPacking, column: Int, quads: Int
  ) -> UInt8 {
    let bits = { (plane: Int, width: Int) in
      let place = column / 4 * width
      let byte = unsafe lines.load(
        fromByteOffset: plane + place / 8 * 64 + column % 4, as: UInt8.self)
      return byte >> UInt8(place % 8) & UInt8(1 << width - 1)
    }
    let (first, second) = packing.planes
    guard second > 0 else { return bits(0, first) }
    return bits(0, first) | bits((quads * first + 7) / 8 * 64, second) << UInt8(first)
  }
}
