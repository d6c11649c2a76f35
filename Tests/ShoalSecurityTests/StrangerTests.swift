// What strangers of an open network, who know its key, can make a peer hold: little, and nobody from
// another address has less for it.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct StrangerTests {
  private static func address(_ network: Int, _ host: Int, port: Int) -> Endpoint {
    Endpoint(address: [203, 0, UInt8(network), UInt8(host)], port: UInt16(port))
      ?? DatagramWorld.endpoint(9)
  }

  private struct Outcome {
    var isConnected = false
    var cookies = 0
    var isRefused = false
  }

  /// A new member at `here` greets peer 0 and answers what it hears so many times.
  private static func knock(
    _ world: inout DatagramWorld, from here: Endpoint, answers: Int
  ) -> Outcome {
    var core = DatagramSecurity(world.peers.party(), at: world.now, using: &world.peers.generator)
    let target = DatagramWorld.endpoint(0)
    var outcome = Outcome()
    var pending = core.handle(
      .sendFirstContact([1], at: target), at: world.now, time: world.time,
      using: &world.peers.generator)
    for round in 0...answers {
      var next: [DatagramSecurity.Effect] = []
      for case .transmit(let bytes, _) in pending {
        for effect in world.cores[0].handle(
          .received(bytes, from: here), at: world.now, time: world.time,
          using: &world.peers.generator)
        {
          switch effect {
          case .transmit(let answer, _):
            #expect(answer.count <= bytes.count, "an answer larger than its cause")
            if answer.count == 64 { outcome.cookies += 1 }
            guard round < answers else { continue }
            next += core.handle(
              .received(answer, from: target), at: world.now, time: world.time,
              using: &world.peers.generator)
          case .connected(_, let endpoint): outcome.isConnected = endpoint == here
          case .rejected(.busy, let endpoint): outcome.isRefused = endpoint == here
          case .rejected, .deliver, .undelivered: break
          }
        }
      }
      pending = next
    }
    return outcome
  }

  @Test func `addresses that answer nothing leave room for one that does`() {
    var world = DatagramWorld(seed: 21, peers: 1)
    var cookies = 0
    // Slow enough to stay below the handshakes of a second, from addresses that cannot answer.
    for number in 0..<400 {
      world.now = world.now + .milliseconds(20)
      cookies +=
        Self.knock(
          &world, from: Self.address(number / 200, number % 200, port: 1), answers: 0
        ).cookies
    }
    #expect(cookies >= 400 - Limits.pendingHandshakes)
    let honest = Self.knock(&world, from: Self.address(9, 9, port: 1), answers: 4)
    #expect(honest.isConnected)
    #expect(honest.cookies == 1)
  }

  @Test func `with so many handshakes under way, the next must prove its address`() {
    var world = DatagramWorld(seed: 24, peers: 1)
    for number in 0..<Limits.unprovenHandshakes + 5 {
      // Below the handshakes of a second.
      world.now = world.now + .milliseconds(15)
      let outcome = Self.knock(&world, from: Self.address(1, number, port: 1), answers: 0)
      #expect(outcome.cookies == (number < Limits.unprovenHandshakes ? 0 : 1))
    }
  }

  @Test func `of addresses that prove themselves so many are let in within a second`() {
    var world = DatagramWorld(seed: 25, peers: 1)
    let connected = (0..<Limits.provenHandshakesPerSecond + 20).count { number in
      Self.knock(
        &world, from: Self.address(number / 200, number % 200, port: 1), answers: 4
      ).isConnected
    }
    #expect(connected == Limits.provenHandshakesPerSecond)
    world.now = world.now + .seconds(1)
    #expect(Self.knock(&world, from: Self.address(9, 9, port: 1), answers: 4).isConnected)
  }

  @Test func `one address that proves itself and goes on no further pushes out only itself`() {
    var world = DatagramWorld(seed: 22, peers: 1)
    for port in 1...300 {
      world.now = world.now + .milliseconds(2)
      // A cookie, and then nothing after the second packet.
      _ = Self.knock(&world, from: Self.address(1, 1, port: port), answers: 1)
    }
    #expect(world.cores[0].pendingAnswers <= Limits.pendingHandshakesOfOne)
    #expect(Self.knock(&world, from: Self.address(2, 1, port: 1), answers: 4).isConnected)
  }

  @Test func `identities are cheap, and one address has its share of the table`() {
    var world = DatagramWorld(seed: 23, peers: 1)
    var connected = 0
    var refused = 0
    for port in 1...Limits.peersOfOne + 20 {
      world.now = world.now + .milliseconds(15)
      let outcome = Self.knock(&world, from: Self.address(1, 1, port: port), answers: 4)
      connected += outcome.isConnected ? 1 : 0
      refused += outcome.isRefused ? 1 : 0
    }
    #expect(connected == Limits.peersOfOne)
    #expect(refused == 20)
    #expect(Self.knock(&world, from: Self.address(2, 1, port: 1), answers: 4).isConnected)
  }
}
