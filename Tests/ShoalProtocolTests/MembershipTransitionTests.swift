// What one peer makes of each claim, and the exact effects of each event.
import ShoalProtocol
import Synchronization
import Testing

@Suite struct MembershipTransitionTests {
  @Test(arguments: [
    ("B alive", "B alive", "B alive"),
    ("B alive", "B suspect", "B suspect"),
    ("B alive", "B dead", "B dead"),
    ("B alive", "B left", "B left"),
    ("B suspect", "B alive", "B suspect"),
    ("B suspect", "B alive@1", "B alive@1"),
    ("B suspect", "B suspect@1", "B suspect@1"),
    ("B suspect@1", "B dead", "B suspect@1"),
    ("B suspect@1", "B dead@1", "B dead@1"),
    ("B alive@2", "B suspect@1", "B alive@2"),
    ("B alive@2", "B suspect@2", "B suspect@2"),
    ("B alive@1", "B dead", "B alive@1"),
    ("B dead", "B alive", "B dead"),
    ("B dead", "B suspect", "B dead"),
    ("B dead", "B alive@1", "B alive@1"),
    ("B dead", "B suspect@1", "B suspect@1"),
    ("B dead@1", "B left@1", "B dead@1"),
    ("B left", "B dead", "B left"),
    ("B left", "B alive@1", "B alive@1"),
  ])
  func `the newest claim stands, and of equals the worst`(
    before: String, heard: String, after: String
  ) {
    var story = MembershipStory(peers: 5)
    _ = story.hear(before)
    #expect(story.belief(about: "B") == before)
    _ = story.hear(heard)
    #expect(story.belief(about: "B") == after)
  }

  @Test func `claims lead to one belief in every order, however often they come`() {
    let claims = [
      "B alive", "B suspect by C", "B suspect@1 by D", "B alive@1", "B dead", "B alive@2",
    ]
    var beliefs: [String: Int] = [:]
    for order in permutations(claims) {
      var story = MembershipStory(peers: 5)
      for claim in order { _ = story.hear("\(claim), \(claim)") }
      beliefs[story.belief(about: "B"), default: 0] += 1
    }
    #expect(beliefs == ["B alive@2": 720])
  }

  @Test func `a new belief is told, a known one is not`() {
    var story = MembershipStory(peers: 5)
    let b = PeerID(letter: "B")
    #expect(story.hear("B suspect") == [.changed(b, .suspect)])
    #expect(story.hear("B suspect") == [])
    #expect(story.hear("B suspect by C") == [.changed(b, .suspect)])
    #expect(story.hear("B alive@1") == [.changed(b, .alive)])
    #expect(story.hear("B alive@2") == [])
    #expect(story.hear("B dead@2") == [.changed(b, .dead)])
  }

  @Test func `a lonely suspicion lasts long, each observer shortens it`() {
    func deadline(_ observers: [String]) -> Duration? {
      var story = MembershipStory(peers: 5)
      for observer in observers { _ = story.hear("B suspect by \(observer)") }
      for tick in 1...700 {
        story.now = .milliseconds(tick * 10)
        if story.hear(.deadline).contains(.changed(PeerID(letter: "B"), .dead)) {
          return story.now - .milliseconds(0)
        }
      }
      return nil
    }
    #expect(deadline(["C"]) == .seconds(6))
    #expect(deadline(["C", "C"]) == .seconds(6))
    #expect(deadline(["C", "D"]) == .milliseconds(3_500))
    #expect(deadline(["C", "D", "E", "A"]) == .seconds(1))
  }

  @Test func `a suspicion of oneself is denied, and the denial is the next thing said`() {
    var story = MembershipStory(peers: 5)
    let health = story.core.detector.healthScore
    let said = story.hear("A suspect@3")
    #expect(story.core.incarnation == Incarnation(version: 1, denials: 4))
    #expect(story.core.detector.healthScore == health + 1)
    let claims = said.compactMap { effect -> [MemberUpdate]? in
      if case .send(.updates(let updates), _, _) = effect { updates } else { nil }
    }
    #expect(claims.count == 3)
    #expect(claims.allSatisfy { $0.contains(MembershipStory.update("A alive@4")) })
    #expect(story.hear("A dead@3") == [])
    #expect(story.core.incarnation == Incarnation(version: 1, denials: 4))
  }

  @Test func `used-up denials ask for a new record`() {
    var story = MembershipStory(peers: 3)
    #expect(story.hear("A dead@65535", from: "C") == [.versionNeeded(above: 1)])
    #expect(story.core.incarnation == Incarnation(version: 1))
  }

