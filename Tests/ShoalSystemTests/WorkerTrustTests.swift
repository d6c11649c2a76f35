// When a pool's caller stops waiting for threads that are held up.

import ShoalSystem
import Testing

@Suite struct WorkerTrustTests {
  private static let millisecond: Int64 = 1_000_000

  @Test(
    arguments: [
      // pieces of the caller, busy, waited, whether it is alone afterwards
      (4, 400_000, 100_000, false),
      (4, 400_000, 440_000, false),
      (4, 400_000, 460_000, true),
      // Long pieces: to wait for one of them is no sign of trouble.
      (1, 5_000_000, 9_000_000, false),
      (1, 5_000_000, 11_000_000, true),
      // A caller that got nothing knows nothing.
      (0, 1_000, 9_000_000, false),
    ] as [(Int, Int64, Int64, Bool)])
  func onlyAWaitFarBeyondOnePieceEndsSharing(
    pieces: Int, busy: Int64, waited: Int64, isAlone: Bool
  ) {
    var trust = WorkerTrust()
    #expect(!trust.isAlone(at: 0))
    trust.joined(at: 0, pieces: pieces, busy: busy, waited: waited)
    #expect(trust.isAlone(at: 1) == isAlone)
  }

  @Test func trustComesBackEachTimeLaterAndAtMostAfterTheLongest() {
    var trust = WorkerTrust()
    var now: Int64 = 0
    var lengths: [Int64] = []
    for _ in 0..<8 {
      trust.joined(at: now, pieces: 1, busy: 0, waited: 4 * Self.millisecond)
      var length: Int64 = 0
      while trust.isAlone(at: now + length) { length += Self.millisecond }
      lengths.append(length / Self.millisecond)
      now += length
    }
    #expect(lengths == [20, 40, 80, 160, 320, 640, 640, 640])
  }

  @Test func manyJoinsInTimeMakeOldTroubleForgotten() {
    var trust = WorkerTrust()
    for _ in 0..<5 { trust.joined(at: 0, pieces: 1, busy: 0, waited: 4 * Self.millisecond) }
    for _ in 0..<WorkerTrust.calmJoins { trust.joined(at: 0, pieces: 1, busy: 1_000, waited: 10) }
    let now = WorkerTrust.longest
    #expect(!trust.isAlone(at: now))
    trust.joined(at: now, pieces: 1, busy: 0, waited: 4 * Self.millisecond)
    #expect(trust.isAlone(at: now + WorkerTrust.shortest - 1))
    #expect(!trust.isAlone(at: now + WorkerTrust.shortest))
  }
}
