// The products of every instruction set against the reference, and the reference against f64.

import ShoalInference
import Testing

@Suite("Matrix products")
struct MatrixProductTests {
  @Test(
    "Every path gives the bits of the reference",
    arguments: WeightFormat.allCases, Extremes.allCases)
  func pathsEqualReference(format: WeightFormat, kind: Extremes) throws {
    var random = MatrixRandom(state: 11)
    var distinct: Set<UInt32> = []
    for shape in MatrixCase.all(format) {
      let bytes = try MatrixFixtures.weights(format, shape, kind, using: &random)
      let matrix = try MatrixFixtures.pack(format, shape, bytes)
      for tokens in MatrixFixtures.tokenCounts {
        let input = MatrixFixtures.activations(
          matrix.shape.parts, tokens: tokens, kind, using: &random)
        let reference = Kernels(path: .reference)
        let expected = try MatrixFixtures.products(reference, matrix, input)
        let bits = kind.fractionBits
        let expectedSums = try MatrixFixtures.sums(reference, matrix, input, fractionBits: bits)
        distinct.formUnion(expected)
        for path in MatrixFixtures.fastPaths {
          let kernels = Kernels(path: path)
          #expect(
            try MatrixFixtures.products(kernels, matrix, input) == expected,
            "\(path), \(shape), \(tokens) tokens")
          #expect(
            try MatrixFixtures.sums(kernels, matrix, input, fractionBits: bits) == expectedSums,
            "\(path), \(shape), \(tokens) tokens, rounded")
        }
      }
    }
    #expect(distinct.count > 100, "inputs vary")
  }

  @Test("A token's bits are the same alone and in a batch", arguments: WeightFormat.allCases)
  func batchEqualsSingle(format: WeightFormat) throws {
    var random = MatrixRandom(state: 5)
    for shape in MatrixCase.all(format).prefix(8) {
      let bytes = try MatrixFixtures.weights(format, shape, .random, using: &random)
      let matrix = try MatrixFixtures.pack(format, shape, bytes)
      for path in KernelPath.available {
        let kernels = Kernels(path: path)
        let batch = MatrixFixtures.activations(
          matrix.shape.parts, tokens: 17, .random, using: &random)
        let together = try MatrixFixtures.products(kernels, matrix, batch)
        for token in 0..<17 {
          let single = Activations(parts: matrix.shape.parts, capacity: 1)
          _ = unsafe single.token(0).update(fromContentsOf: batch.token(token))
          let alone = try MatrixFixtures.products(kernels, matrix, single)
          let stride = shape.rows + 1
          #expect(Array(together[token * stride..<(token + 1) * stride]) == alone)
        }
      }
    }
  }

  @Test("Row groups may be computed in any pieces", arguments: WeightFormat.allCases)
  func groupsAreIndependent(format: WeightFormat) throws {
    var random = MatrixRandom(state: 6)
    let shape = MatrixCase(rows: 75, width: 256, columns: 24..<128)
    let bytes = try MatrixFixtures.weights(format, shape, .random, using: &random)
    let matrix = try MatrixFixtures.pack(format, shape, bytes)
    let input = MatrixFixtures.activations(
      matrix.shape.parts, tokens: 3, .random, using: &random)
    for path in KernelPath.available {
      let kernels = Kernels(path: path)
      let whole = try MatrixFixtures.products(kernels, matrix, input)
      var pieces = [Float](repeating: 77, count: 3 * 76)
      for group in (0..<matrix.shape.groups).reversed() {
        unsafe pieces.withUnsafeMutableBufferPointer { buffer in
          unsafe kernels.multiply(
            matrix, input, tokens: 3, groups: group..<group + 1, into: buffer, stride: 76)
        }
      }
      #expect(pieces.map(\.bitPattern) == whole, "\(path)")
    }
  }

  @Test("The reference is the f64 product up to f32 rounding", arguments: WeightFormat.allCases)
  func referenceIsTheProduct(format: WeightFormat) throws {
    var random = MatrixRandom(state: 7)
    for shape in MatrixCase.all(format) {
      let bytes = try MatrixFixtures.weights(format, shape, .random, using: &random)
      let matrix = try MatrixFixtures.pack(format, shape, bytes)
      let input = MatrixFixtures.activations(
        matrix.shape.parts, tokens: 2, .random, using: &random)
      let products = try MatrixFixtures.products(Kernels(path: .reference), matrix, input)
      for token in 0..<2 {
        let x = input.dequantized(token, as: format)
        for row in 0..<shape.rows {
          let w = matrix.dequantizeRow(row)
          let terms = zip(w, x).map { Double($0) * $1 }
          let exact = terms.reduce(0, +)
          let magnitude = terms.reduce(0) { $0 + $1.magnitude }
          let product = Float(bitPattern: products[token * (shape.rows + 1) + row])
          #expect(
            (Double(product) - exact).magnitude <= magnitude * Double(shape.width) * 0x1p-23,
            "\(shape) row \(row)")
        }
      }
    }
  }

  @Test("Rounding to units is to nearest even and exact", arguments: KernelPath.available)
  func roundsToNearestEven(path: KernelPath) throws {
    // One column: the product is the weight; a unit is 2^-2.
    let quarters: [Float] = [0.125, 0.375, -0.125, -0.375, 0.625, 0.126, -7.25, 1e6, 0, -0.0]
    let expected: [Int64] = [0, 2, 0, -2, 2, 1, -29, 4_000_000, 0, 0]
    let shape = MatrixCase(rows: quarters.count, width: 1, columns: 0..<1)
    let matrix = try MatrixFixtures.pack(
      .f32, shape, WeightQuantizer.quantize(quarters, to: .f32))
    let input = Activations(parts: matrix.shape.parts, capacity: 1)
    unsafe input.values[0] = 1
    var sums = [Int64](repeating: 3, count: quarters.count)
    try unsafe sums.withUnsafeMutableBufferPointer { buffer in
      try unsafe Kernels(path: path).multiplyRounded(
        matrix, input, tokens: 1, groups: 0..<1, addingTo: buffer, stride: quarters.count,
        fractionBits: 2)
    }
    #expect(sums.map { $0 - 3 } == expected)
  }

  @Test(
    "A product that is NaN or 2^44 units is an error and adds nothing",
    arguments: KernelPath.available, [Float.nan, .infinity, -.infinity, 0x1p26, -0x1p26])
  func outOfRangeIsReported(path: KernelPath, value: Float) throws {
    let weights: [Float] = [1, value, 0x1.fffffep25, -0x1.fffffep25]
    let matrix = try MatrixFixtures.pack(
      .f32, MatrixCase(rows: 4, width: 1, columns: 0..<1),
      WeightQuantizer.quantize(weights, to: .f32))
    let input = Activations(parts: matrix.shape.parts, capacity: 1)
    unsafe input.values[0] = 1
    var sums: [Int64] = [0, 0, 0, 0]
    #expect(throws: MatrixError.outOfRange) {
      try unsafe sums.withUnsafeMutableBufferPointer { buffer in
        try unsafe Kernels(path: path).multiplyRounded(
          matrix, input, tokens: 1, groups: 0..<1, addingTo: buffer, stride: 4)
      }
    }
    let largest: Int64 = 0xFFF_FFF0_0000
    #expect(sums == [1 << 18, 0, largest, -largest])
  }
}

extension Activations {
  /// What a token's values stand for in a product with weights of this format.
  func dequantized(_ token: Int, as format: WeightFormat) -> [Double] {
    guard format.isQuantised else { return unsafe self.token(token).map(Double.init) }
    return parts.parts.enumerated().flatMap { index, part in
      let scale = Double(scale(token, part: index))
      return quants(token, part: index).map { Double($0) * scale }
    }
  }
}
