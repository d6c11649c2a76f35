// The functions of `canon-1`: close to the truth by definition, the same bits on every path.

import Foundation
import ShoalInference
import Testing

@Suite struct CanonFunctionTests {
  /// Distance to the truth in units of the last place of the f32 nearest to it.
  private func error(_ value: Float, _ truth: Double) -> Double {
    let unit = Double(max(Float(truth).ulp, Float.leastNonzeroMagnitude))
    return abs(Double(value) - truth) / unit
  }

  @Test func exponentialIsWithinOnePointOneUnits() {
    var worst = 0.0
    for step in 0..<2_000_000 {
      let x = Float(-104) + Float(step) * 96.36e-6
      worst = max(worst, error(Canon.exp(x), Foundation.exp(Double(x))))
    }
    #expect(worst < 1.1, "\(worst)")
    #expect(worst > 0.4)
    #expect(Canon.exp(Float(0)) == 1)
    #expect(Canon.exp(-Float.infinity) == 0)
    #expect(Canon.exp(Float(88.722_84)) == .infinity)
    #expect(Canon.exp(Float(88.722_83)).isFinite)
    #expect(Canon.exp(Float(-103.9)) > 0)
    #expect(Canon.exp(Float.nan).isNaN)
  }

  enum Function: CaseIterable {
    case silu, tanh, erf, softplus

    func value(_ x: Float) -> Float {
      switch self {
      case .silu: Canon.silu(x)
      case .tanh: Canon.tanh(x)
      case .erf: Canon.erf(x)
      case .softplus: Canon.softplus(x)
      }
    }
    func truth(_ x: Double) -> Double {
      switch self {
      case .silu: x / (1 + Foundation.exp(-x))
      case .tanh: Foundation.tanh(x)
      case .erf: Foundation.erf(x)
      case .softplus: max(x, 0) + log1p(Foundation.exp(-abs(x)))
      }
    }
  }

  @Test(arguments: Function.allCases)
  func functionIsWithinThreeUnits(function: Function) {
    var worst = (error: 0.0, x: Float(0))
    for step in -400_000...400_000 {
      let x = Float(step) * 5e-5
      let error = error(function.value(x), function.truth(Double(x)))
      if error > worst.error { worst = (error, x) }
    }
    #expect(worst.error < 3, "\(worst)")
    #expect(worst.error > 0.4)
  }

  @Test func geluIsWithinTwoTenMillionthsOfItsArgument() {
    var worst = (erf: 0.0, tanh: 0.0)
    for step in -400_000...400_000 where step != 0 {
      let x = Float(step) * 2.5e-5
      let (d, size) = (Double(x), abs(Double(x)))
      let erfForm = 0.5 * d * (1 + erf(d / 2.0.squareRoot()))
      let inner = (2 / Double.pi).squareRoot() * (d + 0.044715 * d * d * d)
      let tanhForm = 0.5 * d * (1 + tanh(inner))
      worst.erf = max(worst.erf, abs(Double(Canon.geluErf(x)) - erfForm) / size)
      worst.tanh = max(worst.tanh, abs(Double(Canon.geluTanh(x)) - tanhForm) / size)
    }
    #expect(worst.erf < 2e-7 && worst.tanh < 2e-7, "\(worst)")
    #expect(worst.erf > 1e-8 && worst.tanh > 1e-8)
  }

  @Test func doubleFunctionsAgreeWithTheSystems() {
    var seed = CanonSeed(1)
    for _ in 0..<100_000 {
      let x = Double.random(in: -700...700, using: &seed)
      #expect(abs(Canon.exp(x) / Foundation.exp(x) - 1) < 5e-16)
      let y = Foundation.exp(Double.random(in: -40...40, using: &seed))
      #expect(abs(Canon.log(y) - Foundation.log(y)) < 1e-15 * max(1, abs(Foundation.log(y))))
      let angle = Double.random(in: -1e6...1e6, using: &seed)
      let turn = Canon.cosSin(angle)
      #expect(abs(turn.cos - Foundation.cos(angle)) < 1e-15)
      #expect(abs(turn.sin - Foundation.sin(angle)) < 1e-15)
    }
    #expect(Canon.log(1) == 0)
    #expect(Canon.exp(Double(0)) == 1)
  }

  @Test func everyHalfSurvivesAndEveryFloatRoundsToTheNearest() {
    for bits in UInt16.min...UInt16.max {
      let value = Half.float(bits)
      #expect(value.isNaN == Float16(bitPattern: bits).isNaN)
      if value.isNaN { continue }
      #expect(value.bitPattern == Float(Float16(bitPattern: bits)).bitPattern)
      #expect(Half.bits(value) == bits)
    }
    var seed = CanonSeed(2)
    for _ in 0..<200_000 {
      // Exponents from far below the least half to far above the largest.
      let x =
        Float.random(in: -2...2, using: &seed) * Canon.exp(.random(in: -22...14, using: &seed))
      #expect(Half.bits(x) == Float16(x).bitPattern, "\(x)")
    }
    for tie in [1 + 0x1p-11, 1 + 0x1.8p-10, 0x1p-25, 0x1.8p-24, 65_519.996, 65_520] as [Float] {
      #expect(Half.bits(tie) == Float16(tie).bitPattern, "\(tie)")
    }
  }
}

@Suite struct CanonRowTests {
  static let lengths = [1, 2, 15, 16, 17, 31, 33, 64, 100, 257, 2048]
  let reference = Kernels(path: .reference)

