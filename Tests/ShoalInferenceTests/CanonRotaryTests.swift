// Rotary tables against the system's functions, rotation against complex numbers.

import Foundation
import ShoalInference
import Testing

@Suite struct CanonRotaryTests {
  @Test(arguments: [(64, 10_000.0), (128, 500_000.0), (8, 1e6), (80, 10_000.0)])
  func tablesAgreeWithTheSystemsFunctions(dim: Int, base: Double) {
    var table = RotaryTable(rotaryDim: dim, base: base, style: .halves)
    table.extend(to: 3_000)
    table.extend(to: 9_001)
    #expect(table.count == 9_001)
    for position in [0, 1, 2, 2_999, 3_000, 9_000] {
      let row = table.row(position)
      for pair in 0..<dim / 2 {
        let angle = Double(position) * pow(base, -Double(2 * pair) / Double(dim))
        #expect(abs(Double(row.cosines[pair]) - cos(angle)) < 1e-7)
        #expect(abs(Double(row.sines[pair]) - sin(angle)) < 1e-7)
      }
    }
  }

  @Test func anglesStayExactAtAMillionPositions() {
    let table = RotaryTable(rotaryDim: 128, base: 500_000, style: .halves)
    for (pair, frequency) in table.frequencies.enumerated() {
      let angle = 1e6 * frequency
      #expect(abs(frequency / pow(500_000, -Double(pair) / 64) - 1) < 3e-15)
      #expect(abs(Canon.cosSin(angle).sin - sin(angle)) < 1e-15)
    }
  }

  @Test func scalingsAreWhatTheirSourcesSay() {
    func frequencies(_ scaling: RotaryScaling) -> [Double] {
      RotaryTable(rotaryDim: 128, base: 500_000, scaling: scaling, style: .halves).frequencies
    }
    let plain = frequencies(.none)
    #expect(frequencies(.linear(factor: 4)) == plain.map { $0 / 4 })
    let factors = (0..<64).map { 1 + Float($0) }
    #expect(frequencies(.factors(factors)) == zip(plain, factors).map { $0 / Double($1) })
    let llama = frequencies(.llama3(factor: 8, low: 1, high: 4, originalContext: 8_192))
    // Wavelengths below 2,048 are kept, beyond 8,192 divided, and between them they lie between.
    for (before, after) in zip(plain, llama) {
      let wavelength = 2 * Double.pi / before
      if wavelength < 2_048 {
        #expect(after == before)
      } else if wavelength > 8_192 {
        #expect(after == before / 8)
      } else {
        #expect(after < before && after > before / 8)
      }
    }
    #expect(Set(zip(plain, llama).map { ($0 / $1).rounded() }).isSuperset(of: [1, 8]))
  }

  /// Values of transformers' definitions (modeling_rope_utils.py), computed with Python's floats.
  @Test func scalingsThatChangePairByPairHaveTheirPublishedValues() {
    let amplitude = 1.138629436111989
    var yarn = RotaryTable(
      rotaryDim: 128, base: 1e6,
      scaling: .yarn(factor: 4, fast: 32, slow: 1, originalContext: 32_768, amplitude: amplitude),
      style: .halves)
    for (pair, frequency) in [
      (0, 1.0), (20, 0.01333521432163324), (24, 0.005375321490790102),
      (30, 0.0010643609812470017), (35, 0.0002462584069089387), (40, 4.445698525097307e-05),
      (50, 5.133812566142866e-06), (63, 3.102344401879299e-07),
    ] { #expect(abs(yarn.frequencies[pair] / frequency - 1) < 1e-12, "\(pair)") }
    yarn.extend(to: 1)
    #expect(yarn.row(0).cosines == Array(repeating: Float(amplitude), count: 64))

    func frequencies(_ scaling: RotaryScaling, context: Int) -> [Double] {
      RotaryTable(
        rotaryDim: 128, base: 10_000, scaling: scaling, style: .halves, context: context
      ).frequencies
    }
    let plain = frequencies(.none, context: 0)
    let dynamic = RotaryScaling.dynamic(factor: 2, originalContext: 4_096)
    #expect(frequencies(dynamic, context: 4_096) == plain)
    for (pair, frequency) in [
      (0, 1.0), (1, 0.8396257425643113), (31, 0.0044325955619802185), (63, 1.649688549556369e-05),
    ] {
      let found = frequencies(dynamic, context: 16_384)[pair]
      #expect(abs(found / frequency - 1) < 1e-12, "\(pair)")
    }
    let (short, long) = ((0..<64).map { 1 + Float($0) }, (0..<64).map { 100 + Float($0) })
    let longRoPE = RotaryScaling.longRoPE(
      short: short, long: long, originalContext: 4_096, amplitude: 1)
    #expect(frequencies(longRoPE, context: 4_096) == zip(plain, short).map { $0 / Double($1) })
    #expect(frequencies(longRoPE, context: 4_097) == zip(plain, long).map { $0 / Double($1) })
  }

  @Test(arguments: RotaryStyle.allCases, [4, 8, 24, 32, 64, 80, 128])
  func rotationTurnsPairsAndKeepsTheRest(style: RotaryStyle, dim: Int) {
    var table = RotaryTable(rotaryDim: dim, base: 10_000, style: style)
    table.extend(to: 300)
    var seed = CanonSeed(20)
    let head = seed.floats(dim + 5)
    for position in [0, 1, 299] {
      let row = table.row(position)
      var expected = head
      for pair in 0..<dim / 2 {
        let first = style == .halves ? pair : 2 * pair
        let second = style == .halves ? pair + dim / 2 : first + 1
        let (c, s) = (row.cosines[pair], row.sines[pair])
        expected[first] = (-(head[second] * s)).addingProduct(head[first], c)
        expected[second] = (head[second] * c).addingProduct(head[first], s)
      }
      for path in KernelPath.available {
        var turned = head
        unsafe Kernels(path: path).rotate(&turned, by: table, position: position)
        #expect(canonBits(turned) == canonBits(expected), "\(path)")
      }
      #expect(position == 0 || expected != head)
    }
  }
}
