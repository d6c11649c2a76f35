// How the entry judges the end of a term where ranks are heard in an unlucky order.

import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct GenerationRunnerTests {
  private static let peers: [PeerID] = (1...3).compactMap { number in
    Bytes32([UInt8](repeating: UInt8(number), count: 32)).map { PeerID($0) }
  }

  /// A link on which nothing has come yet when it is first listened to.
  private final class LateLink: FrameLink, @unchecked Sendable {
    private let link: any FrameLink
    private var isFirst = true
    var peer: PeerID { link.peer }

    init(_ link: any FrameLink) { self.link = link }

    func send(
      _ type: FrameType, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
      try unsafe link.send(type, capacity: capacity, fill)
    }

    func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame {
      defer { isFirst = false }
      if isFirst { throw .link(.timedOut(afterNanoseconds: 0)) }
      return try link.receive(deadline: deadline)
    }

    func shutdown() { link.shutdown() }
  }

  @Test func `whoever spoke after it was asked is not blamed for what a later rank says of it`()
    throws
  {
    // The first leaves; the second gives up because of it, and the third because of the second.
    let words: [JobFailure] = [.leaving, .peerLost(Self.peers[0]), .peerLost(Self.peers[1])]
    var ends: [MemoryLink] = []
    let links = try zip(Self.peers, words).map { peer, word -> any FrameLink in
      let (near, far) = MemoryLink.pair(left: peer, right: peer) { SystemThreads().gate() }
      try far.send(.failed(word))
      ends.append(far)
      return peer == Self.peers[1] ? LateLink(near) : near
    }
    let session = GenerationSession(
      order: GenerationOrder(
        prompt: [1, 2], maximumTokens: 4, context: 8, batch: 4, candidates: 1),
      plan: PlanID(.zero), term: Term(1), members: Self.peers, vocabularyBlocks: 3)
    let runner = GenerationRunner(
      links: links, entry: Self.peers[2],
      patience: StepPatience(tokenEstimate: .milliseconds(1)), clock: SystemClock())
    #expect(throws: TermEnd(.leaving, blamed: [Self.peers[0]])) {
      try runner.run(session, batch: 4) { _, _ in .init(token: 0, endsText: true) }
    }
    #expect(ends.count == 3)
  }
}
