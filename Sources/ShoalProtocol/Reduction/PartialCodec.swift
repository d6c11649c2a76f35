// Partials on the wire: Int64 units packed without loss, and added as they are unpacked.

/// Why a packed partial was refused or could not be packed. Each case carries the numbers.
public enum PartialError: Error, Hashable, Sendable {
  /// The block at element `element` needs more bytes than are left.
  case truncated(element: Int, need: Int, have: Int)
  /// Bytes after the last block.
  case trailing(bytes: Int)
  /// A block announces a width that no value within the range needs.
  case widthOutOfRange(element: Int, width: Int, limit: Int)
  /// |value| is beyond 2^44.
  case valueOutOfRange(element: Int, value: Int64)
  /// The caller's buffer is shorter than `PartialCodec.capacity(for:)`.
  case bufferTooSmall(need: Int, have: Int)
}

/// Packs blocks of 32 elements (numerics, rule 5); the last may be short. A block is
///
///     u8   width   bits per element, 0...46
///     ...          the elements, two's complement, `width` bits each, lowest bits first;
///                  zero bits fill the last byte
///
/// The number of elements is known to both sides. Values are within +-2^44, so that a sum of 2^18
/// partials cannot leave Int64.
public enum PartialCodec {
  /// Elements in a block.
  public static let block = 32
  /// The largest magnitude of a value (numerics, rule 4).
  public static let limit: Int64 = 1 << 44
  /// Bits that +-2^44 needs in two's complement.
  static let maximumWidth = 46

  /// Bytes that a buffer for `count` elements needs: the largest encoding, and 8 to write ahead.
  public static func capacity(for count: Int) -> Int {
    let blocks = (count + block - 1) / block
    return blocks * (1 + block * maximumWidth / 8) + 8
  }

  /// Packs `values` into `bytes`; returns how many bytes it took.
  public static func encode(
    _ values: UnsafeBufferPointer<Int64>, into bytes: UnsafeMutableRawBufferPointer
  ) throws(PartialError) -> Int {
    let need = capacity(for: values.count)
    guard bytes.count >= need, let output = bytes.baseAddress else {
      throw .bufferTooSmall(need: need, have: bytes.count)
    }
    var offset = 0
    for start in stride(from: 0, to: values.count, by: block) {
      let count = min(block, values.count - start)
      guard let source = unsafe values.baseAddress.map({ unsafe $0 + start }) else { break }
      let width = unsafe width(of: source, count)
      if width >= 45 { try unsafe checkRange(source, count, element: start) }
      unsafe output.storeBytes(of: UInt8(width), toByteOffset: offset, as: UInt8.self)
      unsafe pack(source, count, width: width, to: output + offset + 1)
      offset += 1 + (count * width + 7) / 8
    }
    return offset
  }

  /// Adds the packed partial to `sum`, one value to each element. Bytes are checked as a whole
  /// first: on an error `sum` is unchanged.
  public static func decodeAdding(
    _ bytes: UnsafeRawBufferPointer, to sum: UnsafeMutableBufferPointer<Int64>
  ) throws(PartialError) {
    try unsafe validate(bytes, count: sum.count)
    guard let input = bytes.baseAddress, let target = sum.baseAddress else { return }
    var offset = 0
    for start in stride(from: 0, to: sum.count, by: block) {
      let count = min(block, sum.count - start)
      let width = unsafe Int(input.load(fromByteOffset: offset, as: UInt8.self))
      let length = (count * width + 7) / 8
      unsafe withReadable(bytes, from: offset + 1, length) { packed in
        unsafe add(packed, count, width: width, to: target + start)
      }
      offset += 1 + length
    }
  }

  // MARK: One block

  /// The least width that holds every value.
  @inline(__always)
  private static func width(of values: UnsafePointer<Int64>, _ count: Int) -> Int {
    var bits: Int64 = 0
    // v ^ (v >> 63) has the magnitude's bits; one more is the sign.
    for index in 0..<count { unsafe bits |= values[index] ^ (values[index] >> 63) }
    var used: Int64 = 0
    for index in 0..<count { unsafe used |= values[index] }
    return used == 0 ? 0 : 65 - bits.leadingZeroBitCount
  }

  private static func checkRange(
    _ values: UnsafePointer<Int64>, _ count: Int, element: Int
  ) throws(PartialError) {
    for index in 0..<count where unsafe values[index].magnitude > limit.magnitude {
      throw unsafe .valueOutOfRange(element: element + index, value: values[index])
    }
  }

