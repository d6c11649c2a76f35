// Makes GGUF-format weights from f32, with the roundings of ggml's reference quantisers, so that
// models made here equal those made there.

/// Quantises rows of f32 weights to the format's GGUF bytes.
public enum WeightQuantizer {
  /// The bytes of `values`, which are whole rows: a whole number of blocks.
  public static func quantize(_ values: [Float], to format: WeightFormat)
    throws(MatrixError) -> [UInt8]
  {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(try format.rowBytes(columns: values.count))
    switch format {
    case .f32:
      for value in values { append(value.bitPattern, to: &bytes) }
    case .f16:
      for value in values { append(Half.bits(value), to: &bytes) }
    case .q8_0:
      for start in stride(from: 0, to: values.count, by: 32) {
        appendBytes(values[start..<start + 32], to: &bytes)
      }
    case .q4_0:
      for start in stride(from: 0, to: values.count, by: 32) {
        appendNibbles(values[start..<start + 32], to: &bytes)
      }
    }
    return bytes
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

  /// d = -extreme / 8, where extreme is the first value of largest magnitude, sign kept: it becomes
  /// exactly -8. u = x * (1 / d) + 8.5, truncated, at most 15.
  private static func appendNibbles(_ block: ArraySlice<Float>, to bytes: inout [UInt8]) {
    let extreme = block.reduce(0) { $1.magnitude > $0.magnitude ? $1 : $0 }
    let scale = extreme / -8
    let inverse = scale == 0 ? 0 : 1 / scale
    append(Half.bits(scale), to: &bytes)
    let nibbles = block.map { UInt8(max(0, min(15, $0 * inverse + 8.5))) }
    for index in 0..<16 { bytes.append(nibbles[index] | nibbles[index + 16] << 4) }
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}
