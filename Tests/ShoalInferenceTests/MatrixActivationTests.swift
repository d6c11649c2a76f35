// Activations to int8: one definition, its edges, and every path against it.

import ShoalInference
import Testing

@Suite("Activation quantisation")
struct MatrixActivationTests {
  @Test("Every path writes the records of the reference", arguments: Extremes.allCases)
  func pathsEqualReference(kind: Extremes) throws {
    var random = MatrixRandom(state: 21)
    var varied: Set<UInt8> = []
    for shape in MatrixCase.all {
      let parts = ColumnParts(first: shape.columns.lowerBound, count: shape.columns.count)
      let input = MatrixFixtures.activations(parts, tokens: 3, kind, using: &random)
      try Kernels(path: .reference).quantize(input, tokens: 0..<3)
      let expected = input.recordBytes
      varied.formUnion(expected)
      for path in MatrixFixtures.fastPaths {
        input.clearRecords()
        try Kernels(path: path).quantize(input, tokens: 0..<3)
        #expect(input.recordBytes == expected, "\(path) \(shape)")
      }
    }
    #expect(varied.count > 5, "inputs vary")
  }

  @Test(
    "A block's scale is its largest magnitude / 127; halves go to even",
    arguments: KernelPath.available)
  func definition(path: KernelPath) throws {
    let input = Activations(parts: ColumnParts(first: 0, count: 40), capacity: 1)
    let values: [Float] = [-127, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 0]
    for (column, value) in values.enumerated() { unsafe input.values[column] = value }
    unsafe input.values[32] = 2
    try Kernels(path: path).quantize(input, tokens: 0..<1)
    #expect(input.scale(0, part: 0) == 1)
    #expect(Array(input.quants(0, part: 0).prefix(8)) == [-127, 0, 2, 2, 0, -2, 126, 0])
    #expect(input.sum(0, part: 0) == 1)
    #expect(input.scale(0, part: 1) == Float(2) / 127)
    #expect(input.quants(0, part: 1) == [127, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test(
    "Blocks too small for a normal scale are zero, the next larger are not",
    arguments: KernelPath.available)
  func smallest(path: KernelPath) throws {
    let input = Activations(parts: ColumnParts(first: 0, count: 96), capacity: 1)
    unsafe input.values[0] = .leastNonzeroMagnitude
    unsafe input.values[32] = (Float.leastNormalMagnitude * 127).nextDown.nextDown
    unsafe input.values[64] = -Float.leastNormalMagnitude * 127
    try Kernels(path: path).quantize(input, tokens: 0..<1)
    #expect((0..<3).map { input.scale(0, part: $0) } == [0, 0, .leastNormalMagnitude])
    #expect((0..<3).map { input.quants(0, part: $0)[0] } == [0, 0, -127])
  }

  @Test("The largest f32 is quantised", arguments: KernelPath.available)
  func largest(path: KernelPath) throws {
    let input = Activations(parts: ColumnParts(first: 0, count: 2), capacity: 1)
    unsafe input.values[0] = -.greatestFiniteMagnitude
    unsafe input.values[1] = .greatestFiniteMagnitude / 2
    try Kernels(path: path).quantize(input, tokens: 0..<1)
    #expect(input.quants(0, part: 0) == [-127, 64])
  }

  @Test(
    "NaN and infinity are reported and leave a zero block",
    arguments: KernelPath.available, [Float.nan, -.nan, .infinity, -.infinity])
  func notFinite(path: KernelPath, value: Float) throws {
    let input = Activations(parts: ColumnParts(first: 0, count: 64), capacity: 2)
    for index in 0..<128 { unsafe input.values[index] = 1 }
    unsafe input.values[64 + 7] = value
    try Kernels(path: path).quantize(input, tokens: 0..<1)
    #expect(throws: MatrixError.notFinite) {
      try Kernels(path: path).quantize(input, tokens: 0..<2)
    }
    #expect(input.scale(1, part: 0) == 0)
    #expect(input.quants(1, part: 0).allSatisfy { $0 == 0 })
    #expect(input.quants(1, part: 1).allSatisfy { $0 == 127 })
  }

  @Test("Half floats go to f32 and back unchanged")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let value = Half.float(bits)
      if value.isNaN {
        #expect(bits & 0x7FFF > 0x7C00)
      } else {
        #expect(Half.bits(value) == bits)
      }
    }
    #expect(Half.bits(65519.9) == 0x7BFF && Half.bits(65520) == 0x7C00)
    // Halves between neighbours go to the even one.
    #expect(Half.bits(1 + 0x1p-11) == 0x3C00 && Half.bits(1 + 0x3p-11) == 0x3C02)
    #expect(Half.bits(0x1p-25) == 0 && Half.bits(0x3p-25) == 2)
  }
}

extension Activations {
  func quants(_ token: Int, part: Int) -> [Int8] {
    (0..<parts.parts[part].count).map { quant(token, part: part, $0) }
  }

  var recordBytes: [UInt8] { unsafe Array(records) }

  func clearRecords() {
    unsafe records.initializeMemory(as: UInt8.self, repeating: 0xEE)
  }
}
