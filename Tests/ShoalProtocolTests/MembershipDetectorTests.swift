// One probe, step by step: ping, ask others, suspect; with Lifeguard's doubts about oneself.
import ShoalProtocol
import Testing

@Suite struct MembershipDetectorTests {
  private struct Bench {
    var detector = FailureDetector()
    var random = SeededGenerator(3)
    let live: [PeerID]

    init(others: Int) { live = (1...others).map { PeerID.numbered($0) }.sorted() }

    mutating func tick(_ now: Moment) -> [FailureDetector.Effect] {
      detector.tick(live: live, slack: { _ in .zero }, at: now, using: &random)
    }

    /// The first probe: whom, under which number, and when it was sent.
    mutating func firstProbe() throws -> (target: PeerID, sequence: UInt32, at: Moment) {
      _ = tick(.milliseconds(0))
      let start = try #require(detector.nextDeadline)
      let effects = tick(start)
      guard case .ping(let target, let sequence) = effects.first, effects.count == 1 else {
        throw NoProbe(effects: effects)
      }
      return (target, sequence, start)
    }
  }

  private struct NoProbe: Error { let effects: [FailureDetector.Effect] }

  @Test func `an answer ends the probe and is timed`() throws {
    var bench = Bench(others: 5)
    let (target, sequence, start) = try bench.firstProbe()
    #expect(bench.detector.ack(sequence, from: target, at: start + .microseconds(750)) == [])
    #expect(bench.detector.roundTrips[target]?.meanMicroseconds == 750)
    #expect(bench.tick(start + .milliseconds(100)) == [])
    let next = bench.tick(start + .milliseconds(200))
    #expect(next.count == 1)
    #expect(bench.detector.healthScore == 0)
  }

  @Test func `silence asks three others, then suspects`() throws {
    var bench = Bench(others: 5)
    let (target, sequence, start) = try bench.firstProbe()
    #expect(bench.tick(start + .milliseconds(99)) == [])
    let asked = bench.tick(start + .milliseconds(100))
    #expect(asked.count == 3)
    for effect in asked {
      guard case .requestPing(of: target, by: let relay, sequence: sequence) = effect else {
        Issue.record("\(effect)")
        return
      }
      #expect(relay != target)
    }
    let after = bench.tick(start + .milliseconds(200))
    #expect(after.first == .suspect(target))
    // Three relays sent no nack: perhaps it is this peer that hears nothing.
    #expect(bench.detector.healthScore == 3)
  }

  @Test func `relays that say they live leave the blame with the target`() throws {
    var bench = Bench(others: 5)
    let (target, sequence, start) = try bench.firstProbe()
    for effect in bench.tick(start + .milliseconds(100)) {
      guard case .requestPing(_, by: let relay, _) = effect else { continue }
      bench.detector.nack(sequence, from: relay)
    }
    #expect(bench.tick(start + .milliseconds(200)).first == .suspect(target))
    #expect(bench.detector.healthScore == 0)
  }

  @Test func `a relay's answer counts, a bystander's does not`() throws {
    for isRelay in [true, false] {
      var bench = Bench(others: 5)
      let (target, sequence, start) = try bench.firstProbe()
      let relays = bench.tick(start + .milliseconds(100)).compactMap {
        if case .requestPing(_, by: let relay, _) = $0 { relay } else { nil }
      }
      let bystander = try #require(bench.live.first { !relays.contains($0) && $0 != target })
      let speaker = isRelay ? relays[0] : bystander
      _ = bench.detector.ack(sequence, from: speaker, at: start + .milliseconds(150))
      let isSuspected = bench.tick(start + .milliseconds(200)).contains(.suspect(target))
      #expect(isSuspected != isRelay)
      #expect(bench.detector.roundTrips.isEmpty)
    }
  }

  @Test func `an unhealthy peer waits longer before it blames`() throws {
    var bench = Bench(others: 2)
    bench.detector.wasSuspected()
    bench.detector.wasSuspected()
    let (target, _, start) = try bench.firstProbe()
    #expect(bench.tick(start + .milliseconds(299)) == [])
    #expect(bench.tick(start + .milliseconds(300)).count == 1)
    #expect(bench.tick(start + .milliseconds(599)) == [])
    #expect(bench.tick(start + .milliseconds(600)).first == .suspect(target))
  }

  @Test func `every peer is asked once a round`() throws {
    var bench = Bench(others: 7)
    var (target, sequence, now) = try bench.firstProbe()
    var asked = [target]
    for _ in 0..<27 {
      _ = bench.detector.ack(sequence, from: target, at: now)
      now = now + .milliseconds(200)
      guard case .ping(let next, let number) = bench.tick(now).first else {
        throw NoProbe(effects: [])
      }
      (target, sequence) = (next, number)
      asked.append(target)
    }
    for round in 0..<4 {
      #expect(asked[(round * 7)..<(round * 7 + 7)].sorted() == bench.live)
    }
    #expect(Array(asked[0..<7]) != Array(asked[7..<14]))
  }

  @Test func `a relayed ping passes the answer on, or says that none came`() {
    let (requester, target) = (PeerID.numbered(1), PeerID.numbered(2))
    for answers in [true, false] {
      var bench = Bench(others: 2)
      _ = bench.tick(.milliseconds(0))
      let asked = bench.detector.relay(
        for: requester, sequence: 77, target: target, at: .milliseconds(0))
      #expect(asked == [.ping(target, sequence: 1)])
      if answers {
        #expect(
          bench.detector.ack(1, from: target, at: .milliseconds(5))
            == [.ack(requester, sequence: 77)])
      }
      let nack = FailureDetector.Effect.nack(requester, sequence: 77)
      #expect(bench.tick(.milliseconds(80)).contains(nack) != answers)
      #expect(!bench.tick(.milliseconds(81)).contains(nack))
    }
  }

  @Test func `relaying is bounded`() {
    var bench = Bench(others: 2)
    let sent = (0..<1_000).flatMap {
      bench.detector.relay(
        for: .numbered(1), sequence: UInt32($0), target: .numbered(2), at: .milliseconds(0))
    }
    #expect(sent.count == 64)
  }
}
