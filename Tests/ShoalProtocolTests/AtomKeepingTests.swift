// What may be dropped from a disk, and what stays.

import ShoalProtocol
import Testing

@Suite struct AtomKeepingTests {
  private static let blob = BlobID(SessionNames.bytes(7))
  private static let peers = (1...3).map { PeerID(SessionNames.bytes(UInt8($0))) }
  private static let copies = 2

  private static func at(_ seconds: Int64) -> Moment {
    Moment(nanoseconds: seconds * 1_000_000_000)
  }

  /// A drop that has heard so many promises.
  private static func asked(_ promises: Int) -> AtomKeeping {
    var keeping = AtomKeeping()
    _ = keeping.beginDrop([blob], at: at(0))
    for peer in peers.prefix(promises) { keeping.promised([blob], by: peer) }
    return keeping
  }

  @Test(arguments: 0...3) func `a copy goes when as many as there are to be stay`(
    _ promises: Int
  ) {
    var keeping = Self.asked(promises)
    let mayGo = keeping.commitDrop(Self.blob, copies: Self.copies, at: Self.at(1))
    #expect(mayGo == (promises >= Self.copies))
  }

  @Test func `a promise that is said twice counts once`() {
    var keeping = Self.asked(1)
    keeping.promised([Self.blob], by: Self.peers[0])
    let mayGo = keeping.commitDrop(Self.blob, copies: Self.copies, at: Self.at(1))
    #expect(!mayGo)
  }

  @Test func `promises that have grown old move nothing`() {
    var keeping = Self.asked(2)
    let mayGo = keeping.commitDrop(Self.blob, copies: Self.copies, at: Self.at(15))
    #expect(!mayGo)
  }

  @Test func `who is about to drop a copy does not promise it`() {
    var keeping = Self.asked(0)
    #expect(keeping.promise([Self.blob], at: Self.at(1)) == [false])
    keeping.endDrop([Self.blob])
    #expect(keeping.promise([Self.blob], at: Self.at(1)) == [true])
  }

  @Test func `who has promised a copy keeps it until the promise is over`() {
    var keeping = AtomKeeping()
    #expect(keeping.promise([Self.blob], at: Self.at(0)) == [true])
    #expect(keeping.beginDrop([Self.blob], at: Self.at(59)).isEmpty)
    #expect(keeping.beginDrop([Self.blob], at: Self.at(60)) == [Self.blob])
  }

  @Test func `a job's lease keeps a copy, and calls off a drop that has not begun to remove`() {
    var keeping = Self.asked(2)
    keeping.lease([Self.blob])
    let whileLeased = keeping.commitDrop(Self.blob, copies: Self.copies, at: Self.at(1))
    #expect(!whileLeased)
    #expect(keeping.beginDrop([Self.blob], at: Self.at(2)).isEmpty)
    keeping.lease([Self.blob])
    keeping.release([Self.blob])
    #expect(keeping.beginDrop([Self.blob], at: Self.at(3)).isEmpty)
    keeping.release([Self.blob])
    #expect(keeping.beginDrop([Self.blob], at: Self.at(4)) == [Self.blob])
  }

  @Test func `a lease that comes during the removal does not let anybody promise the copy`() {
    var keeping = Self.asked(2)
    let mayGo = keeping.commitDrop(Self.blob, copies: Self.copies, at: Self.at(1))
    #expect(mayGo)
    keeping.lease([Self.blob])
    #expect(keeping.promise([Self.blob], at: Self.at(1)) == [false])
  }

  @Test(
    arguments: [
      // Within the budget, to the byte.
      (DiskBudget(budget: 10, held: 6, incoming: 4, free: 4), 0),
      (DiskBudget(budget: 10, held: 6, incoming: 5, free: 5), 1),
      // The disk is fuller than the budget says.
      (DiskBudget(budget: 10, held: 1, incoming: 5, free: 2), 3),
      (DiskBudget(budget: 2, held: 9, incoming: 0, free: 0), 7),
      (DiskBudget(budget: .max, held: .max, incoming: .max, free: .max), 0),
    ] as [(DiskBudget, UInt64)])
  func `what must go is what is over the budget, or does not fit the disk`(
    _ disk: DiskBudget, _ excess: UInt64
  ) { #expect(disk.excess == excess) }
}
