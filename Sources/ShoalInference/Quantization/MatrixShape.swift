// The packed layout "R16C4": where each weight of a matrix lies. Also the layout on disk.
// One SIMD lane is one row, so that no width of vector changes the order of a sum.

/// Rows, columns and format of a packed matrix, and the byte offsets that follow from them.
///
/// Rows go in groups of 16, the last one padded with zero rows; groups follow each other at
/// `groupStride`, a multiple of 64 bytes. docs/NUMERICS.md, "Packed matrices", has the table.
public struct MatrixShape: Hashable, Sendable {
  public static let groupRows = 16
  /// The largest number of rows or columns: keeps every offset far from overflow.
  public static let largestDimension = 1 << 24

  public let format: WeightFormat
  public let rows: Int
  /// The columns and how they are cut. `parts.count` is the number of columns.
  public let parts: ColumnParts
  /// How far into a super-block of 256 the columns begin.
  package let superPhase: Int
  /// Bytes from one row group to the next.
  public let groupStride: Int
  /// Byte offset of the integer scales in a group.
  package let integersOffset: Int
  /// Byte offset of the quants in a group.
  package let quantsOffset: Int

  /// Columns `firstColumn ..< firstColumn + columns` of an original weight row.
  ///
  /// - Throws: `.dimension`, and `.subBlock` where sub-blocks of 16 columns would be cut within a
  ///   quad of four.
  public init(format: WeightFormat, rows: Int, firstColumn: Int = 0, columns: Int)
    throws(MatrixError)
  {
    guard (1...Self.largestDimension).contains(rows) else {
      throw .dimension(rows, limit: Self.largestDimension)
    }
    guard (1...Self.largestDimension).contains(columns) else {
      throw .dimension(columns, limit: Self.largestDimension)
    }
    guard (0...Self.largestDimension).contains(firstColumn) else {
      throw .dimension(firstColumn, limit: Self.largestDimension)
    }
    self.format = format
    self.rows = rows
    parts = ColumnParts(first: firstColumn, count: columns)
    superPhase = firstColumn % 256
    guard let packing = WeightPacking(format) else {
      let column = Self.groupRows * format.blockBytes
      (integersOffset, quantsOffset) = (0, 0)
      groupStride = Self.roundedTo64(columns * column)
      return
    }
    if packing.scales.isHalved, !firstColumn.isMultiple(of: 4) {
      throw .subBlock(firstColumn: firstColumn, multiple: 4)
    }
    let scales =
      packing.scales.columns == ColumnParts.block
      ? parts.parts.count : (superPhase + columns + 255) / 256
    integersOffset = Self.roundedTo64(scales * packing.scales.floatBytes)
    quantsOffset =
      integersOffset + Self.roundedTo64(parts.parts.count * packing.scales.integerBytes)
    let lines = parts.parts.reduce(0) { $0 + packing.lines(quads: $1.quads) }
    groupStride = quantsOffset + lines * 64
  }

  public var columns: Int { parts.count }
  public var groups: Int { (rows + Self.groupRows - 1) / Self.groupRows }

  /// Bytes of the packed matrix.
  public var byteCount: Int { groups * groupStride }

  private static func roundedTo64(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
}