  /// Writes up to 8 bytes beyond the block's end.
  @inline(__always)
  private static func pack(
    _ values: UnsafePointer<Int64>, _ count: Int, width: Int, to output: UnsafeMutableRawPointer
  ) {
    guard width > 0 else { return }
    let mask = UInt64(1) << UInt64(width) &- 1
    var output = unsafe output
    var (pending, filled) = (UInt64(0), UInt64(0))
    @inline(__always) func put(_ bits: UInt64, _ length: UInt64) {
      pending |= bits &<< filled
      filled &+= length
      unsafe output.storeBytes(of: pending.littleEndian, as: UInt64.self)
      let whole = filled &>> 3
      unsafe output += Int(truncatingIfNeeded: whole)
      // `length` is at most 56, so fewer than 8 bytes are whole.
      pending &>>= whole &<< 3
      filled &= 7
    }
    @inline(__always) func value(_ index: Int) -> UInt64 {
      unsafe UInt64(bitPattern: values[index]) & mask
    }
    var index = 0
    if width <= 28 {
      // Two at a time: half as many steps that wait for each other.
      while index + 1 < count {
        put(value(index) | value(index + 1) &<< UInt64(width), UInt64(2 * width))
        index += 2
      }
    }
    while index < count {
      put(value(index), UInt64(width))
      index += 1
    }
  }

  /// Reads up to 7 bytes beyond the block's end. `width` is at most 57 - 1, so that one load of
  /// 8 bytes holds an element wherever it starts.
  @inline(__always)
  private static func add(
    _ packed: UnsafeRawPointer, _ count: Int, width: Int, to sum: UnsafeMutablePointer<Int64>
  ) {
    guard width > 0 else { return }
    let unused = UInt64(64 - width)
    var bit = 0
    for index in 0..<count {
      let word = unsafe UInt64(
        littleEndian: packed.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
      let high = (word &>> UInt64(bit & 7)) &<< unused
      unsafe sum[index] &+= Int64(bitPattern: high) &>> Int64(unused)
      bit &+= width
    }
  }

  /// `body` may read 8 bytes beyond the block: in place, or near the end of the bytes in a copy.
  @inline(__always)
  private static func withReadable(
    _ bytes: UnsafeRawBufferPointer, from offset: Int, _ length: Int,
    _ body: (UnsafeRawPointer) -> Void
  ) {
    guard let input = bytes.baseAddress else { return }
    if offset + length + 8 <= bytes.count { return unsafe body(input + offset) }
    unsafe withUnsafeTemporaryAllocation(byteCount: length + 8, alignment: 8) { copy in
      unsafe copy.initializeMemory(as: UInt8.self, repeating: 0)
      unsafe copy.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
      guard let start = copy.baseAddress else { return }
      unsafe body(UnsafeRawPointer(start))
    }
  }

  // MARK: Bytes of a stranger

  /// Whether `bytes` are exactly `count` packed elements within the range.
  private static func validate(
    _ bytes: UnsafeRawBufferPointer, count: Int
  ) throws(PartialError) {
    var offset = 0
    for start in stride(from: 0, to: count, by: block) {
      guard offset < bytes.count else { throw .truncated(element: start, need: 1, have: 0) }
      let width = unsafe Int(bytes[offset])
      guard width <= maximumWidth else {
        throw .widthOutOfRange(element: start, width: width, limit: maximumWidth)
      }
      let elements = min(block, count - start)
      let length = (elements * width + 7) / 8
      guard length <= bytes.count - offset - 1 else {
        throw .truncated(element: start, need: length, have: bytes.count - offset - 1)
      }
      // 45 bits hold nothing beyond -2^44 and 2^44 - 1.
      if width == maximumWidth {
        try unsafe checkPacked(bytes, from: offset + 1, length, elements, element: start)
      }
      offset += 1 + length
    }
    guard offset == bytes.count else { throw .trailing(bytes: bytes.count - offset) }
  }

  private static func checkPacked(
    _ bytes: UnsafeRawBufferPointer, from offset: Int, _ length: Int, _ count: Int, element: Int
  ) throws(PartialError) {
    var values = [Int64](repeating: 0, count: count)
    unsafe values.withUnsafeMutableBufferPointer { values in
      guard let target = values.baseAddress else { return }
      unsafe withReadable(bytes, from: offset, length) { packed in
        unsafe add(packed, count, width: maximumWidth, to: target)
      }
    }
    for (index, value) in values.enumerated() where value.magnitude > limit.magnitude {
      throw .valueOutOfRange(element: element + index, value: value)
    }
  }
}
