// One probe, step by step: ping, ask others, suspect; with Lifeguard's doubts about oneself.
import ShoalProtocol
import Testing

@Suite struct MembershipDetectorTests {
  private struct Bench {
    var detector = FailureDetector(peer: .numbered(0))
    var random = SeededGenerator(3)
    let live: [PeerID]
    var settled: Set<PeerID> = []

    init(others: Int) { live = (1...others).map { PeerID.numbered($0) }.sorted() }

    mutating func tick(_ now: Moment) -> [FailureDetector.Effect] {
      detector.tick(
        live: live, prior: { _ in .zero }, isSettled: { settled.contains($0) }, at: now,
        using: &random)
    }

    /// Whom it asks for help.
    mutating func relays(at now: Moment) -> [PeerID] {
      tick(now).compactMap { if case .requestPing(_, by: let relay, _) = $0 { relay } else { nil } }
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

  @Test func `one answer after seconds does not make the next silence last for seconds`() throws {
    var bench = Bench(others: 1)
    let (target, first, start) = try bench.firstProbe()
    var (sequence, now) = (first, start)
    /// From one ping to the next, where the answer to the one takes that long.
    func probe(answeredAfter answer: Duration?) -> (took: Duration, isSuspected: Bool) {
      let start = now
      var open = answer.map { (due: start + $0, sequence: sequence) }
      var isSuspected = false
      while true {
        now = now + .milliseconds(1)
        if let answer = open, answer.due <= now {
          _ = bench.detector.ack(answer.sequence, from: target, at: now)
          open = nil
        }
        for effect in bench.tick(now) {
          if effect == .suspect(target) { isSuspected = true }
          guard case .ping(_, let next) = effect, open == nil else { continue }
          sequence = next
          return (now - start, isSuspected)
        }
      }
    }
    for _ in 0..<16 { _ = probe(answeredAfter: .milliseconds(1)) }
    _ = probe(answeredAfter: .seconds(12))
    #expect(bench.detector.roundTrips[target].map { $0.mean > .seconds(1) } == true)
    var pace = Duration.zero
    for _ in 0..<10 { pace = probe(answeredAfter: .milliseconds(1)).took }
    // Nor does it make probes rarer that are answered at once.
    #expect(pace <= .milliseconds(201))
    let silence = probe(answeredAfter: nil)
    #expect(silence.isSuspected)
    #expect(silence.took < .seconds(1))
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
      bench.detector.nack(sequence, from: relay, at: start + .milliseconds(150))
    }
    #expect(bench.tick(start + .milliseconds(200)).first == .suspect(target))
    #expect(bench.detector.healthScore == 0)
  }

  @Test func `where nobody listens, others are asked at once, and their word ends the probe`()
    throws
  {
    var bench = Bench(others: 5)
    let (target, sequence, start) = try bench.firstProbe()
    bench.detector.refused(target, at: start)
    let relays = bench.relays(at: start)
    #expect(relays.count == 3)
    let later = start + .milliseconds(1)
    for relay in relays {
      #expect(bench.tick(later) == [])
      bench.detector.nack(sequence, from: relay, at: later)
    }
    #expect(bench.tick(later).first == .suspect(target))
    #expect(bench.detector.healthScore == 0)
  }

  @Test func `a forged refusal has nobody suspected who answers one of the others`() throws {
    var bench = Bench(others: 5)
    let (target, sequence, start) = try bench.firstProbe()
    bench.detector.refused(target, at: start)
    let relays = bench.relays(at: start)
    for relay in relays.dropFirst() { bench.detector.nack(sequence, from: relay, at: start) }
    _ = bench.detector.ack(sequence, from: relays[0], at: start + .milliseconds(1))
    #expect(!bench.tick(start + .milliseconds(200)).contains(.suspect(target)))
  }

  @Test func `a relay says at once that nobody listens, and looks for itself`() throws {
    var bench = Bench(others: 7)
    let (target, sequence, start) = try bench.firstProbe()
    _ = bench.detector.ack(sequence, from: target, at: start)
    let gone = try #require(bench.live.first { $0 != target })
    let requester = try #require(bench.live.last)
    _ = bench.detector.relay(for: requester, sequence: 9, target: gone, at: start)
    bench.detector.refused(gone, at: start + .milliseconds(1))
    let said = bench.tick(start + .milliseconds(1))
    #expect(said.first == .nack(requester, sequence: 9))
    #expect(said.contains { if case .ping(gone, _) = $0 { true } else { false } })
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

  @Test func `every second probe asks the neighbour, the others go round`() throws {
    var bench = Bench(others: 7)
    var (target, sequence, now) = try bench.firstProbe()
    var asked = [target]
    for _ in 0..<41 {
      _ = bench.detector.ack(sequence, from: target, at: now)
      now = now + .milliseconds(200)
      guard case .ping(let next, let number) = bench.tick(now).first else {
        throw NoProbe(effects: [])
      }
      (target, sequence) = (next, number)
      asked.append(target)
    }
    let neighbour = bench.live.first { $0 > .numbered(0) } ?? bench.live[0]
    let turns = asked.indices.map { (peer: asked[$0], isRound: $0 % 2 == 1) }
    #expect(turns.filter { !$0.isRound }.allSatisfy { $0.peer == neighbour })
    let round = turns.filter(\.isRound).map(\.peer)
    for start in stride(from: 0, to: 21, by: 7) {
      #expect(round[start..<start + 7].sorted() == bench.live)
    }
    #expect(Array(round[0..<7]) != Array(round[7..<14]))
  }

  @Test(arguments: [true, false])
  func `a relay that hears nothing looks for itself, unless enough have`(isSettled: Bool) throws {
    var bench = Bench(others: 7)
    let (target, sequence, start) = try bench.firstProbe()
    _ = bench.detector.ack(sequence, from: target, at: start)
    let doubtful = try #require(bench.live.first { $0 != target })
    let requester = try #require(bench.live.last)
    if isSettled { bench.settled = [doubtful] }
    _ = bench.detector.relay(for: requester, sequence: 9, target: doubtful, at: start)
    let after = bench.tick(start + .milliseconds(80))
    #expect(after.first == .nack(requester, sequence: 9))
    let asks = after.contains {
      if case .ping(doubtful, _) = $0 { true } else { false }
    }
    #expect(asks != isSettled)
    // With relays of its own, and then it is an observer.
    let relays = bench.tick(start + .milliseconds(180)).filter {
      if case .requestPing(of: doubtful, _, _) = $0 { true } else { false }
    }
    #expect(relays.count == (isSettled ? 0 : 3))
    #expect(bench.tick(start + .milliseconds(280)).contains(.suspect(doubtful)) != isSettled)
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
