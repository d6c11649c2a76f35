// Attention: right by an f64 softmax, the same bits on every path and in every order of work.

import Foundation
import ShoalInference
import Testing

@Suite struct CanonAttentionTests {
  private func cache(_ headDim: Int, _ type: KVType, positions: Int, seed: UInt64 = 30) -> KVCache {
    let cache = KVCache(headDim: headDim, type: type)
    extend(cache, to: positions, seed: seed)
    return cache
  }

  /// The row of a position depends on the position alone.
  private func rows(_ headDim: Int, _ position: Int, seed: UInt64) -> (key: [Float], value: [Float])
  {
    var seed = CanonSeed(seed &* 1_000_003 &+ UInt64(position))
    return (seed.floats(headDim, in: -2...2), seed.floats(headDim, in: -3...3))
  }

  private func extend(_ cache: KVCache, to positions: Int, seed: UInt64 = 30) {
    for position in cache.count..<positions {
      let row = rows(cache.headDim, position, seed: seed)
      do { try unsafe cache.append(key: row.key, value: row.value) } catch {
        Issue.record(error)
      }
    }
  }

  private func attend(
    _ kernels: Kernels, _ query: [Float], _ cache: KVCache, _ visible: Range<Int>,
    softCap: Float = 0
  ) -> [Float] {
    // Scratch that was used before: nothing may depend on what it held.
    var scratch = [Float](
      repeating: .nan, count: Kernels.attentionScratch(headDim: cache.headDim))
    return canonRow(cache.headDim) { out in
      unsafe kernels.attend(
        query, over: cache, visible: visible, scale: 0.3, softCap: softCap, scratch: &scratch,
        into: out)
    }
  }

  static let windows: [Range<Int>] = [
    0..<1, 0..<2, 0..<63, 0..<64, 0..<65, 0..<200, 1..<200, 63..<65, 64..<128, 130..<199, 199..<200,
    100..<101,
  ]

  @Test(arguments: [8, 24, 64, 80, 128, 256], KVType.allCases)
  func everyPathGivesTheReferenceBitsAndTheyAreRight(headDim: Int, type: KVType) {
    let cache = cache(headDim, type, positions: 200)
    var seed = CanonSeed(31)
    let query = seed.floats(headDim, in: -2...2)
    for visible in CanonAttentionTests.windows {
      for softCap in [0, 5] as [Float] {
        let expected = attend(
          Kernels(path: .reference), query, cache, visible, softCap: softCap)
        for path in canonPaths {
          let out = attend(Kernels(path: path), query, cache, visible, softCap: softCap)
          #expect(canonBits(out) == canonBits(expected), "\(path) \(visible)")
        }
        let truth = softmaxAttention(query, cache, visible, softCap: Double(softCap))
        let worst = zip(expected, truth).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(worst < 2e-5, "\(visible): \(worst)")
      }
    }
  }

  /// In f64 from the stored bits, which are part of the plan.
  private func softmaxAttention(
    _ query: [Float], _ cache: KVCache, _ visible: Range<Int>, softCap: Double
  ) -> [Double] {
    let stored = visible.map { position in
      let row = rows(cache.headDim, position, seed: 30)
      func asStored(_ x: Float) -> Double {
        switch cache.type {
        case .f16: Double(Float16(x))
        case .f32: Double(x)
        }
      }
      return (row.key.map(asStored), row.value.map(asStored))
    }
    let scores = stored.map { (key: [Double], _) -> Double in
      let products = zip(query, key).map { Double($0) * $1 }
      let score = products.reduce(0, +) * 0.3
      return softCap > 0 ? softCap * tanh(score / softCap) : score
    }
    let weights = scores.map { exp($0 - (scores.max() ?? 0)) }
    let total = weights.reduce(0, +)
    return (0..<cache.headDim).map { d in
      zip(weights, stored).map { $0 * $1.1[d] }.reduce(0, +) / total
    }
  }

  @Test(arguments: KernelPath.available, KVType.allCases)
  func decodingStepByStepGivesTheBitsOfPrefill(path: KernelPath, type: KVType) {
    let kernels = Kernels(path: path)
    let whole = cache(24, type, positions: 150)
    let growing = KVCache(headDim: 24, type: type)
    var seed = CanonSeed(32)
    for position in 0..<150 {
      extend(growing, to: position + 1)
      let query = seed.floats(24)
      let visible = max(0, position - 99)..<position + 1
      #expect(
        canonBits(attend(kernels, query, growing, visible))
          == canonBits(attend(kernels, query, whole, visible)))
    }
  }

  @Test(arguments: KVType.allCases)
  func truncatedAndRewrittenIsAsIfNeverWritten(type: KVType) {
    let expected = cache(16, type, positions: 100)
    let actual = cache(16, type, positions: 70)
    extend(actual, to: 130, seed: 99)
    #expect(actual.bytes(of: 0..<100) != expected.bytes(of: 0..<100))
    actual.truncate(to: 70)
    extend(actual, to: 100)
    #expect(actual.bytes(of: 0..<100) == expected.bytes(of: 0..<100))
    var seed = CanonSeed(33)
    let query = seed.floats(16)
    for path in KernelPath.available {
      let kernels = Kernels(path: path)
      #expect(attend(kernels, query, actual, 0..<100) == attend(kernels, query, expected, 0..<100))
    }
  }

  @Test(arguments: KVType.allCases)
  func positionsTravelAsBytes(type: KVType) throws {
    let source = cache(20, type, positions: 90)
    let copy = KVCache(headDim: 20, type: type)
    #expect(source.positionByteCount == 40 * type.byteCount)
    try copy.replace(from: 0, with: source.bytes(of: 0..<50))
    try copy.replace(from: 50, with: source.bytes(of: 50..<90))
    #expect(copy.count == 90)
    #expect(copy.bytes(of: 0..<90) == source.bytes(of: 0..<90))
    #expect(source.bytes(of: 3..<4) != source.bytes(of: 4..<5))
    let short = Array(source.bytes(of: 0..<2).dropLast())
    #expect(
      throws: NumericsError.lengthMismatch(
        expected: source.positionByteCount, actual: short.count)
    ) { try copy.replace(from: 90, with: short) }
    #expect(throws: NumericsError.hole(count: 90, first: 91)) {
      try copy.replace(from: 91, with: [])
    }
    #expect(throws: NumericsError.hole(count: 90, first: -1)) {
      try copy.replace(from: -1, with: [])
    }
    #expect(copy.count == 90)
  }

  @Test func whatCannotBeStoredIsRefusedAndLeavesNothing() {
    let good = [Float](repeating: 1, count: 8)
    for (type, bad, expected) in [
      (KVType.f16, 65_520, NumericsError.beyondHalf(index: 5)), (.f16, .nan, .notFinite(index: 5)),
      (.f32, .infinity, .notFinite(index: 5)),
    ] as [(KVType, Float, NumericsError)] {
      var row = good
      row[5] = bad
      let cache = KVCache(headDim: 8, type: type)
      #expect(throws: expected) { try unsafe cache.append(key: row, value: good) }
      #expect(throws: expected) { try unsafe cache.append(key: good, value: row) }
      #expect(cache.count == 0)
    }
  }

  @Test func reservedPositionsNeedNoFurtherMemory() {
    let cache = KVCache(headDim: 8, type: .f16)
    cache.reserve(positions: 129)
    #expect(cache.capacity == 192)
    extend(cache, to: 192)
    #expect(cache.capacity == 192)
    #expect(KVCache.byteCount(headDim: 8, type: .f16, positions: 129) == 192 * (8 + 16) * 2)
  }
}
