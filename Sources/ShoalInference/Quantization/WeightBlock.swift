// Takes the blocks of a GGUF file apart: one struct for all formats, a reader for each layout.
// Layouts follow the block structures and the dequantising loops of ggml (`ggml-common.h`,
// `ggml-quants.c`); nothing is rounded, so that packing loses nothing.

/// The contents of one block of a quantised format, reused from block to block.
struct WeightBlock {
  /// d, as f16 bits.
  var scale: UInt16 = 0
  /// m or dmin, as f16 bits, where the format has one.
  var minimum: UInt16 = 0
  /// s of each sub-block; a signed one as its bits.
  var subScales = SIMD16<UInt8>()
  /// m of each sub-block.
  var subMinima = SIMD16<UInt8>()
  /// u of each column.
  var quants = [UInt8](repeating: 0, count: 256)

  /// u of `count` columns from `column` on, a byte each, the first one lowest; zeros to four.
  func quad(_ column: Int, count: Int) -> UInt32 {
    var bytes: UInt32 = 0
    for index in 0..<count { bytes |= UInt32(quants[column + index]) << UInt32(8 * index) }
    return bytes
  }

  /// Reads a block of `format`; `bytes` has its `blockBytes`.
  mutating func read(_ format: WeightFormat, _ bytes: UnsafeRawBufferPointer) {
    switch format {
    case .f32, .f16, .bf16: preconditionFailure("\(format) has no blocks")
    case .q4_0, .iq4_nl: unsafe readNibbles(bytes, from: 2)
    case .q4_1: unsafe readNibbles(bytes, from: 4)
    case .q5_0: unsafe readNibbles(bytes, from: 6, highBits: 2)
    case .q5_1: unsafe readNibbles(bytes, from: 8, highBits: 4)
    case .q8_0: unsafe readBytes(bytes)
    case .q2_K: unsafe read2(bytes)
    case .q3_K: unsafe read3(bytes)
    case .q4_K: unsafe read4(bytes)
    case .q5_K: unsafe read5(bytes)
    case .q6_K: unsafe read6(bytes)
    case .iq4_xs: unsafe readIndices(bytes)
    }
  }

  private mutating func takeScale(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    scale = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
  }

  private mutating func takeScaleAndMinimum(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    unsafe takeScale(bytes, at: offset)
    minimum = unsafe bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
  }

  // MARK: Blocks of 32

