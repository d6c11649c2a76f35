// Attention of many queries at once: each gets the bits that it gets alone.

import ShoalInference
import Testing

@Suite struct CanonAttentionGroupTests {
  private func filled(_ headDim: Int, _ type: KVType, positions: Int) -> KVCache {
    let cache = KVCache(headDim: headDim, type: type)
    cache.reserve(positions: positions)
    var seed = CanonSeed(40)
    for _ in 0..<positions {
      let (key, value) = (seed.floats(headDim, in: -2...2), seed.floats(headDim, in: -3...3))
      do { try unsafe cache.append(key: key, value: value) } catch { Issue.record(error) }
    }
    return cache
  }

  /// Attention of each query over its range: all in one call, or one by one.
  private func attend(
    _ kernels: Kernels, _ queries: [Float], _ cache: KVCache, _ visible: [Range<Int>],
    together: Bool
  ) -> [Float] {
    let (dimension, room) = (
      cache.headDim, Kernels.attentionScratch(headDim: cache.headDim)
    )
    var scratch = [Float](repeating: .nan, count: visible.count * room)
    var out = [Float](repeating: .nan, count: visible.count * dimension)
    unsafe queries.withUnsafeBufferPointer { queries in
      unsafe scratch.withUnsafeMutableBufferPointer { scratch in
        unsafe out.withUnsafeMutableBufferPointer { out in
          let all = visible.indices.map { index in
            unsafe AttentionQuery(
              query: queries.baseAddress! + index * dimension, visible: visible[index],
              scratch: scratch.baseAddress! + index * room,
              out: out.baseAddress! + index * dimension)
          }
          unsafe all.withUnsafeBufferPointer { all in
            if together { return unsafe kernels.attend(all, over: cache, scale: 0.3) }
            for index in visible.indices {
              unsafe kernels.attend(
                UnsafeBufferPointer(rebasing: all[index...index]), over: cache, scale: 0.3)
            }
          }
        }
      }
    }
    return out
  }

  static let groups: [[Range<Int>]] = [
    Array(repeating: 0..<150, count: 8),
    // Tokens of a batch: each sees one position more.
    (120..<133).map { 0..<$0 },
    // Windows that begin and end in different chunks, and some that do not meet.
    [0..<5, 60..<70, 3..<200, 130..<131, 64..<128, 10..<20, 10..<30, 190..<200],
    [10..<20, 30..<40, 0..<64, 5..<6],
  ]

  @Test(arguments: [8, 64, 80, 128], KVType.allCases)
  func manyQueriesAtOnceGetTheBitsThatEachGetsAlone(headDim: Int, type: KVType) {
    let cache = filled(headDim, type, positions: 200)
    for visible in CanonAttentionGroupTests.groups {
      var seed = CanonSeed(41)
      let queries = seed.floats(visible.count * headDim, in: -2...2)
      let expected = attend(
        Kernels(path: .reference), queries, cache, visible, together: false)
      for path in KernelPath.available {
        let out = attend(Kernels(path: path), queries, cache, visible, together: true)
        #expect(canonBits(out) == canonBits(expected), "\(path) \(visible)")
      }
    }
  }

  @Test func thirtyTwoThousandPositionsGiveTheReferenceBits() {
    let cache = filled(64, .f16, positions: 32_768)
    var seed = CanonSeed(42)
    let queries = seed.floats(4 * 64, in: -2...2)
    let visible = [0..<32_768, 0..<32_767, 1..<32_768, 28_672..<32_768]
    let expected = attend(Kernels(path: .reference), queries, cache, visible, together: false)
    #expect(Set(expected.map(\.bitPattern)).count > 200)
    for path in canonPaths {
      let out = attend(Kernels(path: path), queries, cache, visible, together: true)
      #expect(canonBits(out) == canonBits(expected), "\(path)")
    }
  }
}
