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
    // Two groups; 64 columns are two parts: 64 bytes of scales, then 16 quads or 8 pairs of them.
    let expected: [(WeightFormat, Int)] = [
      (.f32, 2 * 64 * 64), (.f16, 2 * 64 * 32), (.q8_0, 2 * (64 + 16 * 64)),
      (.q4_0, 2 * (64 + 8 * 64)),
    ]
    for (format, bytes) in expected {
      #expect(try MatrixShape(format: format, rows: 17, columns: 64).byteCount == bytes)
    }
    #expect(try MatrixShape(format: .f16, rows: 1, columns: 3).byteCount == 128)
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
    for shape in MatrixCase.all {
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

  @Test(
    "Dequantised bytes equal those of two independent implementations",
    .enabled(if: MatrixFixtures.hasVectors),
    arguments: [
      ("gguf_F16", WeightFormat.f16), ("gguf_Q8_0", .q8_0), ("ggml_Q8_0", .q8_0),
      ("gguf_Q4_0", .q4_0), ("ggml_Q4_0", .q4_0),
    ])
  func vectors(name: String, format: WeightFormat) throws {
    let shape = MatrixCase(rows: 8, width: 512, columns: 0..<512)
    let bytes = try [UInt8](
      Data(contentsOf: MatrixFixtures.vectors.appending(path: "\(name).q.bin")))
    let matrix = try MatrixFixtures.pack(format, shape, bytes)
    let unpacked = (0..<8).flatMap { matrix.dequantizeRow($0) }
    #expect(try unpacked.map(\.bitPattern) == MatrixFixtures.words("\(name).y.f32"))

    let original = try MatrixFixtures.words("\(name).x.f32").map(Float.init(bitPattern:))
    #expect(try WeightQuantizer.quantize(original, to: format) == bytes)
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
