// One entry of a safetensors header, with all arithmetic on sizes checked once.

internal import ShoalProtocol

/// Where a tensor's weights lie and how they are stored.
public struct SafetensorsTensor: Hashable, Sendable {
  public let name: String
  public let dtype: SafetensorsDtype
  /// Elements per dimension, the contiguous one last, as torch counts.
  public let shape: [Int]
  /// The bytes in the file, counted from its start.
  public let range: Range<UInt64>

  /// The product of all dimensions but the last; 1 for a vector or a single number.
  public let rows: Int
  /// The last dimension; 1 for a single number.
  public let columns: Int

  /// Reads `{"dtype": ..., "shape": [...], "data_offsets": [start, end]}`.
  ///
  /// - Parameter weights: where weights lie in the file; offsets count from its start.
  init(
    name: String, _ node: JSONNode, file: String, weights: Range<UInt64>
  ) throws(SafetensorsError) {
    let refuse = { (reason: SafetensorsError.Reason) in
      SafetensorsError(file: file, tensor: name, reason: reason)
    }
    let fields: Fields
    do throws(JSONError) { fields = try Fields(node) } catch { throw refuse(.json(error)) }
    guard let dtype = SafetensorsDtype(rawValue: fields.dtype) else {
      throw refuse(.unknownDtype(String(fields.dtype.prefix(64))))
    }
    guard fields.shape.count <= Limits.tensorDimensions,
      let rows = Self.product(fields.shape.dropLast()), let elements = Self.product(fields.shape),
      let bits = Self.product([elements, dtype.bits])
    else { throw refuse(.shape(fields.shape)) }
    guard fields.offsets.count == 2, fields.offsets[0] <= fields.offsets[1] else {
      throw refuse(.offsets(start: fields.offsets.first ?? 0, end: fields.offsets.last ?? 0))
    }
    let (start, end) = (UInt64(fields.offsets[0]), UInt64(fields.offsets[1]))
    guard end <= UInt64(weights.count) else {
      throw refuse(.outOfFile(end: end, weights: UInt64(weights.count)))
    }
    let needed = UInt64(bits).dividedRoundingUp(by: 8)
    guard needed == end - start else {
      throw refuse(.byteCount(needed: needed, stated: end - start))
    }
    self.name = name
    self.dtype = dtype
    shape = fields.shape
    range = weights.lowerBound + start..<weights.lowerBound + end
    self.rows = rows
    columns = fields.shape.last ?? 1
  }

  /// Nil where it overflows.
  private static func product(_ factors: some Sequence<Int>) -> Int? {
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      product = next
    }
    return product
  }
}

/// The members of an entry, of the right kinds and not negative.
private struct Fields {
  let dtype: String
  let shape: [Int]
  let offsets: [Int]

  init(_ node: JSONNode) throws(JSONError) {
    dtype = try node.require("dtype").string()
    shape = try Fields.counts(node.require("shape"))
    offsets = try Fields.counts(node.require("data_offsets"))
  }

  private static func counts(_ node: JSONNode) throws(JSONError) -> [Int] {
    var counts: [Int] = []
    for element in try node.elements() { counts.append(try element.integer(in: 0...Int.max)) }
    return counts
  }
}

extension UInt64 {
  fileprivate func dividedRoundingUp(by divisor: UInt64) -> UInt64 {
    self / divisor + (self % divisor == 0 ? 0 : 1)
  }
}
