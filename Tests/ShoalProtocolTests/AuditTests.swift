// What is audited and when, and what one peer remembers of another.

import ShoalProtocol
import Testing

@Suite struct AuditTests {
  private static let peers = (1...6).map { PeerID(SessionNames.bytes(UInt8($0))) }

  // MARK: Choice

  @Test func `a new rank is audited in every step, each of its layers once before any twice`()
    throws
  {
    var random = SeededGenerator(3)
    var choice = AuditChoice(interval: 64)
    choice.add(rank: 1, layers: Array(0..<5), left: 32, using: &random)
    choice.add(rank: 2, layers: Array(0..<5), left: 0, using: &random)
    var layers: [Int] = []
    for _ in 0..<32 {
      let next = choice.next(using: &random)
      let target = try #require(next)
      #expect(target.rank == 1)
      #expect(choice.isDue(target, using: &random))
      choice.passed(target)
      layers.append(target.layer)
    }
    for start in stride(from: 0, to: 30, by: 5) {
      #expect(Set(layers[start..<start + 5]) == Set(0..<5))
    }
    #expect(Set([layers[..<5], layers[5..<10], layers[10..<15]]).count > 1)
  }

  @Test func `ranks that are not new are audited in about one step of 64, all of them`() throws {
    var random = SeededGenerator(4)
    var choice = AuditChoice(interval: 64)
    for rank in 0..<3 { choice.add(rank: rank, layers: [0, 1], left: 0, using: &random) }
    var seen: [AuditTarget: Int] = [:]
    var due = 0
    for _ in 0..<64_000 {
      let next = choice.next(using: &random)
      let target = try #require(next)
      seen[target, default: 0] += 1
      if choice.isDue(target, using: &random) { due += 1 }
    }
    #expect((800...1_200).contains(due))
    #expect(seen.count == 6)
    for count in seen.values { #expect((9_000...12_500).contains(count)) }
  }

  @Test func `what cannot be opened any more is not chosen again`() {
    var random = SeededGenerator(5)
    var choice = AuditChoice(interval: 1)
    choice.add(rank: 1, layers: [3, 4], left: 1, using: &random)
    choice.add(rank: 2, layers: [], left: 1, using: &random)
    choice.lost(AuditTarget(rank: 1, layer: 4))
    for _ in 0..<5 {
      #expect(choice.next(using: &random) == AuditTarget(rank: 1, layer: 3))
    }
    choice.lost(AuditTarget(rank: 1, layer: 3))
    #expect(choice.next(using: &random) == nil)
  }

  // MARK: Reputation

  @Test func `a peer is new until so many of its parts were right`() throws {
    var reputation = Reputation()
    reputation.passed(Self.peers[0], audits: 30)
    #expect(reputation.left(of: Self.peers[0]) == 2)
    reputation.passed(Self.peers[0], audits: 100)
    #expect(reputation.left(of: Self.peers[0]) == 0)
    #expect(reputation.left(of: Self.peers[1]) == Reputation.introduction)
    #expect(reputation.avoided(among: Self.peers).isEmpty)
  }

  @Test func `who was wrong where nobody can have misled it is caught`() {
    var reputation = Reputation()
    reputation.foundWrong(Self.peers[0], beside: [])
    reputation.passed(Self.peers[0], audits: 100)
    #expect(reputation.caught == [Self.peers[0]])
    #expect(reputation.avoided(among: [Self.peers[0]]) == [Self.peers[0]])
  }

  @Test func `who may have been misled is avoided where that rank is, and caught without it`() {
    var reputation = Reputation()
    let (suspect, misleader, other) = (Self.peers[0], Self.peers[1], Self.peers[2])
    reputation.foundWrong(suspect, beside: [misleader, other])
    #expect(reputation.caught.isEmpty)
    #expect(reputation.suspected == [suspect])
    #expect(reputation.avoided(among: Self.peers) == [suspect])
    #expect(reputation.avoided(among: [suspect, Self.peers[4]]).isEmpty)
    reputation.foundWrong(suspect, beside: [misleader])
    #expect(reputation.avoided(among: [suspect, other]).isEmpty)
    #expect(reputation.avoided(among: [suspect, misleader]) == [suspect])
    reputation.foundWrong(suspect, beside: [other])
    #expect(reputation.caught == [suspect])
    #expect(reputation.suspected.isEmpty)
  }

  @Test func `what is known of peers survives as bytes, and damaged bytes are refused`() throws {
    var reputation = Reputation()
    reputation.passed(Self.peers[0], audits: 7)
    reputation.foundWrong(Self.peers[1], beside: [])
    reputation.foundWrong(Self.peers[2], beside: [Self.peers[4], Self.peers[3]])
    let bytes = reputation.bytes
    #expect(try Reputation(bytes: bytes) == reputation)
    for count in bytes.indices {
      #expect(throws: WireError.self) { try Reputation(bytes: Array(bytes[..<count])) }
    }
  }

  @Test func `the least known peer makes room, and whoever was wrong is never forgotten`() {
    var reputation = Reputation()
    let peer = { (number: Int) in
      PeerID(Bytes32((0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }) ?? .zero)
    }
    reputation.foundWrong(peer(0), beside: [])
    for number in 1..<Reputation.peerLimit { reputation.passed(peer(number), audits: 5) }
    reputation.passed(peer(9_999), audits: 1)
    #expect(reputation.left(of: peer(9_999)) == Reputation.introduction - 1)
    reputation.passed(peer(10_000), audits: 2)
    #expect(reputation.left(of: peer(9_999)) == Reputation.introduction)
    #expect(reputation.left(of: peer(10_000)) == Reputation.introduction - 2)
    #expect(reputation.caught == [peer(0)])
  }
}
