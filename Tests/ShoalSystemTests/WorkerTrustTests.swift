// When a pool's caller stops waiting for threads that are held up.

import ShoalSystem
import Testing

@Suite struct WorkerTrustTests {
  private static let millisecond: Int64 = 1_000_000

  /// A pool whose caller did half of each run in 0.1 ms and then waited as said; how many joins it
  /// took until it worked alone.
  private func joinsUntilAlone(waits: [Int64], limit: Int = 2_000) -> Int? {
    var trust = WorkerTrust()
    for join in 0..<limit {
      let now = Int64(join) * Self.millisecond
      if trust.isAlone(at: now) { return join }
      trust.joined(
        at: now, own: 4, of: 8, computed: 100_000, took: 100_000 + waits[join % waits.count])
    }
    return nil
  }

  @Test(
    arguments: [
      // Joins in time, and joins that win a little less than sharing costs nothing at.
      ([10_000], nil), ([99_000], nil),
      // A time slice lost now and then is paid by what the joins between have won: 60 times 0.09 ms.
      ([4_000_000] + [Int64](repeating: 10_000, count: 60), nil),
      // Each join loses 0.3 ms: 6 ms are lost after 21.
      ([400_000], 21),
      // A neighbour that takes the core at every fourth join.
      ([4_000_000, 10_000, 10_000, 10_000], 5),
    ] as [([Int64], Int?)])
  func sharingEndsWhereItLosesMoreThanItWins(waits: [Int64], joins: Int?) {
    #expect(joinsUntilAlone(waits: waits) == joins)
  }

  @Test func aCallerThatIsHeldUpItselfLosesAsMuch() {
    var trust = WorkerTrust()
    // 4 ms without the core in a run whose pieces took 0.1 ms.
    for _ in 0..<2 {
      trust.joined(at: 0, own: 4, of: 8, computed: 100_000, took: 4 * Self.millisecond)
    }
    #expect(trust.isAlone(at: 1))
  }

  @Test func aCallerThatGotNothingKnowsNothing() {
    var trust = WorkerTrust()
    trust.joined(at: 0, own: 0, of: 8, computed: 1_000, took: 90 * Self.millisecond)
    #expect(!trust.isAlone(at: 1))
  }

  @Test func trustComesBackEachTimeLaterAndAtMostAfterTheLongest() {
    var trust = WorkerTrust()
    var now: Int64 = 0
    var lengths: [Int64] = []
    for _ in 0..<8 {
      trust.joined(at: now, own: 1, of: 2, computed: 0, took: 7 * Self.millisecond)
      var length: Int64 = 0
      while trust.isAlone(at: now + length) { length += Self.millisecond }
      lengths.append(length / Self.millisecond)
      now += length
    }
    #expect(lengths == [20, 40, 80, 160, 320, 640, 640, 640])
  }

  @Test func manyJoinsMakeOldTroubleForgotten() {
    var trust = WorkerTrust()
    for _ in 0..<5 {
      trust.joined(at: 0, own: 1, of: 2, computed: 0, took: 7 * Self.millisecond)
    }
    for _ in 0..<WorkerTrust.calmJoins {
      trust.joined(at: 0, own: 1, of: 2, computed: 1_000, took: 1_500)
    }
    let now = WorkerTrust.longest
    #expect(!trust.isAlone(at: now))
    trust.joined(at: now, own: 1, of: 2, computed: 0, took: 7 * Self.millisecond)
    #expect(trust.isAlone(at: now + WorkerTrust.shortest - 1))
    #expect(!trust.isAlone(at: now + WorkerTrust.shortest))
  }
}
