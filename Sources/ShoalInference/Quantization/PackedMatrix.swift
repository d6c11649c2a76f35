// A packed matrix over bytes that somebody else owns: a mapped file or a buffer.

import CKernels

/// Packed weights in place: nothing is copied, `owner` keeps the bytes alive.
@safe public struct PackedMatrix: @unchecked Sendable {
  public let shape: MatrixShape
  /// Read only, 64-byte aligned, `shape.byteCount` bytes.
  package let base: UnsafeRawPointer
  private let owner: any AnyObject & Sendable

  /// Refuses bytes of another length or alignment; any content is a matrix.
  ///
  /// - Parameter bytes: must stay unchanged and valid while `owner` lives.
  public init(shape: MatrixShape, bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable)
    throws(MatrixError)
  {
    guard bytes.count == shape.byteCount, let base = bytes.baseAddress else {
      throw .size(need: shape.byteCount, have: bytes.count)
    }
    let remainder = Int(bitPattern: base) % 64
    guard remainder == 0 else { throw .misaligned(remainder: remainder) }
    self.shape = shape
    unsafe self.base = base
    self.owner = owner
  }

  /// A matrix over all bytes of a buffer.
  public init(shape: MatrixShape, bytes: AlignedBytes) throws(MatrixError) {
    try unsafe self.init(shape: shape, bytes: bytes.bytes, owner: bytes)
  }

  package var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: base, count: shape.byteCount)
  }
}

extension PackedMatrix {
  /// The same, as C reads it.
  var view: shoal_matrix {
    let parts = unsafe shape.parts.table.parts
    return unsafe shoal_matrix(
      groups: base.assumingMemoryBound(to: UInt8.self), parts: parts.baseAddress,
      group_stride: Int64(shape.groupStride), integers_offset: Int64(shape.integersOffset),
      quants_offset: Int64(shape.quantsOffset),
      part_count: Int32(parts.count), columns: Int32(shape.columns), rows: Int32(shape.rows),
      format: Int32(shape.format.rawValue),
      super_phase: Int32(shape.superPhase))
  }
}

/// Zeroed memory aligned to 64 bytes, freed with its owner.
///
/// Sendable because it is written before it is shared, or by pieces that do not overlap.
@safe public final class AlignedBytes: @unchecked Sendable {
  private let storage: UnsafeMutableRawBufferPointer

  public init(count: Int) {
    unsafe storage = .allocate(byteCount: count, alignment: 64)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { unsafe storage.deallocate() }

  public var count: Int { unsafe storage.count }
  public var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(storage) }
  public var mutableBytes: UnsafeMutableRawBufferPointer { unsafe storage }
}