  @Test func `a claim beyond the signed version asks for the record and changes nothing`() {
    var story = MembershipStory(peers: 5)
    let (b, e) = (PeerID(letter: "B"), PeerID(letter: "E"))
    let claim = MemberUpdate(b, Incarnation(version: 2), .dead)
    #expect(
      story.hear(.received(.updates([claim]), from: e, at: .numbered(4)))
        == [.send(.recordRequest([b]), to: e, at: .numbered(4))])
    #expect(story.belief(about: "B") == "B alive")
    let record = CapabilityRecord.plain(1, version: 2)
    #expect(
      story.hear(.received(.records([TestSignature.sign(record)]), from: e, at: .numbered(4)))
        == [.recordChanged(record)])
  }

  @Test func `a stranger's ping is answered, and his record asked for`() {
    var story = MembershipStory(peers: 2)
    let (stranger, place) = (PeerID.numbered(9), Endpoint.numbered(9))
    let effects = story.hear(
      .received(.ping(sequence: 4, updates: []), from: stranger, at: place))
    guard case .send(.ack(sequence: 4, updates: _), to: stranger, at: place) = effects.first else {
      Issue.record("\(effects)")
      return
    }
    #expect(effects.dropFirst() == [.send(.recordRequest([stranger]), to: stranger, at: place)])
    let record = CapabilityRecord.plain(9)
    #expect(
      story.hear(.received(.records([TestSignature.sign(record)]), from: stranger, at: place))
        == [.recordChanged(record), .changed(stranger, .alive)])
  }

  @Test func `a false signature changes nothing and is named`() {
    var story = MembershipStory(peers: 2, verify: { $0.author != .numbered(9) })
    let signed = TestSignature.sign(.plain(9))
    let effects = story.hear(
      .received(.records([signed]), from: .numbered(9), at: .numbered(9)))
    #expect(effects.first == .misbehaved(.numbered(9)))
    #expect(story.core.table[.numbered(9)] == nil)
  }

  @Test func `a record that is held is not read again, whoever sends it`() {
    let looks = Mutex(0)
    var story = MembershipStory(peers: 3) { _ in
      looks.withLock { $0 += 1 }
      return true
    }
    let before = looks.withLock { $0 }
    let known = MembershipEvent.received(
      .records([TestSignature.sign(.plain(1))]), from: .numbered(2), at: .numbered(2))
    #expect(story.hear(known) == [])
    #expect(looks.withLock { $0 } == before)
    let newer = TestSignature.sign(.plain(1, version: 2))
    _ = story.hear(.received(.records([newer]), from: .numbered(2), at: .numbered(2)))
    #expect(looks.withLock { $0 } == before + 1)
    #expect(story.core.table[.numbered(1)]?.record.version == 2)
  }

  @Test func `records that nobody asked for do not fill the table`() {
    var story = MembershipStory(peers: 2)
    let strangers = (10..<12).map { TestSignature.sign(.plain($0)) }
    #expect(
      story.hear(.received(.records(strangers), from: .numbered(1), at: .numbered(1))) == [])
    #expect(story.core.table.members.count == 1)
  }

  @Test func `the table and the wishes are bounded`() {
    var story = MembershipStory(peers: 2)
    for number in 10..<(Limits.peers + 100) {
      let (peer, place) = (PeerID.numbered(number), Endpoint.numbered(number))
      let record = TestSignature.sign(.plain(number))
      _ = story.hear(.received(.records([record]), from: peer, at: place))
    }
    #expect(story.core.table.members.count == Limits.peers - 1)
    #expect(story.core.table.live.count == Limits.peers - 1)
  }

  @Test func `a suspect stays in the view until enough peers suspect it`() {
    var story = MembershipStory(peers: 5)
    let b = PeerID(letter: "B")
    let inView = { (story: MembershipStory) in
      story.core.standing.contains { $0.peer == b }
    }
    // Of five peers two are enough; three of six, as of a thousand.
    #expect(story.core.cutObservers == 2)
    #expect(MembershipStory(peers: 3).core.cutObservers == 2)
    _ = story.hear("B suspect by C")
    #expect(inView(story))
    _ = story.hear("B suspect by D")
    #expect(!inView(story))
    _ = story.hear("B alive@1")
    #expect(inView(story))
    _ = story.hear("B dead@1")
    #expect(!inView(story))
    #expect(story.core.standing.map(\.peer) == story.core.standing.map(\.peer).sorted())
    #expect(story.core.standing.contains { $0.peer == .numbered(0) })
  }

  @Test(arguments: [3, 4])
  func `in a mesh too small to shorten a suspicion a second observer still takes the suspect out`(
    peers: Int
  ) {
    var story = MembershipStory(peers: peers)
    let b = PeerID(letter: "B")
    _ = story.hear("B suspect by C")
    #expect(story.core.standing.contains { $0.peer == b })
    #expect(story.hear("B suspect by C") == [])
    #expect(story.hear("B suspect by A") == [.changed(b, .suspect)])
    #expect(!story.core.standing.contains { $0.peer == b })
    // Out of plans, and still with all of its time to deny.
    #expect(story.belief(about: "B") == "B suspect")
    _ = story.hear("B alive@1")
    #expect(story.core.standing.contains { $0.peer == b })
  }
}

private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
  guard elements.count > 1 else { return [elements] }
  return elements.indices.flatMap { index in
    var rest = elements
    let first = rest.remove(at: index)
    return permutations(rest).map { [first] + $0 }
  }
}
