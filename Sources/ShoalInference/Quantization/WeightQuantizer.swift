// Makes GGUF-format weights from f32, with the roundings of ggml's reference quantisers, so that
// models made here equal those made there.

/// Quantises rows of f32 weights to the format's GGUF bytes.
public enum WeightQuantizer {
  /// The bytes of `values`, which are whole rows: a whole number of blocks.
  ///
  /// - Throws: `.noQuantizer` for formats with super-blocks or tables: those are read, not made.
  public static func quantize(_ values: [Float], to format: WeightFormat)
    throws(MatrixError) -> [UInt8]
  {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(try format.rowBytes(columns: values.count))
    for start in stride(from: 0, to: values.count, by: format.blockColumns) {
      let block = values[start..<start + format.blockColumns]
      switch format {
      case .f32: append(values[start].bitPattern, to: &bytes)
      case .f16: append(Half.bits(values[start]), to: &bytes)
      case .bf16: append(brainBits(values[start]), to: &bytes)
      case .q8_0: appendBytes(block, to: &bytes)
      case .q4_0: appendCentred(block, bits: 4, to: &bytes)
      case .q5_0: appendCentred(block, bits: 5, to: &bytes)
      case .q4_1: appendFromMinimum(block, bits: 4, to: &bytes)
      case .q5_1: appendFromMinimum(block, bits: 5, to: &bytes)
      case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl, .iq4_xs: throw .noQuantizer(format)
      }
    }
    return bytes
  }

  /// The upper half of the f32, to nearest even; a NaN stays one.
  private static func brainBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
  }

  /// d = max|x| / 127, q = x * (1 / d) with halves away from zero; d is stored as f16 after use.
  private static func appendBytes(_ block: ArraySlice<Float>, to bytes: inout [UInt8]) {
    let scale = block.reduce(0) { max($0, $1.magnitude) } / 127
    let inverse = scale == 0 ? 0 : 1 / scale
    append(Half.bits(scale), to: &bytes)
    for value in block {
      let quant = (value * inverse).rounded(.toNearestOrAwayFromZero)
      bytes.append(UInt8(bitPattern: Int8(max(-128, min(127, quant)))))
    }
  }

  /// With h = 2^(bits - 1): d = -extreme / h, where extreme is the first value of largest
  /// magnitude, sign kept, so that it becomes exactly -h. u = x * (1 / d) + h + 0.5, truncated, at
  /// most 2h - 1.
  private static func appendCentred(
    _ block: ArraySlice<Float>, bits: Int, to bytes: inout [UInt8]
  ) {
    let half = Float(1 << (bits - 1))
    let extreme = block.reduce(0) { $1.magnitude > $0.magnitude ? $1 : $0 }
    let scale = extreme / -half
    let inverse = scale == 0 ? 0 : 1 / scale
    append(Half.bits(scale), to: &bytes)
    let quants = block.map { UInt8(max(0, min(2 * half - 1, $0 * inverse + half + 0.5))) }
    appendPlanes(quants, bits: bits, to: &bytes)
  }

  /// With n = 2^bits - 1: m = min x, d = (max x - m) / n, u = (x - m) * (1 / d) + 0.5, truncated,
  /// at most n.
  private static func appendFromMinimum(
    _ block: ArraySlice<Float>, bits: Int, to bytes: inout [UInt8]
  ) {
    let steps = Float(1 << bits - 1)
    let minimum = block.min() ?? 0
    let scale = ((block.max() ?? 0) - minimum) / steps
    let inverse = scale == 0 ? 0 : 1 / scale
    append(Half.bits(scale), to: &bytes)
    append(Half.bits(minimum), to: &bytes)
    let quants = block.map { UInt8(max(0, min(steps, ($0 - minimum) * inverse + 0.5))) }
    appendPlanes(quants, bits: bits, to: &bytes)
  }

  /// Fifth bits first, a word for the block, then nibbles: columns 0-15 low, 16-31 high.
  private static func appendPlanes(_ quants: [UInt8], bits: Int, to bytes: inout [UInt8]) {
    if bits == 5 {
      let fifths = quants.enumerated().reduce(UInt32(0)) { word, quant in
        word | UInt32(quant.element >> 4) << UInt32(quant.offset)
      }
      append(fifths, to: &bytes)
    }
    for index in 0..<16 { bytes.append(quants[index] & 15 | quants[index + 16] << 4) }
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}
