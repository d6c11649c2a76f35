// Single weights out of a packed matrix: embedding rows, and what the reference loops read.

extension PackedMatrix {
  /// Writes row `row` as f32 into `output` (`shape.columns` elements): w = Float(q) * Float(d),
  /// one rounding; float formats are exact. This is the embedding look-up.
  public func dequantizeRow(_ row: Int, into output: UnsafeMutableBufferPointer<Float>) {
    precondition((0..<shape.rows).contains(row) && output.count == shape.columns)
    if shape.format.isQuantised {
      for (index, part) in shape.parts.parts.enumerated() {
        let scale = scale(row: row, part: index)
        let start = quantsOffset(row: row, part: index)
        for column in 0..<part.count {
          let quant = unsignedQuant(start, column) - shape.format.quantOffset
          unsafe output[part.column + column] = Float(quant) * scale
        }
      }
    } else {
      for column in 0..<shape.columns {
        unsafe output[column] = float(row: row, column: column)
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
    let start = group(of: row)
    return shape.format == .f32
      ? unsafe base.load(fromByteOffset: start + element * 4, as: Float.self)
      : Half.float(
        unsafe base.load(fromByteOffset: start + element * 2, as: UInt16.self))
  }

  /// The scale d of a part of a quantised row.
  func scale(row: Int, part: Int) -> Float {
    let element = part * MatrixShape.groupRows + row % MatrixShape.groupRows
    return Half.float(
      unsafe base.load(fromByteOffset: group(of: row) + element * 2, as: UInt16.self))
  }

  /// Where the quants of a part of a row begin.
  func quantsOffset(row: Int, part: Int) -> Int {
    let lines =
      shape.format == .q4_0 ? shape.parts.pairStarts[part] : shape.parts.quadStarts[part]
    return group(of: row) + shape.scaleBytes + lines * 64 + row % MatrixShape.groupRows * 4
  }

  /// The quant of a column of the part whose quants begin at `start`: w = d * (u - offset).
  func unsignedQuant(_ start: Int, _ column: Int) -> Int32 {
    if shape.format == .q4_0 {
      let byte = unsafe base.load(
        fromByteOffset: start + column / 8 * 64 + column % 4, as: UInt8.self)
      return Int32(column % 8 < 4 ? byte & 0x0F : byte >> 4)
    }
    return Int32(
      unsafe base.load(fromByteOffset: start + column / 4 * 64 + column % 4, as: UInt8.self))
  }

  private func group(of row: Int) -> Int { row / MatrixShape.groupRows * shape.groupStride }
}
