// Partials on the wire: lossless, compact, and safe against any bytes.

import ShoalProtocol
import Testing

@Suite struct PartialCodecTests {
  private struct Seed: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) &* 0xbf58_476d_1ce4_e5b9
    }
  }

  private func encode(_ values: [Int64]) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xaa, count: PartialCodec.capacity(for: values.count))
    let used = try unsafe bytes.withUnsafeMutableBytes { bytes in
      try unsafe values.withUnsafeBufferPointer { try unsafe PartialCodec.encode($0, into: bytes) }
    }
    return Array(bytes.prefix(used))
  }

  private func decode(_ bytes: [UInt8], adding sum: [Int64]) throws -> [Int64] {
    var sum = sum
    try unsafe bytes.withUnsafeBytes { bytes in
      try unsafe sum.withUnsafeMutableBufferPointer {
        try unsafe PartialCodec.decodeAdding(bytes, to: $0)
      }
    }
    return sum
  }

  @Test(arguments: 0...44, [1, 2, 31, 32, 33, 64, 100, 257])
  func everyWidthAndLengthSurvives(bits: Int, count: Int) throws {
    var seed = Seed(state: UInt64(bits * 1_000 + count))
    let bound = Int64(1) << Int64(bits)
    let values = (0..<count).map { _ in Int64.random(in: -bound...bound, using: &seed) }
    let base = (0..<count).map { _ in Int64.random(in: -1000...1000, using: &seed) }
    let bytes = try encode(values)
    #expect(try decode(bytes, adding: base) == zip(base, values).map(+))
    #expect(bytes.count <= (count + 31) / 32 + ((bits + 2) * count + 7) / 8 + (count + 31) / 32)
  }

  @Test func knownBytes() throws {
    // Width 3: 1, -1, 3, -4 -> 001 111 011 100, lowest bits first.
    #expect(try encode([1, -1, 3, -4]) == [3, 0b1111_1001, 0b0000_1000])
    #expect(try encode([0, 0, 0]) == [0])
    #expect(try encode([-1, -1]) == [1, 0b11])
    #expect(try encode([]) == [])
    #expect(try encode([Int64](repeating: 0, count: 33)).count == 2)
  }

  @Test func theLimitSurvivesAndWhatIsBeyondIsRefused() throws {
    let limit = PartialCodec.limit
    let extremes = [limit, -limit, limit - 1, -limit + 1, 0, 1, -1]
    let decoded = try decode(try encode(extremes), adding: Array(repeating: 0, count: 7))
    #expect(decoded == extremes)
    for value in [limit + 1, -limit - 1, .max, .min] {
      #expect(throws: PartialError.valueOutOfRange(element: 40, value: value)) {
        try encode([Int64](repeating: 5, count: 40) + [value])
      }
    }
  }

  @Test func f32PatternsTravelAsUnits() throws {
    let values = [1.5, -2.25, Float.pi, -0.0].map { Int64($0.bitPattern) }
    let bytes = try encode(values)
    #expect(try decode(bytes, adding: [0, 0, 0, 0]) == values)
  }

  @Test func cutBytesAreRefusedWithNumbersAndAddNothing() throws {
    let values = (0..<70).map { Int64($0 * $0 * 977) - 900_000 }
    let bytes = try encode(values)
    for length in 0..<bytes.count {
      var sum = [Int64](repeating: 9, count: 70)
      #expect(throws: PartialError.self) {
        sum = try decode(Array(bytes.prefix(length)), adding: sum)
      }
      #expect(sum == [Int64](repeating: 9, count: 70))
    }
    #expect(throws: PartialError.truncated(element: 0, need: 1, have: 0)) {
      try decode([], adding: [0])
    }
    #expect(throws: PartialError.trailing(bytes: 2)) { try decode(bytes + [0, 0], adding: values) }
    #expect(throws: PartialError.widthOutOfRange(element: 32, width: 47, limit: 46)) {
      try decode([0, 47], adding: Array(repeating: 0, count: 33))
    }
    #expect(throws: PartialError.widthOutOfRange(element: 0, width: 255, limit: 46)) {
      try decode([255], adding: [0])
    }
    // 46 bits can say 2^44 + 1; a peer must not.
    let beyond = (Int64(1) << 44) + 1
    let raw = [46] + (0..<6).map { UInt8(truncatingIfNeeded: beyond >> (8 * $0)) }
    #expect(throws: PartialError.valueOutOfRange(element: 0, value: beyond)) {
      try decode(raw, adding: [0])
    }
  }

  @Test func mangledBytesNeverTrapAndNeverLeaveTheRange() throws {
    var seed = Seed(state: 5)
    var (refused, accepted) = (0, 0)
    for _ in 0..<3_000 {
      let count = Int.random(in: 1...80, using: &seed)
      let values = (0..<count).map { _ in Int64.random(in: -(1 << 20)...(1 << 20), using: &seed) }
      var bytes = try encode(values)
      for _ in 0..<Int.random(in: 1...4, using: &seed) {
        bytes[Int.random(in: bytes.indices, using: &seed)] = .random(in: 0...255, using: &seed)
      }
      do {
        let sum = try decode(bytes, adding: [Int64](repeating: .max, count: count))
        #expect(sum.allSatisfy { ($0 &- .max).magnitude <= PartialCodec.limit.magnitude })
        accepted += 1
      } catch is PartialError {
        refused += 1
      }
    }
    #expect(refused > 20 && accepted > 20)
  }

  @Test func shortBufferIsRefused() {
    var bytes = [UInt8](repeating: 0, count: 10)
    #expect(throws: PartialError.bufferTooSmall(need: PartialCodec.capacity(for: 5), have: 10)) {
      try unsafe bytes.withUnsafeMutableBytes { bytes in
        try unsafe [1, 2, 3, 4, 5].withUnsafeBufferPointer {
          _ = try unsafe PartialCodec.encode($0, into: bytes)
        }
      }
    }
  }
}
