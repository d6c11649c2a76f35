// Inputs that vary and comparisons by bits, for the tests of `canon-1`.

import ShoalInference

/// A small seeded generator (SplitMix64, Steele et al. 2014).
struct CanonSeed: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -4...4) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// Bit patterns, one for every NaN: payloads are not promised.
func canonBits(_ row: [Float]) -> [UInt32] {
  row.map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern }
}

/// The paths that are held to the reference here.
let canonPaths = KernelPath.available.filter { $0 != .reference }

/// Values where functions change their branch, overflow, underflow or lose their sign.
let canonEdges: [Float] = [
  0, -0.0, 1, -1, 0.55, 0.549_999_95, -0.55, 0.999_999_94, 4, 4.000_000_5, 88.722_83, 88.722_84,
  -87.336_54, -87.4, -103.9, -104, -104.1, 89, 89.1, 0x1p-133, -0x1p-133, .leastNonzeroMagnitude,
  .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan, 1e-8, -1e-8,
  3e38, 16_777_216, -0.5, 0.5,
]

/// Calls `body` with a fresh row of `count` floats and returns what it wrote.
@safe func canonRow(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
  unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
    unsafe buffer.initialize(repeating: 12345)
    if let start = buffer.baseAddress { unsafe body(start) }
    initialized = count
  }
}
