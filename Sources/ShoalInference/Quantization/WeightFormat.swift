// How weights are stored in model files: what kernels know, by name, number and size.

/// A weight format; the raw value, stable on disk, is its GGUF tensor type number
/// (GGUF specification, `ggml_type`). docs/NUMERICS.md, "Weight formats", has the bytes of each.
public enum WeightFormat: UInt8, CaseIterable, Sendable {
  case f32 = 0
  case f16 = 1
  /// Blocks of 32: an f16 scale d and 4-bit u; w = d * (u - 8).
  case q4_0 = 2
  /// Blocks of 32: f16 d and m, 4-bit u; w = d * u + m.
  case q4_1 = 3
  /// Blocks of 32: f16 d, 5-bit u; w = d * (u - 16).
  case q5_0 = 6
  /// Blocks of 32: f16 d and m, 5-bit u; w = d * u + m.
  case q5_1 = 7
  /// Blocks of 32: an f16 scale d and signed bytes q; w = d * q.
  case q8_0 = 8
  /// Super-blocks of 256: f16 d and dmin; 16 sub-blocks with 4-bit s and m; 2-bit u;
  /// w = d * s * u - dmin * m.
  case q2_K = 10
  /// Super-blocks of 256: f16 d; 16 sub-blocks with 6-bit signed s; 3-bit u; w = d * s * (u - 4).
  case q3_K = 11
  /// Super-blocks of 256: f16 d and dmin; 8 sub-blocks with 6-bit s and m; 4-bit u;
  /// w = d * s * u - dmin * m.
  case q4_K = 12
  /// As q4_K, with 5-bit u.
  case q5_K = 13
  /// Super-blocks of 256: f16 d; 16 sub-blocks with 8-bit signed s; 6-bit u;
  /// w = d * s * (u - 32).
  case q6_K = 14
  /// Blocks of 32: f16 d, 4-bit u; w = d * v[u], v a table of 16 signed bytes.
  case iq4_nl = 20
  /// Super-blocks of 256: f16 d; 8 sub-blocks with 6-bit signed s; 4-bit u; w = d * s * v[u].
  case iq4_xs = 23
  /// The upper half of an f32.
  case bf16 = 30

  /// All that are known, as people and files spell them, for one line.
  static var names: String { allCases.map { "\($0)".uppercased() }.joined(separator: ", ") }

  /// Columns that are stored, and in quantised formats scaled, together.
  public var blockColumns: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl: 32
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_xs: 256
    }
  }

  /// Bytes of one such block in a GGUF file.
  public var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q4_0, .iq4_nl: 2 + 16
    case .q4_1: 4 + 16
    case .q5_0: 2 + 4 + 16
    case .q5_1: 4 + 4 + 16
    case .q8_0: 2 + 32
    case .q2_K: 16 + 64 + 4
    case .q3_K: 32 + 64 + 12 + 2
    case .q4_K: 4 + 12 + 128
    case .q5_K: 4 + 12 + 32 + 128
    case .q6_K: 128 + 64 + 16 + 2
    case .iq4_xs: 2 + 2 + 4 + 128
    }
  }

  /// Whether weights meet int8 activations (true) or f32 activations (false).
  public var isQuantised: Bool { blockColumns > 1 }

  /// Bytes of a GGUF row of `columns`, or an error if it is no whole number of blocks.
  public func rowBytes(columns: Int) throws(MatrixError) -> Int {
    guard columns > 0, columns.isMultiple(of: blockColumns) else {
      throw .partialBlock(columns: columns, block: blockColumns)
    }
    return columns / blockColumns * blockBytes
  }
}
