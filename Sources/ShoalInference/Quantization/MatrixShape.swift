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

  /// Columns `firstColumn ..< firstColumn + columns` of an original weight row.
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
  }

  public var columns: Int { parts.count }
  public var groups: Int { (rows + Self.groupRows - 1) / Self.groupRows }

  /// Bytes from one row group to the next.
  public var groupStride: Int {
    switch format {
    case .f32: columns * 64
    case .f16: Self.roundedTo64(columns * 32)
    case .q8_0: scaleBytes + (parts.quadStarts.last ?? 0) * 64
    case .q4_0: scaleBytes + (parts.pairStarts.last ?? 0) * 64
    }
  }

  /// Bytes of the packed matrix.
  public var byteCount: Int { groups * groupStride }

  /// Bytes of the plane of scales that heads a group: 16 f16 per part, padded to 64.
  package var scaleBytes: Int {
    format.isQuantised ? Self.roundedTo64(parts.parts.count * Self.groupRows * 2) : 0
  }

  private static func roundedTo64(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
}
