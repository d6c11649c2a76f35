// Rearranges rows of a GGUF tensor into the packed layout; weights and scales keep their bits.

/// Packs some columns of some rows of a row-major tensor.
public struct MatrixPacker: Sendable {
  public let shape: MatrixShape
  private let firstColumn: Int
  /// Bytes of a whole source row.
  public let rowBytes: Int

  /// - Parameters:
  ///   - rowWidth: columns of the tensor; a whole number of blocks of the format.
  ///   - columns: those to keep, anywhere in the row: blocks that straddle an end are cut.
  ///   - rows: how many rows will be packed.
  public init(format: WeightFormat, rowWidth: Int, columns: Range<Int>, rows: Int)
    throws(MatrixError)
  {
    rowBytes = try format.rowBytes(columns: rowWidth)
    guard columns.lowerBound >= 0, columns.upperBound <= rowWidth, !columns.isEmpty else {
      throw .columns(first: columns.lowerBound, count: columns.count, width: rowWidth)
    }
    shape = try MatrixShape(
      format: format, rows: rows, firstColumn: columns.lowerBound, columns: columns.count)
    firstColumn = columns.lowerBound
  }

  /// Packs the rows that `row` names, in order, into `destination` (`shape.byteCount` bytes).
  ///
  /// - Parameter row: the source bytes of packed row `0 ..< shape.rows`, `rowBytes` long and valid
  ///   until the next call.
  public func pack(
    into destination: UnsafeMutableRawBufferPointer,
    row: (Int) throws(MatrixError) -> UnsafeRawBufferPointer
  ) throws(MatrixError) {
    guard destination.count == shape.byteCount else {
      throw .size(need: shape.byteCount, have: destination.count)
    }
    unsafe destination.initializeMemory(as: UInt8.self, repeating: 0)
    for index in 0..<shape.rows {
      let source = try unsafe row(index)
      guard source.count == rowBytes else { throw .size(need: rowBytes, have: source.count) }
      let (group, lane) = index.quotientAndRemainder(dividingBy: MatrixShape.groupRows)
      let start = group * shape.groupStride
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: destination[start..<start + shape.groupStride])
      switch shape.format {
      case .f32: unsafe packFloats(UInt32.self, source, lane, target)
      case .f16: unsafe packFloats(UInt16.self, source, lane, target)
      case .q8_0: unsafe packBytes(source, lane, target)
      case .q4_0: unsafe packNibbles(source, lane, target)
      }
    }
  }

  /// Packs the given rows of a whole tensor into memory of their own.
  public func pack(tensor: UnsafeRawBufferPointer, rows: some Collection<Int>)
    throws(MatrixError) -> PackedMatrix
  {
    guard rows.count == shape.rows else { throw .size(need: shape.rows, have: rows.count) }
    let packed = AlignedBytes(count: shape.byteCount)
    var next = rows.makeIterator()
    try unsafe pack(into: packed.mutableBytes) { _ throws(MatrixError) in
      let start = (next.next() ?? 0) * rowBytes
      guard start >= 0, start + rowBytes <= tensor.count else {
        throw .size(need: start + rowBytes, have: tensor.count)
      }
      return unsafe UnsafeRawBufferPointer(rebasing: tensor[start..<start + rowBytes])
    }
    return try PackedMatrix(shape: shape, bytes: packed)
  }

  private func packFloats<Bits: FixedWidthInteger & BitwiseCopyable>(
    _: Bits.Type, _ source: UnsafeRawBufferPointer, _ lane: Int,
    _ target: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Bits>.size
    for column in 0..<shape.columns {
      let bits = unsafe source.loadUnaligned(
        fromByteOffset: (firstColumn + column) * size, as: Bits.self)
      unsafe target.storeBytes(
        of: bits, toByteOffset: (column * MatrixShape.groupRows + lane) * size, as: Bits.self)
    }
  }

  /// Where the block that holds a part's columns begins, and the part's place in it.
  private func locate(_ part: ColumnParts.Part) -> (block: Int, within: Int) {
    let (block, within) = (firstColumn + part.column)
      .quotientAndRemainder(dividingBy: ColumnParts.block)
    return (block * shape.format.blockBytes, within)
  }

  private func packScale(
    _ source: UnsafeRawBufferPointer, _ block: Int, _ part: Int, _ lane: Int,
    _ target: UnsafeMutableRawBufferPointer
  ) {
    let scale = unsafe source.loadUnaligned(fromByteOffset: block, as: UInt16.self)
    unsafe target.storeBytes(
      of: scale, toByteOffset: (part * MatrixShape.groupRows + lane) * 2, as: UInt16.self)
  }

  private func packBytes(
    _ source: UnsafeRawBufferPointer, _ lane: Int, _ target: UnsafeMutableRawBufferPointer
  ) {
    var quad = shape.scaleBytes
    for (index, part) in shape.parts.parts.enumerated() {
      let (block, within) = locate(part)
      unsafe packScale(source, block, index, lane, target)
      let quants = block + 2 + within
      for column in 0..<part.count {
        unsafe target[quad + column / 4 * 64 + lane * 4 + column % 4] =
          source[quants + column] ^ 0x80
      }
      quad += part.quads * 64
    }
  }

  private func packNibbles(
    _ source: UnsafeRawBufferPointer, _ lane: Int, _ target: UnsafeMutableRawBufferPointer
  ) {
    var pair = shape.scaleBytes
    for (index, part) in shape.parts.parts.enumerated() {
      let (block, within) = locate(part)
      unsafe packScale(source, block, index, lane, target)
      for column in 0..<part.count {
        let element = within + column
        let byte = unsafe source[block + 2 + element % 16]
        let nibble = element < 16 ? byte & 0x0F : byte >> 4
        // Of eight columns the first four are low nibbles, the next four high ones.
        let place = pair + column / 8 * 64 + lane * 4 + column % 4
        unsafe target[place] |= column % 8 < 4 ? nibble : nibble << 4
      }
      pair += part.pairs * 64
    }
  }
}
