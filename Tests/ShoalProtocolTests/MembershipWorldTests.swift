// What a mesh of membership cores does together: joins, crashes, lies, islands, and what it costs.
import ShoalProtocol
import Testing

@Suite struct MembershipWorldTests {
  private func settled(
    _ peers: Int, seed: UInt64, loss: Int = 0, within limit: Duration = .seconds(30)
  ) throws -> (world: MembershipWorld, took: Duration) {
    var world = MembershipWorld(peers: peers, seed: seed)
    world.weather.lossPerMille = loss
    world.weather.duplicatePerMille = loss
    world.startChain()
    // An introduction can be lost; whoever looks for peers repeats it.
    var took = Duration.zero
    while took < limit {
      if let rest = world.run(atMost: .seconds(1), until: \.isConverged) {
        return (world, took + rest)
      }
      took += .seconds(1)
      for node in 1..<peers { world.introduce(node, to: node - 1) }
    }
    throw NotConverged(peers: peers, seed: seed)
  }

  private struct NotConverged: Error {
    let peers: Int
    let seed: UInt64
  }

  @Test(arguments: [(3, 0), (8, 0), (8, 100), (32, 0), (32, 100)], UInt64(1)...4)
  func `a chain of introductions becomes one mesh`(mesh: (peers: Int, loss: Int), seed: UInt64)
    throws
  {
    let (_, took) = try settled(mesh.peers, seed: seed, loss: mesh.loss)
    #expect(took < .seconds(mesh.loss == 0 ? 4 : 10))
  }

  @Test(
    arguments: [(3, 0, 2_000), (8, 0, 3_500), (8, 100, 6_000), (32, 100, 6_000)], UInt64(1)...4)
  func `a crash is known to everybody in time`(
    mesh: (peers: Int, loss: Int, milliseconds: Int), seed: UInt64
  ) throws {
    var (world, _) = try settled(mesh.peers, seed: seed, loss: mesh.loss)
    world.run(until: world.now + .seconds(5))
    world.crash(1)
    let took = try world.wait(.seconds(20)) { $0.everybodyHolds(1, .dead) }
    #expect(took < .milliseconds(mesh.milliseconds))
  }

  @Test(arguments: UInt64(1)...4)
  func `loss makes suspects and no dead`(seed: UInt64) throws {
    var (world, _) = try settled(32, seed: seed, loss: 100)
    world.run(until: world.now + .seconds(60))
    #expect(world.suspicions > 0)
    #expect(world.deaths.isEmpty)
    _ = try world.wait(.seconds(5), until: \.isConverged)
  }

  @Test func `a peer that the data path lost is asked, and denies`() throws {
    var (world, _) = try settled(8, seed: 5)
    world.run(until: world.now + .seconds(2))
    world.inject(.unreachable(.numbered(3)), into: 0)
    #expect(world.cores[0].table[.numbered(3)]?.state == .suspect)
    let took = try world.wait(.seconds(1)) { $0.everybodyHolds(3, .alive) }
    #expect(took < .milliseconds(300))
    #expect(world.cores[3].incarnation.denials == 1)
    #expect(world.cores[0].table[.numbered(3)]?.incarnation.denials == 1)
  }

  @Test func `the data path's evidence makes a crash known sooner`() throws {
    var (world, _) = try settled(3, seed: 6)
    world.crash(1)
    world.inject(.unreachable(.numbered(1)), into: 0)
    let took = try world.wait(.seconds(5)) { $0.everybodyHolds(1, .dead) }
    #expect(took <= .milliseconds(1_200))
  }

  @Test(arguments: UInt64(1)...3)
  func `who leaves is gone at once, without suspicion`(seed: UInt64) throws {
    var (world, _) = try settled(32, seed: seed)
    world.run(until: world.now + .seconds(3))
    let suspicions = world.suspicions
    world.inject(.leave, into: 7)
    let took = try world.wait(.seconds(5)) { $0.everybodyHolds(7, .left) }
    #expect(took < .milliseconds(1_000))
    #expect(world.suspicions == suspicions)
    #expect(world.cores[7].nextDeadline == nil)
  }

  @Test func `a restart with a higher version replaces the dead`() throws {
    var (world, _) = try settled(8, seed: 7)
    world.crash(2)
    _ = try world.wait(.seconds(10)) { $0.everybodyHolds(2, .dead) }
    world.restart(2, version: 9)
    world.introduce(2, to: 5)
    _ = try world.wait(.seconds(5), until: \.isConverged)
    #expect(world.cores[0].table[.numbered(2)]?.record.version == 9)
  }

