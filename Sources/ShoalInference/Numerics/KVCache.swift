// Keys and values of one KV group, kept so that a scan reads memory in order.

/// How the elements of a KV cache are stored; part of the plan (numerics, rule 7).
public enum KVType: UInt8, Hashable, Sendable, CaseIterable {
  case f16
  case f32

  public var byteCount: Int {
    switch self {
    case .f16: 2
    case .f32: 4
    }
  }
}

/// Keys and values of positions `0..<count` of one KV group.
///
/// Chunks of 64 positions aligned to position 0. In a chunk keys are (headDim, 64), so that one
/// SIMD lane is one position, and values (64, valueStride), rows padded with zeros to 16 elements.
/// Not `Sendable`: one owner writes; heads that attend at the same time only read.
@safe public final class KVCache {
  /// Positions in a chunk.
  public static let chunkPositions = 64

  public let headDim: Int
  public let type: KVType
  /// Positions held: `0..<count`.
  public private(set) var count = 0
  /// `headDim` rounded up to 16.
  let valueStride: Int
  private var chunks: [UnsafeMutableRawPointer] = unsafe []

  public init(headDim: Int, type: KVType) {
    precondition(headDim > 0, "head dimension \(headDim)")
    self.headDim = headDim
    self.type = type
    valueStride = (headDim + 15) & ~15
  }

  deinit {
    unsafe chunks.forEach { unsafe $0.deallocate() }
  }

  /// Positions that fit without allocating.
  public var capacity: Int { unsafe chunks.count * KVCache.chunkPositions }

  /// Bytes that a cache of `positions` holds.
  public static func byteCount(headDim: Int, type: KVType, positions: Int) -> Int {
    let chunks = (positions + chunkPositions - 1) / chunkPositions
    return chunks * chunkPositions * (headDim + (headDim + 15) & ~15) * type.byteCount
  }

  /// Allocates chunks for `positions` in advance, so that appending them does not allocate.
  public func reserve(positions: Int) {
    while capacity < positions {
      let bytes = KVCache.byteCount(headDim: headDim, type: type, positions: KVCache.chunkPositions)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      unsafe chunks.append(memory)
    }
  }

  /// Appends one position. `key` and `value` have `headDim` elements. On an error nothing is held
  /// of the new position.
  public func append(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>
  ) throws(NumericsError) {
    try unsafe check(key)
    try unsafe check(value)
    reserve(positions: count + 1)
    for d in 0..<headDim {
      unsafe storeKey(key[d], d, at: count)
      unsafe storeValue(value[d], d, at: count)
    }
    count += 1
  }

  /// Forgets positions from `length` on.
  public func truncate(to length: Int) {
    precondition(length >= 0 && length <= count, "\(length) of \(count) positions")
    count = length
  }

  /// Holds positions up to `length` that nobody looks at: what they are is not defined.
  func skip(to length: Int) {
    precondition(length >= count, "\(length) of \(count) positions")
    reserve(positions: length)
    count = length
  }

  /// Holds the first `length` positions of a cache of the same shape, and no others.
  func copy(_ length: Int, of other: KVCache) {
    precondition(headDim == other.headDim && type == other.type && length <= other.count)
    reserve(positions: length)
    let bytes = KVCache.byteCount(headDim: headDim, type: type, positions: KVCache.chunkPositions)
    for chunk in 0..<(length + KVCache.chunkPositions - 1) / KVCache.chunkPositions {
      // What a last chunk has beyond `length` is written over before it is read.
      unsafe chunks[chunk].copyMemory(from: other.chunks[chunk], byteCount: bytes)
    }
    count = length
  }

  /// Bytes that one position has outside of the cache: key, then value, little-endian elements.
  public var positionByteCount: Int { 2 * headDim * type.byteCount }

