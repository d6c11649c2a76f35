// Weights, activations and shapes for the matrix tests.

import Foundation
import ShoalInference

/// SplitMix64: the same numbers on every run.
struct MatrixRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// Some columns of some rows of a tensor.
struct MatrixCase: CustomStringConvertible, Sendable {
  var rows: Int
  var width: Int
  var columns: Range<Int>

  var description: String { "\(rows) rows, columns \(columns) of \(width)" }

  /// Shapes that real models have, and those that divide badly.
  static let all: [MatrixCase] = [
    MatrixCase(rows: 16, width: 32, columns: 0..<32),
    MatrixCase(rows: 1, width: 64, columns: 0..<64),
    MatrixCase(rows: 40, width: 256, columns: 0..<256),
    MatrixCase(rows: 33, width: 2080, columns: 0..<2080),
    MatrixCase(rows: 15, width: 96, columns: 24..<48),
    MatrixCase(rows: 17, width: 96, columns: 72..<96),
    MatrixCase(rows: 7, width: 64, columns: 40..<48),
    MatrixCase(rows: 31, width: 320, columns: 80..<160),
    MatrixCase(rows: 9, width: 320, columns: 12..<24),
    MatrixCase(rows: 12, width: 192, columns: 3..<175),
    MatrixCase(rows: 2, width: 512, columns: 256..<512),
    MatrixCase(rows: 5, width: 64, columns: 31..<33),
    MatrixCase(rows: 3, width: 32, columns: 31..<32),
    MatrixCase(rows: 20, width: 768, columns: 240..<560),
    MatrixCase(rows: 18, width: 1024, columns: 192..<288),
    MatrixCase(rows: 4, width: 256, columns: 44..<72),
  ]

  /// The same as rows of whole blocks of `format`, with columns that it can be cut at.
  static func all(_ format: WeightFormat) -> [MatrixCase] {
    all.map { shape in
      let block = format.blockColumns
      let multiple = MatrixFixtures.hasHalves.contains(format) ? 4 : 1
      let first = shape.columns.lowerBound / multiple * multiple
      return MatrixCase(
        rows: shape.rows, width: (shape.width + block - 1) / block * block,
        columns: first..<shape.columns.upperBound)
    }
  }
}

enum Extremes: String, CaseIterable, Sendable {
  case random, weightsLowest, weightsHighest, alternating, denormal

  /// Bits after the point with which no product leaves the range.
  var fractionBits: Int {
    switch self {
    case .random, .denormal: 18
    case .weightsLowest, .weightsHighest, .alternating: 4
    }
  }
}

enum MatrixFixtures {
  static let tokenCounts = [1, 2, 3, 8, 17]

  /// Formats with sub-blocks of 16.
  static let hasHalves: Set<WeightFormat> = [.q2_K, .q3_K, .q6_K]

  /// GGUF bytes of (rows, width).
  static func weights(
    _ format: WeightFormat, _ shape: MatrixCase, _ kind: Extremes, using random: inout MatrixRandom
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let blocks = shape.rows * (try format.rowBytes(columns: shape.width)) / format.blockBytes
    for _ in 0..<blocks {
      switch format {
      case .f32: append(float(kind, using: &random).bitPattern, &bytes)
      case .f16: append(half(kind, using: &random), &bytes)
      case .bf16: append(UInt16(float(kind, using: &random).bitPattern >> 16), &bytes)
      case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl, .iq4_xs:
        bytes += block(format, kind, &random)
      }
    }
    return bytes
  }

  private static func block(
    _ format: WeightFormat, _ kind: Extremes, _ random: inout MatrixRandom
  ) -> [UInt8] {
    var bytes = (0..<format.blockBytes).map { byte in
      // Signed bytes have their extremes where others have all bits or none.
      quant(
        isSigned: format == .q8_0 || format == .q6_K && (192..<208).contains(byte), kind, &random)
    }
    if kind == .weightsLowest {
      // Without scales and minima nothing would be left.
      for byte in unsignedScales(format) { bytes[byte] = 0xFF }
    }
    for offset in halves(format) {
      let bits = half(kind, using: &random)
      bytes[offset] = UInt8(truncatingIfNeeded: bits)
      bytes[offset + 1] = UInt8(bits >> 8)
    }
    return bytes
  }

  /// Where a block has its f16 numbers.
  private static func halves(_ format: WeightFormat) -> [Int] {
    switch format {
    case .f32, .f16, .bf16: []
    case .q4_0, .q5_0, .q8_0, .iq4_nl, .iq4_xs: [0]
    case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
    case .q2_K: [80, 82]
    case .q3_K: [108]
    case .q6_K: [208]
    }
  }

