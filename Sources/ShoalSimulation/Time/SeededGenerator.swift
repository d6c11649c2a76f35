// The only chance there is in a simulation: numbers that follow from a seed.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(_ seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// A generator whose numbers say nothing about this one's.
  public mutating func split() -> SeededGenerator { SeededGenerator(next()) }

  /// True in `count` of a thousand cases.
  mutating func happens(perMille count: Int) -> Bool {
    count > 0 && Int.random(in: 0..<1_000, using: &self) < count
  }

  /// A bijection in which every bit of the input moves half of the output's.
  static func mixed(_ word: UInt64) -> UInt64 {
    var mixed = word
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
