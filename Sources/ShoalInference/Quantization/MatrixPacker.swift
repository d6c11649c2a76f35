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
    let packing = WeightPacking(shape.format)
    var block = WeightBlock()
    for index in 0..<shape.rows {
      let source = try unsafe row(index)
      guard source.count == rowBytes else { throw .size(need: rowBytes, have: source.count) }
      let (group, lane) = index.quotientAndRemainder(dividingBy: MatrixShape.groupRows)
      let start = group * shape.groupStride
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: destination[start..<start + shape.groupStride])
      if let packing {
        unsafe packBlocks(source, packing, &block, PackedLane(lane, target))
      } else if shape.format == .f32 {
        unsafe packFloats(UInt32.self, source, lane, target)
      } else {
        unsafe packFloats(UInt16.self, source, lane, target)
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

  /// One row: each of its blocks is taken apart once, and dealt to the parts that lie in it.
  private func packBlocks(
    _ source: UnsafeRawBufferPointer, _ packing: WeightPacking, _ block: inout WeightBlock,
    _ lane: PackedLane
  ) {
    let (width, size) = (shape.format.blockColumns, shape.format.blockBytes)
    var current = -1
    var lines = shape.quantsOffset
    for (index, part) in shape.parts.parts.enumerated() {
      let (number, within) = (firstColumn + part.column).quotientAndRemainder(dividingBy: width)
      if number != current {
        current = number
        unsafe block.read(
          shape.format,
          UnsafeRawBufferPointer(rebasing: source[number * size..<(number + 1) * size]))
      }
      // A part lies in one block of 32; super-blocks are counted from the first one kept.
      lane.putScales(
        block, packing.scales, place: width == 32 ? index : number - firstColumn / width)
      lane.putIntegers(
        block, packing.scales, at: shape.integersOffset + index * packing.scales.integerBytes,
        column: within)
      for quad in 0..<part.quads {
        let columns = block.quad(within + 4 * quad, count: min(4, part.count - 4 * quad))
        lane.put(columns, packing, quad: quad, quads: part.quads, at: lines)
      }
      lines += packing.lines(quads: part.quads) * 64
    }
  }
}

/// Where one row's numbers go in the bytes of its group.
@safe private struct PackedLane {
  private let lane: Int
  private let group: UnsafeMutableRawBufferPointer

  /// - Parameter group: zeroed; bits are added to it.
  init(_ lane: Int, _ group: UnsafeMutableRawBufferPointer) {
    self.lane = lane
    unsafe self.group = group
  }

  /// d, and m or dmin, of the part or super-block number `place`.
  func putScales(_ block: WeightBlock, _ scales: WeightPacking.Scales, place: Int) {
    let start = place * scales.floatBytes + 2 * lane
    unsafe group.storeBytes(of: block.scale, toByteOffset: start, as: UInt16.self)
    if scales.hasMinimum {
      unsafe group.storeBytes(of: block.minimum, toByteOffset: start + 32, as: UInt16.self)
    }
  }

  /// The integer scales of the part that begins with `column` of the block.
  func putIntegers(
    _ block: WeightBlock, _ scales: WeightPacking.Scales, at start: Int, column: Int
  ) {
    switch scales {
    case .part, .partWithMinimum: break
    case .sub: unsafe group[start + lane] = block.subScales[column / 32]
    case .subWithMinimum:
      unsafe group[start + lane] = block.subScales[column / 32]
      unsafe group[start + 16 + lane] = block.subMinima[column / 32]
    case .halves, .halvesWithMinimum:
      for half in 0..<2 {
        let sub = min(column / 16 + half, 15)
        // Minima of halves are nibbles, and zero in formats without.
        unsafe group[start + 16 * half + lane] = block.subScales[sub] | block.subMinima[sub] << 4
      }
    }
  }

  /// u of four columns, a byte each, of the part whose lines begin at `start`.
  func put(_ columns: UInt32, _ packing: WeightPacking, quad: Int, quads: Int, at start: Int) {
    let (first, second) = packing.planes
    put(columns & Self.masks(first), bits: first, quad: quad, at: start)
    if second > 0 {
      let above = columns >> UInt32(first) & Self.masks(second)
      put(above, bits: second, quad: quad, at: start + (quads * first + 7) / 8 * 64)
    }
  }

  /// The lowest `bits` bits of each byte.
  private static func masks(_ bits: Int) -> UInt32 { 0x0101_0101 * UInt32(1 << bits - 1) }

  private func put(_ columns: UInt32, bits: Int, quad: Int, at start: Int) {
    let place = start + quad * bits / 8 * 64 + lane * 4
    let line = unsafe UInt32(littleEndian: group.load(fromByteOffset: place, as: UInt32.self))
    unsafe group.storeBytes(
      of: (line | columns << UInt32(quad * bits % 8)).littleEndian, toByteOffset: place,
      as: UInt32.self)
  }
}