  @Test func `a restart under a clock that went back still comes home`() throws {
    var world = MembershipWorld(peers: 4, seed: 8)
    for node in 0..<4 { world.start(node, version: 100) }
    for node in 1..<4 { world.introduce(node, to: 0) }
    _ = try world.wait(.seconds(5), until: \.isConverged)
    world.crash(2)
    _ = try world.wait(.seconds(10)) { $0.everybodyHolds(2, .dead) }
    world.restart(2, version: 3)
    world.introduce(2, to: 0)
    _ = try world.wait(.seconds(5), until: \.isConverged)
    #expect(world.cores[2].ownRecord?.version == 101)
    #expect(world.cores[0].table[.numbered(2)]?.record.version == 101)
  }

  @Test func `islands bury each other, and one introduction joins them again`() throws {
    var (world, _) = try settled(8, seed: 9)
    world.islands = [0, 0, 0, 0, 1, 1, 1, 1]
    _ = try world.wait(.seconds(30)) { world in
      world.running.allSatisfy { world.cores[$0].table.live.count == 3 }
    }
    world.islands = Array(repeating: 0, count: 8)
    world.introduce(0, to: 4)
    let took = try world.wait(.seconds(30), until: \.isConverged)
    #expect(took < .seconds(8))
  }

  @Test func `the gone are forgotten`() throws {
    var (world, _) = try settled(4, seed: 10)
    world.crash(3)
    world.run(until: world.now + .seconds(90))
    #expect(world.running.allSatisfy { world.cores[$0].table[.numbered(3)] == nil })
  }

  @Test func `one seed, one story`() throws {
    func story(_ seed: UInt64) throws -> [Int] {
      var (world, took) = try settled(8, seed: seed, loss: 100)
      world.run(until: world.now + .seconds(5))
      return [world.datagrams, world.payloadBytes, Int(took.nanoseconds)]
    }
    #expect(try story(1) == story(1))
    #expect(try story(1) != story(2))
  }

  @Test func `a new record reaches everybody`() throws {
    var (world, _) = try settled(32, seed: 11)
    world.inject(.localRecord(TestSignature.sign(.plain(4, version: 2))), into: 4)
    let took = try world.wait(.seconds(10)) { world in
      world.running.allSatisfy {
        $0 == 4 || world.cores[$0].table[.numbered(4)]?.record.version == 2
      }
    }
    #expect(took < .seconds(2))
  }

  @Test func `a record that changes no plan travels with the probes`() throws {
    func datagrams(_ change: (inout CapabilityRecord) -> Void) throws -> Int {
      var (world, _) = try settled(32, seed: 11)
      world.run(until: world.now + .seconds(10))
      world.resetTraffic()
      var record = CapabilityRecord.plain(4, version: 2)
      change(&record)
      world.inject(.localRecord(TestSignature.sign(record)), into: 4)
      world.run(until: world.now + .seconds(5))
      for number in world.running where number != 4 {
        #expect(world.cores[number].table[.numbered(4)]?.record.version == 2)
      }
      return world.datagrams
    }
    let holding = try datagrams {
      $0.models = [ModelHolding(model: ModelID(.spread(1)), isComplete: true)]
    }
    // Whoever has less memory holds less: that is told to three peers every 100 ms.
    let memory = try datagrams { $0.memory.usable = .gibibytes(4) }
    #expect(memory - holding > 32 * 10, "\(holding) and \(memory) datagrams")
  }

  @Test(arguments: [16, 256])
  func `an idle mesh costs less than a kilobyte a second`(peers: Int) throws {
    var (world, took) = try settled(peers, seed: 12)
    world.run(until: world.now + .seconds(20))
    world.resetTraffic()
    let seconds = 30
    world.run(until: world.now + .seconds(seconds))
    #expect(world.isConverged)
    // Sealing (a counter and a tag with its header: 32), UDP and IPv4 (28).
    let perPeer = world.payloadBytes + world.datagrams * 60
    let rate = perPeer / peers / seconds
    let payload = world.payloadBytes / peers / seconds
    print("\(peers) peers: \(rate) B/s sent a peer, \(payload) of it gossip; joined in \(took)")
    #expect(rate < 1_000)
    #expect(payload > 20)
  }
}