  /// Rows with edges first, then random numbers.
  private func row(_ count: Int, _ seed: UInt64, edges: Bool = false) -> [Float] {
    var seed = CanonSeed(seed)
    let random = seed.floats(count, in: -20...20)
    return edges ? Array((canonEdges + random).prefix(max(count, canonEdges.count))) : random
  }

  // The long row meets roundings that one number in ten thousand decides.
  @Test(arguments: canonPaths, lengths + [100_003])
  func elementwiseFunctionsGiveTheReferenceBits(path: KernelPath, count: Int) {
    let kernels = Kernels(path: path)
    let x = row(count, 3, edges: true)
    let up = Array(row(x.count, 4))
    func all(_ kernels: Kernels) -> [[UInt32]] {
      var rows = [canonRow(x.count) { unsafe kernels.exp(x, x.count, into: $0) }]
      for activation in Activation.allCases {
        rows.append(
          canonRow(x.count) { unsafe kernels.activate(activation, x, x.count, into: $0) })
        rows.append(
          canonRow(x.count) {
            unsafe kernels.activateGated(activation, gate: x, up: up, x.count, into: $0)
          })
      }
      return rows.map(canonBits)
    }
    #expect(all(kernels) == all(reference))
    #expect(Set(all(kernels).map { $0[3] }).count > 5)
  }

  @Test(arguments: canonPaths, lengths)
  func normsGiveTheReferenceBits(path: KernelPath, count: Int) {
    let (x, weight, bias) = (row(count, 5), row(count, 6), row(count, 7))
    func all(_ kernels: Kernels) -> [[UInt32]] {
      [
        canonRow(count) {
          unsafe kernels.rmsNorm(x, weight: weight, epsilon: 1e-5, count, into: $0)
        },
        canonRow(count) {
          unsafe kernels.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5, count, into: $0)
        },
      ].map(canonBits)
    }
    #expect(all(Kernels(path: path)) == all(reference))
  }

  @Test(arguments: lengths)
  func normsAreWhatTheirPapersSay(count: Int) {
    let (x, weight, bias) = (row(count, 5), row(count, 6), row(count, 7))
    let d = x.map(Double.init)
    let n = Double(count)
    let rms = (d.map { $0 * $0 }.reduce(0, +) / n + 1e-5).squareRoot()
    let mean = d.reduce(0, +) / n
    let deviation = (d.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / n + 1e-5).squareRoot()
    let a = canonRow(count) {
      unsafe reference.rmsNorm(x, weight: weight, epsilon: 1e-5, count, into: $0)
    }
    let b = canonRow(count) {
      unsafe reference.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5, count, into: $0)
    }
    for i in 0..<count {
      #expect(abs(Double(a[i]) - d[i] / rms * Double(weight[i])) < 1e-4)
      let normal = (d[i] - mean) / deviation
      #expect(abs(Double(b[i]) - (normal * Double(weight[i]) + Double(bias[i]))) < 1e-3)
    }
  }

  @Test(arguments: KernelPath.available, [1, 15, 16, 17, 200])
  func residualAddsInTheStatedOrderAndRefusesLargeSums(path: KernelPath, count: Int) throws {
    let kernels = Kernels(path: path)
    var seed = CanonSeed(8)
    let (x, bias) = (row(count, 9), row(count, 10))
    let limit: Int64 = 1 << 44
    var sums = (0..<count).map { _ in Int64.random(in: -(1 << 30)...(1 << 30), using: &seed) }
    sums[0] = limit
    sums[count - 1] = -limit
    for bias in [nil, bias] {
      var y = x
      try unsafe y.withUnsafeMutableBufferPointer { y in
        guard let start = y.baseAddress else { return }
        try unsafe sums.withUnsafeBufferPointer { sums in
          guard let sums = sums.baseAddress else { return }
          if let bias {
            try unsafe kernels.addResidual(start, sum: sums, unitExponent: -18, bias: bias, count)
          } else {
            try unsafe kernels.addResidual(start, sum: sums, unitExponent: -18, count)
          }
        }
      }
      for i in 0..<count {
        var expected = x[i] + Float(sums[i]) * 0x1p-18
        if let bias { expected += bias[i] }
        #expect(y[i].bitPattern == expected.bitPattern)
      }
    }
    for (index, value) in [(0, limit + 1), (count - 1, -limit - 1), (count / 2, Int64.min)] {
      var (y, wrong) = (x, sums)
      wrong[index] = value
      #expect(throws: NumericsError.sumOutOfRange(index: index, value: value, limit: limit)) {
        try unsafe kernels.addResidual(&y, sum: &wrong, unitExponent: -18, count)
      }
    }
  }

  @Test(arguments: canonPaths, lengths)
  func reductionsGiveTheReferenceBits(path: KernelPath, count: Int) {
    let kernels = Kernels(path: path)
    let x = row(count, 11)
    let origin = unsafe reference.maximum(x, count)
    let largest = unsafe kernels.maximum(x, count)
    #expect(largest == origin)
    #expect(x.max() == origin)
    let expected = unsafe reference.sumOfExponentials(x, origin: origin, count)
    let sum = unsafe kernels.sumOfExponentials(x, origin: origin, count)
    #expect(sum.bitPattern == expected.bitPattern)
    #expect(sum >= 1)
    var spoiled = x
    spoiled[count - 1] = .nan
    let found = unsafe [kernels.maximum(spoiled, count), reference.maximum(spoiled, count)]
    #expect(found.allSatisfy { $0.isNaN })
  }
}