  /// Low nibbles are columns 0-15, high nibbles 16-31; of a fifth bit, bit c is column c's.
  private mutating func readNibbles(
    _ bytes: UnsafeRawBufferPointer, from start: Int, highBits: Int? = nil
  ) {
    unsafe takeScaleAndMinimum(bytes, at: 0)
    let high = highBits.map { unsafe bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
    for column in 0..<32 {
      let byte = unsafe bytes[start + column % 16]
      quants[column] = column < 16 ? byte & 0x0F : byte >> 4
      if let high { quants[column] |= UInt8(high >> UInt32(column) & 1) << 4 }
    }
  }

  private mutating func readBytes(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScale(bytes, at: 0)
    for column in 0..<32 { quants[column] = unsafe bytes[2 + column] ^ 0x80 }
  }

  // MARK: Super-blocks of 256

  /// 16 bytes of scales, 64 of quants, d, dmin. Each 128 columns share 32 bytes, 2 bits a byte for
  /// each 32 of them.
  private mutating func read2(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScaleAndMinimum(bytes, at: 80)
    for sub in 0..<16 {
      subScales[sub] = unsafe bytes[sub] & 0x0F
      subMinima[sub] = unsafe bytes[sub] >> 4
    }
    for column in 0..<256 {
      let (half, shift, place) = (column / 128, column % 128 / 32 * 2, column % 32)
      quants[column] = unsafe bytes[16 + half * 32 + place] >> UInt8(shift) & 3
    }
  }

  /// 32 bytes with the third bit of the columns, 64 of quants as in q2_K, 12 of scales, d. Bit
  /// c / 32 of byte c mod 32 is column c's.
  private mutating func read3(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScale(bytes, at: 108)
    for sub in 0..<16 {
      let low = unsafe bytes[96 + sub % 8] >> UInt8(sub / 8 * 4) & 0x0F
      let high = unsafe bytes[104 + sub % 4] >> UInt8(sub / 4 * 2) & 3
      subScales[sub] = (low | high << 4) &- 32
    }
    for column in 0..<256 {
      let (half, shift, place) = (column / 128, column % 128 / 32 * 2, column % 32)
      let low = unsafe bytes[32 + half * 32 + place] >> UInt8(shift) & 3
      let high = unsafe bytes[place] >> UInt8(column / 32) & 1
      quants[column] = low | high << 2
    }
  }

  /// d, dmin, 12 bytes of scales and minima, 128 of quants: each 64 columns share 32 bytes, low
  /// nibbles first.
  private mutating func read4(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScaleAndMinimum(bytes, at: 0)
    unsafe takeSixBits(bytes)
    unsafe takeNibbles(bytes, at: 16)
  }

  /// As q4_K, with 32 bytes between scales and quants: bit c / 32 of byte c mod 32 is column c's
  /// fifth.
  private mutating func read5(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScaleAndMinimum(bytes, at: 0)
    unsafe takeSixBits(bytes)
    unsafe takeNibbles(bytes, at: 48)
    for column in 0..<256 {
      quants[column] |= unsafe (bytes[16 + column % 32] >> UInt8(column / 32) & 1) << 4
    }
  }

  /// 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, d. Of each 128 columns the
  /// first 64 are low nibbles; the pairs lie as in q2_K.
  private mutating func read6(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScale(bytes, at: 208)
    for sub in 0..<16 { subScales[sub] = unsafe bytes[192 + sub] }
    for column in 0..<256 {
      let (half, within) = (column / 128, column % 128)
      let byte = unsafe bytes[half * 64 + within % 64]
      let low = within < 64 ? byte & 0x0F : byte >> 4
      let high = unsafe bytes[128 + half * 32 + column % 32] >> UInt8(within / 32 * 2) & 3
      quants[column] = low | high << 4
    }
  }

  /// d, 2 bytes with the upper two bits of the scales, 4 with their nibbles, then for each 32
  /// columns 16 bytes as in q4_0.
  private mutating func readIndices(_ bytes: UnsafeRawBufferPointer) {
    unsafe takeScale(bytes, at: 0)
    let high = unsafe bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
    for sub in 0..<8 {
      let low = unsafe bytes[4 + sub / 2] >> UInt8(sub % 2 * 4) & 0x0F
      subScales[sub] = (low | UInt8(high >> UInt16(2 * sub) & 3) << 4) &- 32
    }
    for column in 0..<256 {
      let byte = unsafe bytes[8 + column / 32 * 16 + column % 16]
      quants[column] = column % 32 < 16 ? byte & 0x0F : byte >> 4
    }
  }

  /// The 6-bit scales and minima of q4_K and q5_K: those of the first four sub-blocks are the low
  /// bits of bytes 0-3 and 4-7; the others have their nibbles in bytes 8-11 and their upper bits
  /// above the first ones.
  private mutating func takeSixBits(_ bytes: UnsafeRawBufferPointer) {
    let at = { (index: Int) in unsafe bytes[4 + index] }
    for sub in 0..<4 {
      subScales[sub] = at(sub) & 63
      subMinima[sub] = at(sub + 4) & 63
      subScales[sub + 4] = at(sub + 8) & 0x0F | (at(sub) >> 6) << 4
      subMinima[sub + 4] = at(sub + 8) >> 4 | (at(sub + 4) >> 6) << 4
    }
  }

  private mutating func takeNibbles(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    for column in 0..<256 {
      let byte = unsafe bytes[start + column / 64 * 32 + column % 32]
      quants[column] = column % 64 < 32 ? byte & 0x0F : byte >> 4
    }
  }
}