  /// The stored bits of `positions`, position by position, so that they do not tell of chunks.
  public func bytes(of positions: Range<Int>) -> [UInt8] {
    precondition(positions.upperBound <= count, "\(positions) of \(count) positions")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(positions.count * positionByteCount)
    for position in positions {
      for d in 0..<headDim { append(element: bits(keyIndex(d, position), position), to: &bytes) }
      for d in 0..<headDim { append(element: bits(valueIndex(d, position), position), to: &bytes) }
    }
    return bytes
  }

  /// Writes `bytes` of another cache of the same shape from position `first` on and holds them.
  /// Positions held from there on are replaced.
  public func replace(from first: Int, with bytes: [UInt8]) throws(NumericsError) {
    guard first >= 0, first <= count else { throw .hole(count: count, first: first) }
    let positions = bytes.count / positionByteCount
    guard positions * positionByteCount == bytes.count else {
      throw .lengthMismatch(expected: positions * positionByteCount, actual: bytes.count)
    }
    reserve(positions: first + positions)
    var offset = 0
    for position in first..<first + positions {
      for d in 0..<headDim {
        set(keyIndex(d, position), position, to: element(bytes, &offset))
      }
      for d in 0..<headDim {
        set(valueIndex(d, position), position, to: element(bytes, &offset))
      }
    }
    count = first + positions
  }

  /// Keys of chunk `index`, then its values.
  func chunk(_ index: Int) -> (keys: UnsafeRawPointer, values: UnsafeRawPointer) {
    let start = unsafe chunks[index]
    let keyBytes = headDim * KVCache.chunkPositions * type.byteCount
    return unsafe (UnsafeRawPointer(start), UnsafeRawPointer(start + keyBytes))
  }

  // MARK: Elements

  private func check(_ row: UnsafePointer<Float>) throws(NumericsError) {
    for d in 0..<headDim {
      guard unsafe row[d].isFinite else { throw .notFinite(index: d) }
      if type == .f16, unsafe row[d].magnitude >= 65_520 { throw .beyondHalf(index: d) }
    }
  }

  /// Element index inside a chunk.
  private func keyIndex(_ d: Int, _ position: Int) -> Int {
    d * KVCache.chunkPositions + position % KVCache.chunkPositions
  }
  private func valueIndex(_ d: Int, _ position: Int) -> Int {
    headDim * KVCache.chunkPositions + position % KVCache.chunkPositions * valueStride + d
  }

  private func storeKey(_ x: Float, _ d: Int, at position: Int) {
    set(keyIndex(d, position), position, to: encoded(x))
  }
  private func storeValue(_ x: Float, _ d: Int, at position: Int) {
    set(valueIndex(d, position), position, to: encoded(x))
  }

  private func encoded(_ x: Float) -> UInt32 {
    switch type {
    case .f16: UInt32(Half.bits(x))
    case .f32: x.bitPattern
    }
  }

  private func bits(_ index: Int, _ position: Int) -> UInt32 {
    let memory = unsafe chunks[position / KVCache.chunkPositions]
    switch type {
    case .f16: return unsafe UInt32(memory.assumingMemoryBound(to: UInt16.self)[index])
    case .f32: return unsafe memory.assumingMemoryBound(to: UInt32.self)[index]
    }
  }

  private func set(_ index: Int, _ position: Int, to bits: UInt32) {
    let memory = unsafe chunks[position / KVCache.chunkPositions]
    switch type {
    case .f16:
      unsafe memory.assumingMemoryBound(to: UInt16.self)[index] = UInt16(truncatingIfNeeded: bits)
    case .f32: unsafe memory.assumingMemoryBound(to: UInt32.self)[index] = bits
    }
  }

  private func append(element bits: UInt32, to bytes: inout [UInt8]) {
    for byte in 0..<type.byteCount {
      bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * byte)))
    }
  }

  private func element(_ bytes: [UInt8], _ offset: inout Int) -> UInt32 {
    var bits: UInt32 = 0
    for byte in 0..<type.byteCount { bits |= UInt32(bytes[offset + byte]) << (8 * byte) }
    offset += type.byteCount
    return bits
  }
}
