// Weighted rendezvous scores in integers: how strongly a slot and a peer want each other.

/// Weighted rendezvous hashing (Mosko, ICN 2014; Resch, "New Hashing Algorithms for Data Storage",
/// 2015): the lowest of -log2(u) / weight over peers wins a slot, where u is the hash of slot and
/// peer in (0, 1]. A peer's score depends on nobody else, so that a change of membership moves only
/// what it must. Deviation from the papers: logarithms are integers, from a table.
package enum RendezvousScore {
  /// Lower is stronger. `weight` counts from 1 to 2^32.
  package static func of(slot: UInt64, peer: UInt64, weight: UInt64) -> UInt64 {
    let hash = mixed(slot ^ mixed(peer))
    return (negatedLogarithm(hash) << 25) / max(1, min(weight, 1 << 32))
  }

  /// A number for a peer: all 32 bytes of its id take part.
  package static func seed(_ id: some Identifier) -> UInt64 {
    mixed(id.raw.a ^ mixed(id.raw.b ^ mixed(id.raw.c ^ mixed(id.raw.d))))
  }

  /// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), with its increment.
  package static func mixed(_ value: UInt64) -> UInt64 {
    var word = value &+ 0x9E37_79B9_7F4A_7C15
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// -log2(value / 2^64) in units of 2^-32, at least 1; zero counts as one. Linear between the
  /// 257 entries of the table: within 0.3 % of the truth.
  package static func negatedLogarithm(_ value: UInt64) -> UInt64 {
    let leading = UInt64(max(1, value).leadingZeroBitCount)
    // The bits after the leading one: 8 choose the entry, 32 interpolate.
    let fraction = (max(1, value) << leading) << 1
    let entry = Int(fraction >> 56)
    let step = (fraction >> 24) & 0xFFFF_FFFF
    let low = table[entry]
    let logarithm = low + (((table[entry + 1] - low) * step) >> 32)
    return max(1, (leading << 32) + (1 << 32) - logarithm)
  }

  /// log2(1 + i/256) in units of 2^-32, i from 0 to 256.
  package static let table: [UInt64] = (0...256).map { logarithm(oneAnd256ths: UInt64($0)) }

  /// The binary logarithm bit by bit: squaring doubles it, a carry beyond 2 is a one bit.
  private static func logarithm(oneAnd256ths: UInt64) -> UInt64 {
    guard oneAnd256ths < 256 else { return 1 << 32 }
    // The number in units of 2^-62: from 1 to 2.
    var number = (256 + oneAnd256ths) << 54
    var bits: UInt64 = 0
    for _ in 0..<32 {
      let square = number.multipliedFullWidth(by: number)
      // square / 2^62, still in units of 2^-62.
      number = (square.high << 2) | (square.low >> 62)
      bits <<= 1
      if number >= 1 << 63 {
        bits |= 1
        number >>= 1
      }
    }
    return bits
  }
}
