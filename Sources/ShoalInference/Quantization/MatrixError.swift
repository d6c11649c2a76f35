// What can be wrong with bytes that are said to be weights, and with numbers on their way.

/// Every case carries the numbers.
public enum MatrixError: Error, Hashable, Sendable {
  /// Bytes of a matrix or of a row are too few or too many.
  case size(need: Int, have: Int)
  /// A packed matrix must begin at a multiple of 64 bytes.
  case misaligned(remainder: Int)
  /// A row that is no whole number of blocks.
  case partialBlock(columns: Int, block: Int)
  /// Rows or columns outside 1...limit.
  case dimension(Int, limit: Int)
  /// Columns that the row does not have.
  case columns(first: Int, count: Int, width: Int)
  /// Columns that begin within a quad of a format with sub-blocks of 16.
  case subBlock(firstColumn: Int, multiple: Int)
  /// Weights of this format are read, not made.
  case noQuantizer(WeightFormat)
  /// An activation is NaN or infinite.
  case notFinite
  /// A product to be rounded is NaN or at least 2^44 units.
  case outOfRange
}
