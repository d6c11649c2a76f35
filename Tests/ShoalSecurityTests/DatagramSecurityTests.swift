// Sealed datagrams over bad networks: everything arrives once, or is reported, or is ignored.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct DatagramSecurityTests {
  static let storms = [
    Weather(), Weather(loss: 20), Weather(duplication: 50), Weather(delay: 400),
    Weather(loss: 25, duplication: 25, delay: 200),
  ]

  @Test(arguments: storms, [true, false])
  func payloadsArriveOnceInAnyWeather(weather: Weather, knowsKeys: Bool) {
    for seed in 0..<UInt64(8) {
      var world = DatagramWorld(seed: seed, weather)
      if knowsKeys { world.tellKeys() }
      var expected: [[UInt8]] = []
      for number in 0..<UInt8(60) {
        for (from, to) in [(0, 1), (1, 0)] { world.send([number, UInt8(from)], from, to) }
        expected.append([number, 0])
        world.run(.milliseconds(500))
      }
      world.run(.seconds(20))
      let arrived = world.payloads(at: 1, from: 0)
      #expect(Set(arrived).count == arrived.count, "seed \(seed): a payload arrived twice")
      #expect(Set(arrived).isSubset(of: expected))
      if weather.loss == 0 {
        #expect(Set(arrived) == Set(expected), "seed \(seed)")
      } else {
        #expect(arrived.count > 25, "seed \(seed): \(arrived.count) of 60")
      }
    }
  }

  @Test(arguments: [true, false], [1, 2])
  func aQuietExchangeTakesTheLeastDatagrams(knowsKeys: Bool, openers: Int) {
    for seed in 0..<UInt64(16) {
      var world = DatagramWorld(seed: seed)
      if knowsKeys { world.tellKeys() }
      world.send([1], 0, 1)
      if openers == 2 { world.send([2], 1, 0) }
      world.run(.seconds(5))
      #expect(world.payloads(at: 1, from: 0) == [[1]])
      if openers == 2 { #expect(world.payloads(at: 0, from: 1) == [[2]]) }
      let handshakes = world.sent.count { $0.bytes.count == 256 }
      // Two openers: the lower id's goes on; the other's costs an answer at most.
      #expect(handshakes <= (knowsKeys ? 2 : 3) * openers, "seed \(seed)")
    }
  }

  @Test func firstContactFindsOutWhoAnswers() {
    var world = DatagramWorld(seed: 3)
    world.handle(.sendFirstContact([7], at: DatagramWorld.endpoint(1)), 0)
    world.handle(.sendFirstContact([8], at: DatagramWorld.endpoint(1)), 0)
    world.run(.seconds(1))
    #expect(Set(world.payloads(at: 1, from: 0)) == [[7], [8]])
    world.send([9], 1, 0)
    world.run(.seconds(1))
    #expect(world.payloads(at: 0, from: 1) == [[9]])
    #expect(world.connections == 2)
  }

  @Test func nobodyAtTheAddressIsReported() {
    var world = DatagramWorld(seed: 4)
    world.handle(.sendFirstContact([7], at: DatagramWorld.endpoint(9)), 0)
    world.handle(.send([1], to: world.id(1), at: DatagramWorld.endpoint(8)), 0)
    world.run(.seconds(60))
    let undelivered = world.effects.compactMap { entry -> (Int, PeerID?)? in
      guard case .undelivered(let count, let peer, _) = entry.effect else { return nil }
      return (count, peer)
    }
    #expect(undelivered.map(\.0) == [1, 1])
    #expect(Set(undelivered.map(\.1)) == [nil, world.id(1)])
    #expect(world.sent.count == 8)
    #expect(world.cores[0].nextDeadline == nil)
  }

  @Test func strangersGetSilence() {
    var world = DatagramWorld(seed: 5)
    let stranger = DatagramSecurityTests.stranger(&world)
    var core = stranger
    var answers = 0
    for event in [
      DatagramSecurity.Event.sendFirstContact([1], at: DatagramWorld.endpoint(0)),
      .learned(world.parties[0].identity.staticKey),
      .send([1], to: world.id(0), at: DatagramWorld.endpoint(0)),
    ] {
      for effect in core.handle(
        event, at: world.now, time: world.time, using: &world.peers.generator)
      {
        guard case .transmit(let bytes, _) = effect else { continue }
        let before = world.sent.count
        world.handle(.received(bytes, from: DatagramWorld.endpoint(7)), 0)
        answers += world.sent.count - before
      }
    }
    #expect(answers == 0)
    #expect(world.rejections(at: 0) == [.handshake(.unmarked), .handshake(.unmarked)])
  }

  static func stranger(_ world: inout DatagramWorld) -> DatagramSecurity {
    DatagramSecurity(
      world.peers.stranger(), at: world.now, using: &world.peers.generator)
  }

  @Test func garbageCostsOneDatagram() {
    var world = DatagramWorld(seed: 6)
    world.send([1], 0, 1)
    world.run(.seconds(1))
    let seen = world.sent
    var generator = SeededGenerator(seed: 7)
    for round in 0..<3_000 {
      var bytes = seen[Int(generator.next() % UInt64(seen.count))].bytes
      switch round % 3 {
      case 0:
        bytes[Int(generator.next() % UInt64(bytes.count))] ^= UInt8(1 + generator.next() % 255)
      case 1: bytes = Array(bytes.prefix(Int(generator.next() % UInt64(bytes.count))))
      default: bytes = (0..<Int(generator.next() % 1_400)).map { _ in UInt8(generator.next() % 9) }
      }
      let before = world.sent.count
      world.handle(.received(bytes, from: DatagramWorld.endpoint(5)), round % 2)
      let answer = world.sent.dropFirst(before).map(\.bytes.count).reduce(0, +)
      #expect(answer <= bytes.count, "an answer larger than what asked")
    }
    #expect(world.payloads(at: 1, from: 0) == [[1]])
    world.send([2], 0, 1)
    world.send([3], 1, 0)
    world.run(.seconds(1))
    #expect(world.payloads(at: 1, from: 0) == [[1], [2]])
    #expect(world.payloads(at: 0, from: 1) == [[3]])
  }

  @Test func everythingReplayedIsRefused() {
    var world = DatagramWorld(seed: 8)
    world.tellKeys()
    for number in 0..<UInt8(10) {
      world.send([number], 0, 1)
      world.send([number], 1, 0)
      world.run(.seconds(1))
    }
    let recorded = world.sent
    let delivered = world.deliveries
    for _ in 0..<2 {
      for flight in recorded {
        world.handle(.received(flight.bytes, from: flight.from), Int(flight.to.address[3]))
      }
    }
    world.run(.seconds(30))
    #expect(world.deliveries == delivered)
    #expect(
      world.rejections(at: 1).contains {
        if case .handshake(.replayed) = $0 { true } else { false }
      })
    // A responder that restarted forgot the initiation, and answers its replay; without the keys
    // nothing comes of it.
    world.restart(1)
    let before = world.connections
    for flight in recorded where flight.to == DatagramWorld.endpoint(1) {
      world.handle(.received(flight.bytes, from: flight.from), 1)
    }
    #expect(world.deliveries == delivered)
    #expect(world.connections == before)
  }

  @Test(arguments: [true, false])
  func aRestartedPeerIsReachableAgain(restartedSpeaksFirst: Bool) {
    var world = DatagramWorld(seed: 9)
    world.tellKeys()
    world.send([1], 0, 1)
    world.send([2], 1, 0)
    world.run(.seconds(5))
    world.restart(1)
    if restartedSpeaksFirst {
      world.send([3], 1, 0)
      world.run(.seconds(1))
      #expect(world.payloads(at: 0, from: 1) == [[2], [3]])
      world.send([4], 0, 1)
      world.run(.seconds(1))
      #expect(world.payloads(at: 1, from: 0) == [[1], [4]])
    } else {
      for number in 10..<UInt8(40) {
        world.send([number], 0, 1)
        world.run(.seconds(1))
      }
      let arrived = world.payloads(at: 1, from: 0)
      #expect(arrived.last == [39])
      // Fifteen seconds of silence and a handshake, no more.
      #expect(arrived.count >= 14)
    }
  }

  @Test func keysAreRenewedWithoutLosingADatagram() {
    var world = DatagramWorld(seed: 10)
    world.tellKeys()
    var expected: [[UInt8]] = []
    for number in 0..<600 {
      let payload = [UInt8(number % 256), UInt8(number / 256)]
      world.send(payload, number % 2, 1 - number % 2)
      expected.append(payload)
      world.run(.seconds(1))
    }
    world.run(.seconds(1))
    #expect(Set(world.deliveries.map(\.payload)) == Set(expected))
    #expect(world.deliveries.count == expected.count)
    // Ten minutes: the first keys and at least four renewals, each told to both sides.
    #expect((10...14).contains(world.connections))
  }

  @Test func oneSidedTrafficIsKeptAliveWithoutNewHandshakes() {
    var world = DatagramWorld(seed: 11)
    world.tellKeys()
    for number in 0..<UInt8(100) {
      world.send([number], 0, 1)
      world.run(.seconds(1))
    }
    #expect(world.payloads(at: 1, from: 0).count == 100)
    #expect(world.connections == 2)
  }

  @Test func underLoadAddressesAreProvenFirst() {
    var world = DatagramWorld(seed: 12)
    var replies = 0
    for number in 0..<UInt8(200) {
      // Each stranger is a member of the network at an address of its own.
      let party = world.peers.party()
      var core = DatagramSecurity(party, at: world.now, using: &world.peers.generator)
      let here = Endpoint(address: [192, 0, 2, number], port: 1)!
      let target = DatagramWorld.endpoint(0)
      var pending = core.handle(
        .sendFirstContact([number], at: target), at: world.now, time: world.time,
        using: &world.peers.generator)
      for _ in 0..<6 {
        var next: [DatagramSecurity.Effect] = []
        for case .transmit(let bytes, _) in pending {
          let answers = world.cores[0].handle(
            .received(bytes, from: here), at: world.now, time: world.time,
            using: &world.peers.generator)
          for answer in answers {
            switch answer {
            case .transmit(let bytes, _):
              if bytes.count == 64 { replies += 1 }
              next += core.handle(
                .received(bytes, from: target), at: world.now, time: world.time,
                using: &world.peers.generator)
            case .deliver(let payload, let from, _):
              #expect(payload == [number])
              world.deliveries.append(.init(at: 0, from: from, payload: payload))
            case .connected, .rejected, .undelivered:
              break
            }
          }
        }
        pending = next
      }
    }
    // The first of the second pass at once, the others after one cookie each.
    #expect(replies == 200 - Limits.handshakesPerSecond)
    #expect(world.deliveries.count == 200)
  }

  @Test func queuesAreBounded() {
    var world = DatagramWorld(seed: 13)
    world.weather.loss = 100
    for number in 0..<UInt8(100) { world.send([number], 0, 1) }
    let shed = world.effects.count { entry in
      if case .undelivered = entry.effect { true } else { false }
    }
    #expect(shed == 100 - Limits.queuedDatagrams)
    world.weather.loss = 0
    world.run(.seconds(5))
    #expect(
      world.payloads(at: 1, from: 0).sorted { $0[0] < $1[0] }
        == (84..<100).map { [UInt8($0)] })
  }

  @Test func payloadsOfTheWrongSizeAreReported() {
    var world = DatagramWorld(seed: 14)
    let limit = DatagramSecurity.payloadLimit
    world.send([UInt8](repeating: 1, count: limit), 0, 1)
    world.send([UInt8](repeating: 1, count: limit + 1), 0, 1)
    world.send([], 0, 1)
    world.run(.seconds(1))
    #expect(world.payloads(at: 1, from: 0).map(\.count) == [limit])
    #expect(limit >= Limits.gossipBytes)
    let sizes = world.sent.map(\.bytes.count)
    #expect(sizes.max() == Limits.datagramBytes)
  }

  /// Counters in the order of arrival, and which of them are let in.
  static let windows: [([UInt64], [Bool])] = [
    ([0, 0], [true, false]),
    ([5, 3, 5, 3, 4], [true, true, false, false, true]),
    ([0, 2_047, 0, 1], [true, true, false, true]),
    ([0, 2_048, 0, 1], [true, true, false, true]),
    ([10, 2_058, 10, 11], [true, true, false, true]),
    ([1, 1 << 40, 1, (1 << 40) - 2_047, (1 << 40) - 2_048], [true, true, false, true, false]),
    ([100, 2_300, 2_148, 252, 253], [true, true, true, false, true]),
  ]

  @Test(arguments: windows.indices)
  func theReplayWindowAdmitsEachCounterOnce(row: Int) {
    var window = ReplayWindow()
    let (counters, expected) = DatagramSecurityTests.windows[row]
    for (counter, isAdmitted) in zip(counters, expected) {
      #expect(window.admits(counter) == isAdmitted, "\(counter)")
      if isAdmitted { window.accept(counter) }
    }
  }

  @Test func theReplayWindowAgreesWithASet() {
    var generator = SeededGenerator(seed: 15)
    var window = ReplayWindow()
    var seen: Set<UInt64> = []
    var highest: UInt64 = 0
    for _ in 0..<50_000 {
      let back = generator.next() % 2_600
      let counter =
        highest + generator.next() % 40 > back ? highest + 20 - min(back, highest + 20) : 0
      let isOld = !seen.isEmpty && highest >= counter && highest - counter >= ReplayWindow.width
      #expect(window.admits(counter) == (!isOld && !seen.contains(counter)))
      if window.admits(counter) {
        window.accept(counter)
        seen.insert(counter)
        highest = max(highest, counter)
      }
    }
  }
}
