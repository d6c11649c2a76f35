// Between pipeline stages: the residual goes from the ranks of one to those of the next, as the
// bits that it is.

extension ForwardPass {
  /// A later stage's first sum is numbered this + its first layer: beyond those of the layers.
  public static let handoverIndex = 0x4000

  /// Bytes of some columns of every token of the step, as f32.
  public func handoverBytes(_ columns: Range<Int>) -> Int { tokens.count * columns.count * 4 }

  /// Writes some columns of the residual, token by token, little-endian. Only after `.handOver`.
  public func handOver(_ columns: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count >= handoverBytes(columns) && columns.upperBound <= shape.hidden)
    var offset = 0
    for token in 0..<tokens.count {
      let row = unsafe residual.pointer(token * shape.hidden)
      for column in columns {
        unsafe bytes.storeBytes(
          of: row[column].bitPattern.littleEndian, toByteOffset: offset, as: UInt32.self)
        offset += 4
      }
    }
  }

  /// Puts some columns that the stage before handed over into `partial`, as bit patterns; all else
  /// there is zero, so that the sum over the stage's ranks is the whole of every row. Only after
  /// `.takeOver`. False where `bytes` are not that many.
  public func takeOver(_ columns: Range<Int>, from bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == handoverBytes(columns), columns.upperBound <= shape.hidden else {
      return false
    }
    var offset = 0
    for token in 0..<tokens.count {
      let row = unsafe shared.pointer(token * shape.hidden)
      for column in columns {
        let bits = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        unsafe row[column] = Int64(UInt32(littleEndian: bits))
        offset += 4
      }
    }
    return true
  }

  /// residual = the bit patterns in `shared`: of embedding rows, or of what was handed over.
  func takeBits(layer: Int) throws(InferenceError) {
    for index in 0..<tokens.count * shape.hidden {
      guard let bits = unsafe UInt32(exactly: shared.elements[index]) else {
        throw .outOfRange(layer: layer)
      }
      unsafe residual.elements[index] = Float(bitPattern: bits)
    }
  }
}
