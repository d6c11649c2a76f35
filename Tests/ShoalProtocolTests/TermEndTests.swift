// Who is blamed for the end of a term, from what every rank said.

import ShoalProtocol
import Testing

@Suite struct TermEndTests {
  private static let peers = (1...4).map { PeerID(SessionNames.bytes(UInt8($0))) }
  private static let entry = peers[0]
  private static func lost(_ number: Int) -> RankWord { .failed(.peerLost(peers[number])) }
  private static func late(_ number: Int) -> RankWord {
    .failed(.deadline(peers[number], milliseconds: 160))
  }

  /// What the ranks said, who is blamed, and for what.
  private static let stories: [([RankWord], [Int], JobFailure)] = [
    // A closed link alone.
    ([.answered, .closed, .unasked, .unasked], [1], .peerLost(peers[1])),
    // A rank names another whose link is closed too.
    ([.answered, lost(2), .closed, .unasked], [2], .peerLost(peers[2])),
    // Rank 1 gave up because of rank 2, and rank 3 saw rank 1 go: rank 1 lives.
    ([.answered, lost(2), .closed, lost(1)], [2], .peerLost(peers[2])),
    // The stopped rank has not said a word.
    (
      [.unasked, late(3), late(3), .silent(milliseconds: 30)], [3],
      .deadline(peers[3], milliseconds: 160)
    ),
    // The entry waited for one that says nothing, and so do the others.
    (
      [.answered, .silent(milliseconds: 210), late(1), .unasked], [1],
      .deadline(peers[1], milliseconds: 160)
    ),
    (
      [.answered, .silent(milliseconds: 210), .unasked, .unasked], [1],
      .deadline(peers[1], milliseconds: 210)
    ),
    // Two deaths at once.
    ([lost(1), .closed, .closed, .unasked], [1, 2], .peerLost(peers[1])),
    // A link between two that live: the one most often named goes.
    ([.answered, lost(2), lost(1), lost(1)], [1], .peerLost(peers[1])),
    // Whoever cannot reach the entry's rank goes, never the entry.
    ([.answered, lost(0), .unasked, .unasked], [1], .peerLost(entry)),
    ([lost(1), lost(0), .unasked, .unasked], [1], .peerLost(entry)),
    // A rank that cannot serve names itself.
    (
      [.answered, .failed(.busy(running: 4, limit: 4)), .unasked, .unasked], [1],
      .busy(running: 4, limit: 4)
    ),
    ([.unasked, .failed(.leaving), lost(1), .unasked], [1], .leaving),
    ([.failed(.leaving), .closed, .unasked, .unasked], [0, 1], .peerLost(peers[1])),
    // The entry's own rank was slow, or ended: nobody is left out, and the next term tries again.
    (
      [.silent(milliseconds: 210), .answered, .answered, .unasked], [],
      .deadline(entry, milliseconds: 210)
    ),
    ([.closed, .answered, .unasked, .unasked], [], .peerLost(entry)),
    // Rank 1 has caught rank 2 and gone; the others saw only that it went.
    (
      [lost(1), .failed(.dishonest(peers[2])), lost(1), lost(1)], [2], .dishonest(peers[2])
    ),
    ([.answered, .failed(.dishonest(peers[2])), .closed, .closed], [2], .dishonest(peers[2])),
    // The entry's own rank is believed before others.
    (
      [.failed(.dishonest(peers[3])), .unasked, .unasked, .failed(.dishonest(peers[1]))], [3],
      .dishonest(peers[3])
    ),
    // A rank that accuses the entry's own is one too many.
    ([.answered, .unasked, .failed(.dishonest(entry)), .unasked], [2], .dishonest(entry)),
    // Views that differ are nobody's fault.
    (
      [.failed(.recordRefused(peers[2])), .unasked, .unasked, .unasked], [],
      .recordRefused(peers[2])
    ),
    // What no other rank could do better ends the job.
    (
      [.failed(.numericRange(layer: 3)), .closed, lost(1), .unasked], [],
      .numericRange(layer: 3)
    ),
    (
      [
        .unasked, .failed(.protocolViolation(peers[3], .invalid(field: "partial"))), .unasked,
        .answered,
      ],
      [3], .protocolViolation(peers[3], .invalid(field: "partial"))
    ),
  ]

  @Test(arguments: stories.indices) func `the right one is left out`(_ index: Int) {
    let (words, blamed, failure) = Self.stories[index]
    let end = TermEnd(words: words, members: Self.peers, entry: Self.entry)
    #expect(end.blamed == blamed.map { Self.peers[$0] })
    switch (end.failure, failure) {
    // From the other side of a broken link the failure names whoever said it.
    case (.peerLost, .peerLost(Self.entry)): break
    case (let mine, let expected): #expect(mine == expected)
    }
  }

  /// Every rank notices the deaths in any order and from any side; only the dead are blamed.
  @Test func `however a death is noticed, the dead are blamed and nobody else`() {
    var random = SeededGenerator(7)
    for _ in 0..<5_000 {
      let dead = Set((1..<4).shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
      let isStopped = Bool.random(using: &random)
      let words = (0..<4).map { rank -> RankWord in
        if dead.contains(rank) {
          return isStopped ? .silent(milliseconds: 30) : .closed
        }
        // A survivor answers, is still computing, or names a dead one or one that gave up.
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return .answered
        case 1: return isStopped ? Self.late(dead.min() ?? 1) : .unasked
        case 2: return Self.lost(dead.randomElement(using: &random) ?? 1)
        default:
          let others = (0..<4).filter { $0 != rank && !dead.contains($0) }
          return others.isEmpty || isStopped ? Self.lost(dead.min() ?? 1) : Self.lost(others[0])
        }
      }
      // Of survivors that were not asked nothing may be concluded.
      let spoken = (0..<4).filter { words[$0] != .unasked }
      let accusedUnasked = words.contains { word in
        guard case .failed(.peerLost(let peer)) = word, let rank = Self.peers.firstIndex(of: peer)
        else { return false }
        return !spoken.contains(rank)
      }
      guard !accusedUnasked else { continue }
      let end = TermEnd(words: words, members: Self.peers, entry: Self.entry)
      #expect(Set(end.blamed).isSubset(of: Set(dead.map { Self.peers[$0] })), "\(words)")
      #expect(!end.blamed.isEmpty, "\(words)")
    }
  }
}
