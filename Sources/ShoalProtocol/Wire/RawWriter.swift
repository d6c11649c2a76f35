// Writes little-endian fields into memory that the caller lends: ByteWriter's twin on the data
// path, where nothing may be allocated.

/// A cursor over lent memory. A field that does not fit is a mistake of whoever sized the memory.
@safe public struct RawWriter {
  private let room: UnsafeMutableRawBufferPointer
  /// Bytes written.
  public private(set) var count = 0

  public init(_ room: UnsafeMutableRawBufferPointer) { unsafe self.room = unsafe room }

  public mutating func integer<I: FixedWidthInteger & BitwiseCopyable>(_ value: I) {
    set(value, at: count)
    count += MemoryLayout<I>.size
  }

  /// Overwrites a field that was written, or leaves one for later.
  public func set<I: FixedWidthInteger & BitwiseCopyable>(_ value: I, at offset: Int) {
    precondition(unsafe offset + MemoryLayout<I>.size <= room.count, "too little room")
    unsafe room.storeBytes(of: value.littleEndian, toByteOffset: offset, as: I.self)
  }

  public mutating func bytes32(_ value: Bytes32) {
    precondition(unsafe count + 32 <= room.count, "too little room")
    unsafe value.store(to: UnsafeMutableRawBufferPointer(rebasing: room[count..<count + 32]))
    count += 32
  }

  /// A `UInt32` count, then the bits of each number.
  public mutating func floats(_ numbers: UnsafeBufferPointer<Float>) {
    integer(UInt32(numbers.count))
    for index in numbers.indices { unsafe integer(numbers[index].bitPattern) }
  }
}
