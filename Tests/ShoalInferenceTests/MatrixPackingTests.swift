// Packed bytes: where they lie, what they stand for, what is refused.

import Foundation
import ShoalInference
import Testing

@Suite("Packed matrices")
struct MatrixPackingTests {
  @Test(
    "Columns are cut where a weight block or an activation block ends",
    arguments: [
      (0, 64, [32, 32]), (24, 24, [8, 16]), (72, 24, [24]), (40, 8, [8]),
      (80, 80, [16, 16, 16, 16, 16]), (12, 12, [12]), (31, 2, [1, 1]),
      (256, 172, [32, 32, 32, 32, 32, 12]),
    ])
  func cuts(first: Int, count: Int, expected: [Int]) {
    let parts = ColumnParts(first: first, count: count)
    #expect(parts.parts.map(\.count) == expected)
    for part in parts.parts { #expect(part.block == part.column / 32) }
    #expect(parts.parts.reduce(0) { $1.column == $0 ? $0 + $1.count : -1 } == count)
  }

  @Test("Atoms at the same place of a block share activations")
  func phaseIsAllThatCounts() {
    #expect(ColumnParts(first: 128, count: 64) == ColumnParts(first: 0, count: 64))
    #expect(ColumnParts(first: 8, count: 64) != ColumnParts(first: 0, count: 64))
  }

  @Test("Bytes of the packed layout follow from the shape")
  func sizes() throws {
    // Two groups; 64 columns are two parts: 64 bytes of scales (128 with minima), then 16 quads,
    // 8 pairs of them, or two parts of 4 lines of nibbles and one of fifth bits.
    let small: [(WeightFormat, Int)] = [
      (.f32, 2 * 64 * 64), (.f16, 2 * 64 * 32), (.bf16, 2 * 64 * 32), (.q8_0, 2 * (64 + 16 * 64)),
      (.q4_0, 2 * (64 + 8 * 64)), (.q4_1, 2 * (128 + 8 * 64)), (.q5_0, 2 * (64 + 2 * 5 * 64)),
      (.q5_1, 2 * (128 + 2 * 5 * 64)), (.iq4_nl, 2 * (64 + 8 * 64)),
    ]
    for (format, bytes) in small {
      #expect(try MatrixShape(format: format, rows: 17, columns: 64).byteCount == bytes)
    }
    #expect(try MatrixShape(format: .f16, rows: 1, columns: 3).byteCount == 128)
    // One group; 512 columns are two super-blocks and 16 parts.
    let large: [(WeightFormat, Int)] = [
      (.q4_K, 2 * 64 + 16 * (32 + 4 * 64)), (.q5_K, 2 * 64 + 16 * (32 + 5 * 64)),
      (.q6_K, 2 * 32 + 16 * (32 + 6 * 64)), (.q3_K, 2 * 32 + 16 * (32 + 3 * 64)),
      (.q2_K, 2 * 64 + 16 * (32 + 2 * 64)), (.iq4_xs, 2 * 32 + 16 * (16 + 4 * 64)),
    ]
    for (format, bytes) in large {
      #expect(try MatrixShape(format: format, rows: 16, columns: 512).byteCount == bytes)
    }
  }

  @Test("Packing wide rows takes at most 4 % more than the file", arguments: WeightFormat.allCases)
  func overhead(format: WeightFormat) throws {
    let packed = try MatrixShape(format: format, rows: 256, columns: 4_096).byteCount
    let stored = try 256 * format.rowBytes(columns: 4_096)
    #expect(packed >= stored && packed * 100 <= stored * 104, "\(packed) of \(stored)")
  }

  @Test("Scales and quants lie where the layout says")
  func layout() throws {
    // Row 2, column 9 of the packed columns is column 33 of the tensor.
    let shape = MatrixCase(rows: 3, width: 64, columns: 24..<48)
    var bytes = [UInt8](repeating: 0, count: 3 * 68)
    bytes[2 * 68 + 34] = 0xCD
    bytes[2 * 68 + 35] = 0xAB
    bytes[2 * 68 + 36 + 1] = 0x05
    let packed = try MatrixFixtures.pack(.q8_0, shape, bytes)
    // Scales: part 1, row 2. Quants: 64 bytes of scales, two quads of part 0, then the first quad
    // of part 1, row 2, column 1.
    let stored = unsafe Array(packed.bytes)
    #expect(stored[(16 + 2) * 2] == 0xCD)
    #expect(stored[(16 + 2) * 2 + 1] == 0xAB)
    #expect(stored[64 + 2 * 64 + 2 * 4 + 1] == 0x85)
  }

  @Test("Unpacking gives the tensor's weights back", arguments: WeightFormat.allCases)
  func roundTrip(format: WeightFormat) throws {
    var random = MatrixRandom(state: 3)
    for shape in MatrixCase.all(format) {
      let bytes = try MatrixFixtures.weights(format, shape, .random, using: &random)
      let part = try MatrixFixtures.pack(format, shape, bytes)
      let whole = try MatrixFixtures.pack(
        format, MatrixCase(rows: shape.rows, width: shape.width, columns: 0..<shape.width), bytes)
      for row in 0..<shape.rows {
        #expect(part.dequantizeRow(row) == Array(whole.dequantizeRow(row)[shape.columns]))
      }
    }
  }

  @Test("Rows may be picked in any order")
  func rowSelection() throws {
    var random = MatrixRandom(state: 4)
    let shape = MatrixCase(rows: 9, width: 32, columns: 0..<32)
    let bytes = try MatrixFixtures.weights(.q4_0, shape, .random, using: &random)
    let whole = try MatrixFixtures.pack(.q4_0, shape, bytes)
    let packer = try MatrixPacker(format: .q4_0, rowWidth: 32, columns: 0..<32, rows: 3)
    let picked = try unsafe bytes.withUnsafeBytes { tensor in
      try unsafe packer.pack(tensor: tensor, rows: [8, 0, 5])
    }
    #expect((0..<3).map { picked.dequantizeRow($0) } == [8, 0, 5].map { whole.dequantizeRow($0) })
  }

  @Test("Bytes that cannot be the matrix are refused with the numbers")
  func refusals() throws {
    let shape = try MatrixShape(format: .q8_0, rows: 16, columns: 32)
    let need = shape.byteCount
    #expect(throws: MatrixError.size(need: need, have: need - 1)) {
      try PackedMatrix(shape: shape, bytes: AlignedBytes(count: need - 1))
    }
    let buffer = AlignedBytes(count: need + 64)
    #expect(throws: MatrixError.misaligned(remainder: 4)) {
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer.bytes[4..<need + 4])
      return try unsafe PackedMatrix(shape: shape, bytes: bytes, owner: buffer)
    }
    #expect(throws: MatrixError.partialBlock(columns: 33, block: 32)) {
      try MatrixPacker(format: .q8_0, rowWidth: 33, columns: 0..<32, rows: 1)
    }
    #expect(throws: MatrixError.columns(first: 16, count: 32, width: 32)) {
      try MatrixPacker(format: .q8_0, rowWidth: 32, columns: 16..<48, rows: 1)
    }
    #expect(throws: MatrixError.dimension(0, limit: MatrixShape.largestDimension)) {
      try MatrixShape(format: .f32, rows: 0, columns: 1)
    }
    let packer = try MatrixPacker(format: .f32, rowWidth: 4, columns: 0..<4, rows: 2)
    #expect(throws: MatrixError.size(need: 32, have: 31)) {
      try unsafe [UInt8](repeating: 0, count: 31).withUnsafeBytes { tensor in
        try unsafe packer.pack(tensor: tensor, rows: 0..<2)
      }
    }
  }

  @Test("Planes and integer scales lie where the layout says")
  func superBlockLayout() throws {
    // Columns 224 ..< 288: a part of each of two super-blocks. Row 1.
    var bytes = [UInt8](repeating: 0, count: 2 * 420)
    let row = 420
    bytes[row + 208] = 0x34  // d of the first super-block
    bytes[row + 210 + 209] = 0x12  // and of the second
    bytes[row + 192 + 15] = 0x9C  // s of columns 240 ..< 256
    bytes[row + 64 + 63] = 0xA0  // column 255, low bits 1010
    bytes[row + 128 + 63] = 0xC0  // and high bits 11
    let packed = try MatrixFixtures.pack(
      .q6_K, MatrixCase(rows: 2, width: 512, columns: 224..<288), bytes)
    let stored = unsafe Array(packed.bytes)
    #expect(stored[2] == 0x34 && stored[32 + 3] == 0x12)
    #expect(stored[64 + 16 + 1] == 0x9C)
    // Column 31 of part 0 is in quad 7: line 3 of the nibbles, high ones, and line 1 of the pairs.
    let quants = 64 + 64
    #expect(stored[quants + 3 * 64 + 4 + 3] == 0xA0)
    #expect(stored[quants + 4 * 64 + 1 * 64 + 4 + 3] == 0xC0)
    #expect(packed.dequantizeRow(1)[31] == Half.float(0x34) * Float(Int8(bitPattern: 0x9C)) * 26)
  }

  @Test("Sub-blocks of 16 are not cut within a quad", arguments: MatrixFixtures.hasHalves)
  func quadsAreWhole(format: WeightFormat) {
    #expect(throws: MatrixError.subBlock(firstColumn: 6, multiple: 4)) {
      try MatrixShape(format: format, rows: 1, firstColumn: 6, columns: 8)
    }
  }

  @Test(
    "Dequantised bytes equal those of two independent implementations",
    .enabled(if: MatrixFixtures.hasVectors),
    arguments: WeightFormat.allCases.filter { $0 != .f32 })
  func vectors(format: WeightFormat) throws {
    let name = "\(format)".uppercased()
    let shape = MatrixCase(rows: 8, width: 512, columns: 0..<512)
    var found = 0
    for source in ["gguf", "ggml", "rand"] {
      let file = MatrixFixtures.vectors.appending(path: "\(source)_\(name).q.bin")
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      found += 1
      let bytes = try [UInt8](Data(contentsOf: file))
      let matrix = try MatrixFixtures.pack(format, shape, bytes)
      let unpacked = (0..<8).flatMap { matrix.dequantizeRow($0) }
      #expect(
        try unpacked.map(\.bitPattern) == MatrixFixtures.words("\(source)_\(name).y.f32"),
        "\(source)")
    }
    #expect(found > 0)
  }

  @Test(
    "Quantised bytes equal those of two independent implementations",
    .enabled(if: MatrixFixtures.hasVectors),
    arguments: [
      ("gguf_F16", WeightFormat.f16), ("gguf_BF16", .bf16), ("gguf_Q8_0", .q8_0),
      ("ggml_Q8_0", .q8_0), ("gguf_Q4_0", .q4_0), ("ggml_Q4_0", .q4_0), ("gguf_Q4_1", .q4_1),
      ("ggml_Q4_1", .q4_1), ("gguf_Q5_0", .q5_0), ("ggml_Q5_0", .q5_0), ("gguf_Q5_1", .q5_1),
      ("ggml_Q5_1", .q5_1),
    ])
  func quantised(name: String, format: WeightFormat) throws {
    let bytes = try [UInt8](
      Data(contentsOf: MatrixFixtures.vectors.appending(path: "\(name).q.bin")))
    let original = try MatrixFixtures.words("\(name).x.f32").map(Float.init(bitPattern:))
    #expect(try WeightQuantizer.quantize(original, to: format) == bytes)
  }

  @Test("Formats that are only read say so when they are to be made")
  func notMade() {
    #expect(throws: MatrixError.noQuantizer(.q4_K)) {
      try WeightQuantizer.quantize([Float](repeating: 1, count: 256), to: .q4_K)
    }
  }
}

extension MatrixFixtures {
  /// A file of 32-bit little-endian words.
  static func words(_ name: String) throws -> [UInt32] {
    let bytes = try [UInt8](Data(contentsOf: vectors.appending(path: name)))
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
    }
  }
}
