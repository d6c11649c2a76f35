// The integer arithmetic under every plan.

import ShoalProtocol
import Testing

@Suite struct PlacementArithmeticTests {
  @Test(
    "largest remainder under caps",
    arguments: [
      (10, [1, 1, 1], [99, 99, 99], [4, 3, 3]),
      (4, [80, 25, 10], [9, 9, 9], [3, 1, 0]),
      (5, [10, 1, 1], [2, 9, 9], [2, 2, 1]),
      (3, [1, 1], [1, 1], nil),
      (0, [5, 5], [1, 1], [0, 0]),
      (6, [0, 3], [9, 9], [0, 6]),
      (6, [100, 2, 1], [1, 2, 3], [1, 2, 3]),
    ] as [(UInt64, [UInt64], [UInt64], [UInt64]?)])
  func apportionment(count: UInt64, weights: [UInt64], caps: [UInt64], dealt: [UInt64]?) {
    #expect(Apportionment.largestRemainder(count, weights: weights, caps: caps) == dealt)
  }

  @Test("the integer logarithm is within 0.3 % of the truth, exact at powers of two, monotone")
  func logarithm() {
    for power in 0..<64 {
      let exact = UInt64(64 - power) << 32
      #expect(RendezvousScore.negatedLogarithm(1 << UInt64(power)) == exact)
    }
    #expect(RendezvousScore.table[128] == 0x95C0_1A39)  // log2(1.5) = 0.58496250072...
    var random = PlacementRandom(state: 1)
    var last = (value: UInt64.max, logarithm: UInt64(0))
    for value in (0..<2_000).map({ _ in UInt64.random(in: 1...UInt64.max, using: &random) })
      .sorted(by: >)
    {
      let logarithm = RendezvousScore.negatedLogarithm(value)
      #expect(value < last.value && logarithm >= last.logarithm)
      last = (value, logarithm)
    }
  }

  @Test("slots fall to peers in proportion to their weights where quotas do not bind")
  func weightedRendezvous() {
    let weights: [UInt64] = [10, 20, 70]
    var wins = [0, 0, 0]
    for slot in 0..<20_000 {
      let seed = RendezvousScore.mixed(UInt64(slot))
      let scores = weights.indices.map {
        RendezvousScore.of(
          slot: seed, peer: RendezvousScore.mixed(UInt64($0)), weight: weights[$0])
      }
      wins[scores.firstIndex(of: scores.min() ?? 0) ?? 0] += 1
    }
    for (won, weight) in zip(wins, weights) {
      #expect(abs(won - Int(weight) * 200) < 300, "\(wins)")
    }
  }

  @Test("ratios use a 128-bit product and saturate")
  func ratios() {
    #expect(Saturating.ratio(.max, times: .max, over: .max).quotient == .max)
    #expect(Saturating.ratio(.max, times: 2, over: 1).quotient == .max)
    #expect(Saturating.ratio(7, times: 3, over: 0).quotient == .max)
    #expect(Saturating.ratio(7, times: 3, over: 2) == (10, 1))
  }

  @Test("a slowed device keeps its ratios, and says by how much it is slowed")
  func slowedProfiles() {
    let profile = DeviceProfile(
      id: "x", deviceClass: "x", memory: .gibibytes(8), usableMemory: .gibibytes(7),
      decodeBytesPerSecond: PrecisionRates(q8_0: 700_000_000_000, q4_0: 570_000_000_000),
      prefillOperationsPerSecond: 74_000,
      link: LinkProfile(
        kind: .ethernet, bytesPerSecond: 117_000_000, latencyMicroseconds: 100,
        latencyPriorMicroseconds: 10_000),
      disk: .gibibytes(1))
    let factor = profile.factor(playedBy: PrecisionRates(q8_0: 14_000_000_000))
    #expect(factor == 20)
    let slowed = profile.slowed(toPerMille: factor)
    #expect(slowed.decodeBytesPerSecond.q8_0 == 14_000_000_000)
    #expect(slowed.decodeBytesPerSecond.q4_0 == 11_400_000_000)
    #expect(slowed.link.bytesPerSecond == 2_340_000)
    #expect(slowed.link.latencyMicroseconds == 5_000)
    #expect(slowed.emulationPerMille == 20)
    #expect(slowed.usableMemory == profile.usableMemory)
    let capacity = slowed.capacity(peer: PlacementFixture.peer(1), numerics: "canon-1")
    #expect(capacity.synchronisationNanoseconds == 5_060_000)
  }
}
