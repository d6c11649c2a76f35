// Sixteen numbers that tell two peers where their tables differ, so that equal tables cost nothing.

/// One exclusive-or a bucket over the mixed (peer, incarnation) of everybody held alive; the bucket
/// is the first four bits of the peer's id. It only saves work: who forges a collision harms
/// nothing but the freshness of his own table, so it need not be a cryptographic hash.
public struct TableFingerprint: Hashable, Sendable {
  public static let bucketCount = 16
  public private(set) var buckets: [UInt64]

  public init() { buckets = [UInt64](repeating: 0, count: Self.bucketCount) }

  init(buckets: [UInt64]) {
    precondition(buckets.count == Self.bucketCount)
    self.buckets = buckets
  }

  public static func bucket(of peer: PeerID) -> Int { Int(peer.raw.prefix64 >> 60) }

  /// Adds a claim; adding it again takes it away.
  mutating func toggle(_ peer: PeerID, _ incarnation: Incarnation) {
    buckets[Self.bucket(of: peer)] ^= Self.mix(
      peer.raw.prefix64 ^ Self.mix(incarnation.value))
  }

  /// The buckets whose contents differ.
  public func differing(from other: TableFingerprint) -> [Int] {
    buckets.indices.filter { buckets[$0] != other.buckets[$0] }
  }

  /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
