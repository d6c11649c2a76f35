// One entry of a GGUF file's tensor table, with all arithmetic on sizes checked once.

import ShoalProtocol

/// Where a tensor's weights lie and how they are stored.
public struct GGUFTensor: Hashable, Sendable {
  public let name: String
  public let type: GGMLType
  /// Elements per dimension, the contiguous one first, as ggml counts: `[columns, rows, ...]`.
  public let dimensions: [Int]
  /// Where the weights start, in bytes from the start of the file.
  public let offset: UInt64

  /// Elements of one row, a multiple of the type's block.
  public let rowLength: Int
  /// The product of all dimensions but the first.
  public let rows: Int
  /// Bytes of one row.
  public let rowBytes: Int
  /// Bytes of all rows. Always fits into an `Int`.
  public var byteCount: UInt64 { UInt64(rows) * UInt64(rowBytes) }
  public var elementCount: Int { rows * rowLength }
  /// The bytes in the file.
  public var range: Range<UInt64> { offset..<offset + byteCount }
}

/// A tensor as the table states it, before the start of the weights is known.
struct GGUFTensorEntry {
  let name: String
  let type: GGMLType
  let dimensions: [UInt64]
  /// From the start of the weights.
  let relativeOffset: UInt64
  /// Where the entry is in the file.
  let position: Int
}

extension GGUFCursor {
  mutating func tensorEntry() throws(GGUFError) -> GGUFTensorEntry {
    let start = position
    let name = try name("tensor name", limit: Limits.ggufTensorNameBytes)
    if case .tensor(let entry, _) = place { place = .tensor(entry: entry, name: name) }
    let at = position
    let dimensionCount = try integer(UInt32.self)
    guard (1...4).contains(dimensionCount) else {
      throw refusal(.dimensionCount(dimensionCount), at: at)
    }
    let dimensions = try integers(Int(dimensionCount), UInt64.self)
    let typeNumber = try integer(UInt32.self)
    guard let type = GGMLType(rawValue: typeNumber) else {
      throw refusal(.unknownTensorType(typeNumber), at: position - 4)
    }
    return GGUFTensorEntry(
      name: name, type: type, dimensions: dimensions, relativeOffset: try integer(),
      position: start)
  }

  /// Checks a tensor's dimensions and where it lies.
  func tensor(
    _ entry: GGUFTensorEntry, weightsStart: UInt64, alignment: UInt64, fileBytes: UInt64
  ) throws(GGUFError) -> GGUFTensor {
    let type = entry.type
    let rowLength = entry.dimensions[0]
    guard rowLength % UInt64(type.blockElements) == 0 else {
      throw refusal(.rowLength(rowLength, type: type), at: entry.position)
    }
    guard let dimensions = exactly(entry.dimensions),
      let rows = product(dimensions.dropFirst()),
      product(dimensions[...]) != nil,
      let rowBytes = product([dimensions[0] / type.blockElements, type.blockBytes]),
      let byteCount = product([rows, rowBytes])
    else { throw refusal(.dimensions(entry.dimensions), at: entry.position) }
    guard entry.relativeOffset % alignment == 0 else {
      throw refusal(
        .unaligned(offset: entry.relativeOffset, alignment: alignment), at: entry.position)
    }
    let (offset, overflow) = weightsStart.addingReportingOverflow(entry.relativeOffset)
    let (end, pastEnd) = offset.addingReportingOverflow(UInt64(byteCount))
    guard !overflow, !pastEnd, end <= fileBytes else {
      throw refusal(
        .outOfFile(end: overflow || pastEnd ? .max : end, fileBytes: fileBytes),
        at: entry.position)
    }
    return GGUFTensor(
      name: entry.name, type: type, dimensions: dimensions, offset: offset,
      rowLength: dimensions[0], rows: rows, rowBytes: rowBytes)
  }

  /// Nil where one is zero or does not fit.
  private func exactly(_ dimensions: [UInt64]) -> [Int]? {
    let exact = dimensions.compactMap { $0 == 0 ? nil : Int(exactly: $0) }
    return exact.count == dimensions.count ? exact : nil
  }

  /// Nil where it overflows.
  private func product(_ factors: ArraySlice<Int>) -> Int? {
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      product = next
    }
    return product
  }
}
