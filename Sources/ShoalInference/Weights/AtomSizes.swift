// What atoms will weigh, before there are any.

/// Bytes of atoms by their tensors alone. The tensors of a model are thousands, their shapes a few
/// hundred, and laying one out takes as long as it has columns: each shape is laid out once.
struct AtomSizes {
  private var known: [AtomTensor: Int] = [:]

  /// Bytes of the atom of `parts`, which are stored as they are or lowered where that is possible.
  mutating func byteCount(
    _ parts: [AtomPart], loweredTo format: WeightFormat?
  ) throws(MatrixError) -> Int {
    var bytes = AtomTable.headBytes(tensors: parts.count)
    for part in parts {
      bytes += AtomTable.roundedTo64(try byteCount(part.lowered(to: format).tensor))
    }
    return bytes
  }

  private mutating func byteCount(_ tensor: AtomTensor) throws(MatrixError) -> Int {
    guard tensor.layout == .packed else { return try tensor.byteCount() }
    if let bytes = known[tensor] { return bytes }
    let bytes = try tensor.byteCount()
    known[tensor] = bytes
    return bytes
  }
}