  private static func unsignedScales(_ format: WeightFormat) -> Range<Int> {
    switch format {
    case .q2_K: 0..<16
    case .q4_K, .q5_K: 4..<16
    case .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q3_K, .q6_K, .iq4_nl, .iq4_xs: 0..<0
    }
  }

  private static func quant(
    isSigned: Bool, _ kind: Extremes, _ random: inout MatrixRandom
  ) -> UInt8 {
    let lowest: UInt8 = isSigned ? 0x80 : 0x00
    let highest: UInt8 = isSigned ? 0x7F : 0xFF
    switch kind {
    case .random, .denormal: return .random(in: 0...255, using: &random)
    case .weightsLowest: return lowest
    case .weightsHighest: return highest
    case .alternating: return Bool.random(using: &random) ? lowest : highest
    }
  }

  static func float(_ kind: Extremes, using random: inout MatrixRandom) -> Float {
    let value = Float.random(in: -1...1, using: &random)
    // Times an activation of this kind: sums that are denormal.
    return kind == .denormal ? value * 0x1p-8 : value
  }

  /// A finite f16 of either sign: any at all among extremes, a plausible scale otherwise.
  private static func half(_ kind: Extremes, using random: inout MatrixRandom) -> UInt16 {
    let sign: UInt16 = Bool.random(using: &random) ? 0x8000 : 0
    let range: ClosedRange<UInt16> =
      switch kind {
      case .random: 0x1C00...0x2C00
      case .denormal: 0...0x3FF
      case .weightsLowest, .weightsHighest, .alternating: 0...0x7BFF
      }
    return sign | .random(in: range, using: &random)
  }

  private static func append(_ value: some FixedWidthInteger, _ bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  static func pack(_ format: WeightFormat, _ shape: MatrixCase, _ bytes: [UInt8]) throws
    -> PackedMatrix
  {
    let packer = try MatrixPacker(
      format: format, rowWidth: shape.width, columns: shape.columns, rows: shape.rows)
    return try unsafe bytes.withUnsafeBytes { tensor in
      try unsafe packer.pack(tensor: tensor, rows: 0..<shape.rows)
    }
  }

  /// Values of `tokens` tokens; some blocks all of one magnitude, some zero.
  static func activations(
    _ parts: ColumnParts, tokens: Int, _ kind: Extremes, using random: inout MatrixRandom
  ) -> Activations {
    let input = Activations(parts: parts, capacity: tokens)
    for token in 0..<tokens {
      let values = unsafe input.token(token)
      for column in 0..<parts.count {
        var value = Float.random(in: -8...8, using: &random)
        if kind == .weightsLowest { value = -3 }
        if kind == .weightsHighest { value = 3 }
        if kind == .alternating { value = Bool.random(using: &random) ? 5 : -5 }
        // Around the smallest scale that is not zero.
        if kind == .denormal { value *= 0x1p-122 }
        if token == 1, column / 32 == 0 { value = 0 }
        unsafe values[column] = value
      }
    }
    return input
  }

  /// Products of all rows, (tokens, rows), as bits.
  static func products(_ kernels: Kernels, _ matrix: PackedMatrix, _ input: Activations)
    throws -> [UInt32]
  {
    let rows = matrix.shape.rows
    // One element more than needed per token: nothing may be written there.
    var output = [Float](repeating: 77, count: input.capacity * (rows + 1))
    try kernels.quantize(input, tokens: 0..<input.capacity)
    unsafe output.withUnsafeMutableBufferPointer { buffer in
      unsafe kernels.multiply(
        matrix, input, tokens: input.capacity, groups: 0..<matrix.shape.groups, into: buffer,
        stride: rows + 1)
    }
    return output.map(\.bitPattern)
  }

  /// Rounded sums of all rows, (tokens, rows), on top of ones that are there already.
  static func sums(
    _ kernels: Kernels, _ matrix: PackedMatrix, _ input: Activations, fractionBits: Int = 18
  ) throws -> [Int64] {
    let rows = matrix.shape.rows
    var sums = (0..<input.capacity * (rows + 1)).map { Int64($0) * 1_000_003 - 5 << 20 }
    try kernels.quantize(input, tokens: 0..<input.capacity)
    try unsafe sums.withUnsafeMutableBufferPointer { buffer in
      try unsafe kernels.multiplyRounded(
        matrix, input, tokens: input.capacity, groups: 0..<matrix.shape.groups,
        addingTo: buffer, stride: rows + 1, fractionBits: fractionBits)
    }
    return sums
  }

  static var fastPaths: [KernelPath] { KernelPath.available.filter { $0 != .reference } }

  /// Vectors of ggml's and gguf-py's quantisers, where this checkout has them beside it.
  static var vectors: URL {
    URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../shared/data/quants").standardized
  }

  static var hasVectors: Bool {
    FileManager.default.fileExists(atPath: vectors.appending(path: "manifest.json").path)
  }
}
