// Cuts columns where a weight block or an activation block ends.
// Weight blocks begin at multiples of 32 of the original row, activation blocks at multiples of 32
// of the numeric atom: with heads of 8, 24 or 80 columns these are different places, and a product
// of scales is constant only between two cuts.

import CKernels

/// The parts of a numeric atom's columns (docs/NUMERICS.md, "Parts").
public struct ColumnParts: Hashable, Sendable {
  /// Columns of a weight block and of an activation block.
  public static let block = 32

  /// At most 32 columns that share a weight scale and an activation scale.
  public struct Part: Hashable, Sendable {
    /// First column, counted from the atom's own first.
    public let column: Int
    /// 1...32.
    public let count: Int
    /// The activation block it lies in.
    public let block: Int
    /// Columns before the weight row's next multiple of 16, where some formats have a sub-block's
    /// end: 1...16.
    public let split: Int
    /// Groups of four columns, the last one padded.
    public var quads: Int { (count + 3) / 4 }
    /// Columns that an activation record has room for.
    package var room: Int { (count + 7) / 8 * 8 }
  }

  /// Columns of the atom.
  public let count: Int
  /// How far into a weight block the atom begins. Nothing else about its place in the row matters,
  /// so that atoms of equal phase and count share activations.
  public let phase: Int
  /// Ascending and without gaps.
  public let parts: [Part]
  /// The first part of each activation block, and the number of parts.
  let blockStarts: [Int]

  /// Bytes of one token's activation records.
  package let recordBytes: Int
  /// Byte offset of each part's activation record.
  package let recordOffsets: [Int]
  /// The same table, as C reads it.
  let table: PartTable

  /// Columns `first ..< first + count` of a weight row. `count` is positive.
  public init(first: Int, count: Int) {
    precondition(first >= 0 && count > 0, "columns \(first)+\(count)")
    self.count = count
    phase = first % Self.block
    var parts: [Part] = []
    var column = 0
    while column < count {
      let toWeightCut = Self.block - (phase + column) % Self.block
      let toActivationCut = Self.block - column % Self.block
      let width = min(toWeightCut, toActivationCut, count - column)
      parts.append(
        Part(
          column: column, count: width, block: column / Self.block,
          split: min(width, 16 - (phase + column) % 16)))
      column += width
    }
    self.parts = parts
    blockStarts =
      parts.indices.filter { parts[$0].column.isMultiple(of: Self.block) } + [parts.count]

    var offset = 0
    var offsets: [Int] = []
    for part in parts {
      offsets.append(offset)
      offset += MemoryLayout<shoal_record>.size + part.room
    }
    recordOffsets = offsets
    recordBytes = offset
    table = PartTable(
      zip(parts, offsets).map { part, offset in
        shoal_part(
          column: Int32(part.column), count: Int16(part.count), split: Int16(part.split),
          block: Int32(part.block), record: Int32(offset))
      })
  }

  /// The parts of whole activation blocks: `columns` begin and end with one, or end at the end.
  func parts(of columns: Range<Int>) -> Range<Int> {
    precondition(
      columns.lowerBound.isMultiple(of: Self.block) && columns.upperBound <= count
        && (columns.upperBound == count || columns.upperBound.isMultiple(of: Self.block)),
      "columns \(columns) of \(count)")
    let last = (columns.upperBound + Self.block - 1) / Self.block
    return blockStarts[columns.lowerBound / Self.block]..<blockStarts[last]
  }

  public static func == (a: ColumnParts, b: ColumnParts) -> Bool {
    a.count == b.count && a.phase == b.phase
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    hasher.combine(phase)
  }
}

/// Parts at an address that stays, so that a list of products can name the tables of many matrices.
@safe final class PartTable: @unchecked Sendable {
  let parts: UnsafeBufferPointer<shoal_part>

  init(_ parts: [shoal_part]) {
    let memory = UnsafeMutableBufferPointer<shoal_part>.allocate(capacity: parts.count)
    _ = unsafe memory.initialize(from: parts)
    unsafe self.parts = UnsafeBufferPointer(memory)
  }

  deinit { unsafe parts.deallocate() }
}
