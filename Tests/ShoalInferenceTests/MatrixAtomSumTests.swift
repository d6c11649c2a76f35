// Many numeric atoms that add to the same sums in a batch: loops count small products on the way,
// and no size of a product may show it.

import ShoalInference
import Testing

@Suite struct MatrixAtomSumTests {
  /// More atoms, tokens and row groups than the loops take at a time, each with a rest.
  private static let atoms = 70
  private static let tokens = 99
  private static let rows = 150

  @Test(
    "The sums of many atoms are the reference's, whatever the size of their products",
    arguments: KernelPath.available)
  func sizesDoNotShow(path: KernelPath) throws {
    // Products in units of 2^-18: small, halves, about 2^25 and 2^31, up to the limit of 2^44.
    let sizes: [Float] = [
      0x1p-18, 0x1.8p-18, 0x1p-19, 1, 0x1.fffffep6, 0x1p7, 0x1.000002p7, 0x1p13, 0x1.fffffep25,
    ]
    var random = MatrixRandom(state: 7)
    let terms = try Self.terms { _ in
      let isOdd = UInt8.random(in: 0..<8, using: &random) == 0
      let size = isOdd ? sizes[Int.random(in: sizes.indices, using: &random)] : 3
      return Bool.random(using: &random) ? size : -size
    }
    var sums = [Int64](repeating: 5, count: Self.tokens * Self.rows)
    var expected = sums
    try Self.add(terms, Kernels(path: path), to: &sums)
    try Self.add(terms, Kernels(path: .reference), to: &expected)
    #expect(sums == expected)
  }

  @Test(
    "One product that is no number is an error, and all others are added",
    arguments: KernelPath.available)
  func oneBadProduct(path: KernelPath) throws {
    let terms = try Self.terms { $0 == 1000 ? .nan : 1 }
    var sums = [Int64](repeating: 0, count: Self.tokens * Self.rows)
    #expect(throws: MatrixError.outOfRange) {
      try Self.add(terms, Kernels(path: path), to: &sums)
    }
    var expected = [Int64](repeating: 0, count: sums.count)
    #expect(throws: MatrixError.outOfRange) {
      try Self.add(terms, Kernels(path: .reference), to: &expected)
    }
    #expect(sums == expected)
  }

  /// Atoms of one column; token t has the value 2^-(t mod 3).
  private static func terms(_ weight: (Int) -> Float) throws -> [MatrixTerm] {
    var drawn = 0
    return try (0..<atoms).map { _ in
      let weights = (drawn..<drawn + rows).map(weight)
      drawn += rows
      let matrix = try MatrixFixtures.pack(
        .f32, MatrixCase(rows: rows, width: 1, columns: 0..<1),
        WeightQuantizer.quantize(weights, to: .f32))
      let input = Activations(parts: matrix.shape.parts, capacity: tokens)
      for token in 0..<tokens {
        unsafe input.token(token)[0] = Float(sign: .plus, exponent: -(token % 3), significand: 1)
      }
      return MatrixTerm(matrix, input)
    }
  }

  private static func add(_ terms: [MatrixTerm], _ kernels: Kernels, to sums: inout [Int64]) throws
  {
    let groups = terms[0].matrix.shape.groups
    try unsafe sums.withUnsafeMutableBufferPointer { buffer in
      try unsafe kernels.multiplyRounded(
        terms, tokens: tokens, groups: 0..<groups, addingTo: buffer, stride: rows)
    }
  }
}
