// How weights are stored, in model files and packed.

/// A weight format; the raw value, stable on disk, is its GGUF tensor type number
/// (GGUF specification, `ggml_type`).
public enum WeightFormat: UInt8, CaseIterable, Sendable {
  case f32 = 0
  case f16 = 1
  /// Blocks of 32: an f16 scale d and 4-bit u; w = d * (u - 8).
  case q4_0 = 2
  /// Blocks of 32: an f16 scale d and signed bytes q; w = d * q.
  case q8_0 = 8

  /// Columns that are stored, and in quantised formats scaled, together.
  public var blockColumns: Int {
    switch self {
    case .f32, .f16: 1
    case .q4_0, .q8_0: 32
    }
  }

  /// Bytes of one such block in a GGUF file.
  public var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16: 2
    case .q4_0: 2 + 16
    case .q8_0: 2 + 32
    }
  }

  /// Whether weights meet int8 activations (true) or f32 activations (false).
  public var isQuantised: Bool {
    switch self {
    case .f32, .f16: false
    case .q4_0, .q8_0: true
    }
  }

  /// What is subtracted from the packed unsigned quants: w = d * (u - offset).
  package var quantOffset: Int32 {
    switch self {
    case .f32, .f16: 0
    case .q4_0: 8
    case .q8_0: 128
    }
  }

  /// Bytes of a GGUF row of `columns`, or an error if it is no whole number of blocks.
  public func rowBytes(columns: Int) throws(MatrixError) -> Int {
    guard columns > 0, columns.isMultiple(of: blockColumns) else {
      throw .partialBlock(columns: columns, block: blockColumns)
    }
    return columns / blockColumns * blockBytes
  }
}
