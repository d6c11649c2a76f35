// What a quantised format is made of once it is packed: planes of bits, and scales of some kind.
// The table is the whole difference between the formats; every loop over weights follows it.

/// The packed form of a quantised format (docs/NUMERICS.md, "Packed matrices").
package struct WeightPacking: Sendable {
  /// What the integers of a part are multiplied with.
  package enum Scales: Sendable {
    /// An f16 d for each part.
    case part
    /// f16 d and m for each part.
    case partWithMinimum
    /// An f16 d for each super-block; for each part a signed s.
    case sub
    /// f16 d and dmin for each super-block; for each part an unsigned s and an unsigned m.
    case subWithMinimum
    /// An f16 d for each super-block; for each half of a part a signed s.
    case halves
    /// f16 d and dmin for each super-block; for each half of a part s and m, a nibble each.
    case halvesWithMinimum

    package var hasMinimum: Bool {
      switch self {
      case .part, .sub, .halves: false
      case .partWithMinimum, .subWithMinimum, .halvesWithMinimum: true
      }
    }

    /// Columns that share one d: 32, or 256 with integer scales below it.
    package var columns: Int {
      switch self {
      case .part, .partWithMinimum: 32
      case .sub, .subWithMinimum, .halves, .halvesWithMinimum: 256
      }
    }

    /// Whether a part has two sub-blocks of 16 columns.
    package var isHalved: Bool {
      switch self {
      case .part, .partWithMinimum, .sub, .subWithMinimum: false
      case .halves, .halvesWithMinimum: true
      }
    }

    /// Bytes of f16 that 16 rows have for such `columns`.
    package var floatBytes: Int { hasMinimum ? 64 : 32 }

    /// Bytes of integer scales that 16 rows have for a part.
    package var integerBytes: Int {
      switch self {
      case .part, .partWithMinimum: 0
      case .sub: 16
      case .subWithMinimum, .halves, .halvesWithMinimum: 32
      }
    }
  }

  /// Bits of u in the first plane, and above them those in the second; zero: there is none.
  package let planes: (first: Int, second: Int)
  /// An integer weight is u - offset, or `values[u] - offset`.
  package let offset: Int32
  /// The unsigned value that stands for u, where u is an index; else empty.
  package let values: [UInt8]
  package let scales: Scales

  /// 64-byte lines of a part with so many quads: a line holds 8 quads of a 1-bit plane.
  package func lines(quads: Int) -> Int {
    (quads * planes.first + 7) / 8 + (quads * planes.second + 7) / 8
  }

  private init(
    _ scales: Scales, bits first: Int, above second: Int = 0, offset: Int32 = 0,
    values: [UInt8] = []
  ) {
    planes = (first, second)
    self.offset = offset
    self.values = values
    self.scales = scales
  }

  private static let q4_0 = WeightPacking(.part, bits: 4, offset: 8)
  private static let q4_1 = WeightPacking(.partWithMinimum, bits: 4)
  private static let q5_0 = WeightPacking(.part, bits: 4, above: 1, offset: 16)
  private static let q5_1 = WeightPacking(.partWithMinimum, bits: 4, above: 1)
  private static let q8_0 = WeightPacking(.part, bits: 8, offset: 128)
  private static let q2_K = WeightPacking(.halvesWithMinimum, bits: 2)
  private static let q3_K = WeightPacking(.halves, bits: 2, above: 1, offset: 4)
  private static let q4_K = WeightPacking(.subWithMinimum, bits: 4)
  private static let q5_K = WeightPacking(.subWithMinimum, bits: 4, above: 1)
  private static let q6_K = WeightPacking(.halves, bits: 4, above: 2, offset: 32)
  private static let iq4_nl = WeightPacking(.part, bits: 4, offset: 128, values: nonLinear)
  private static let iq4_xs = WeightPacking(.sub, bits: 4, offset: 128, values: nonLinear)

  /// 128 and the value that a 4-bit index stands for (ggml: `kvalues_iq4nl`).
  private static let nonLinear: [UInt8] = [
    1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241,
  ]

  /// Nil for the float formats, whose values are packed as they are.
  package init?(_ format: WeightFormat) {
    switch format {
    case .f32, .f16, .bf16: return nil
    case .q4_0: self = .q4_0
    case .q4_1: self = .q4_1
    case .q5_0: self = .q5_0
    case .q5_1: self = .q5_1
    case .q8_0: self = .q8_0
    case .q2_K: self = .q2_K
    case .q3_K: self = .q3_K
    case .q4_K: self = .q4_K
    case .q5_K: self = .q5_K
    case .q6_K: self = .q6_K
    case .iq4_nl: self = .iq4_nl
    case .iq4_xs: self = .iq4_xs
    }
  }
}
