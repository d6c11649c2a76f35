// Who is asked for which blob.

import ShoalNode
import ShoalProtocol
import Testing

@Suite struct FetchPlanTests {
  private static func blob(_ number: UInt8, _ count: UInt64) -> WantedBlob {
    WantedBlob(
      blob: BlobID(Bytes32([UInt8](repeating: number, count: 32)) ?? .zero), byteCount: count)
  }

  private static let wanted = [blob(0, 10), blob(1, 70), blob(2, 30), blob(3, 40)]

  /// Which of `wanted` each holder has, then what each lane and the list of missing ones get.
  @Test(
    arguments: [
      (["0123"], [[1, 3, 2, 0]], []),
      ([], [], [1, 3, 2, 0]),
      (["", "02"], [[], [2, 0]], [1, 3]),
      (["0123", "0123"], [[1, 0], [3, 2]], []),
      // Only the first has the largest; the second gives all that it can.
      (["0123", "023"], [[1, 0], [3, 2]], []),
      (["1", "0", "23"], [[1], [0], [3, 2]], []),
      (["0123", "0123", "0123"], [[1], [3], [2, 0]], []),
    ] as [([String], [[Int]], [Int])])
  func `blobs are dealt, the largest first, to the holder with least to give`(
    _ holders: [String], _ lanes: [[Int]], _ missing: [Int]
  ) {
    let held = holders.map { holder in Self.wanted.indices.map { holder.contains("\($0)") } }
    let plan = FetchPlan(Self.wanted, held: held)
    #expect(plan.lanes == lanes.map { $0.map { Self.wanted[$0] } })
    #expect(plan.missing == missing.map { Self.wanted[$0] })
  }

  @Test func `every blob is asked for once, and lanes are within 4/3 of even`() {
    var random = SeededGenerator(state: 3)
    for holders in 1...6 {
      let wanted = (0..<120).map {
        Self.blob(UInt8($0), UInt64.random(in: 1...100, using: &random))
      }
      let plan = FetchPlan(
        wanted, held: Array(repeating: Array(repeating: true, count: 120), count: holders))
      #expect(Set(plan.lanes.joined()) == Set(wanted))
      #expect(plan.lanes.joined().count == wanted.count)
      let sizes = plan.lanes.map { $0.reduce(0) { $0 + ($1.byteCount ?? 0) } }
      let even = sizes.reduce(0, +) / UInt64(holders) + 1
      #expect((sizes.max() ?? 0) * 3 <= even * 4)
    }
  }
}
