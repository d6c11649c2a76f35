// The handshake of a stream: who may finish one, and what a tampered one costs.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct StreamHandshakeTests {
  static let now = UnixTime(seconds: 1_900_000_000)

  struct Pair: ~Copyable {
    var peers = Peers(seed: 5)
    var initiator: StreamHandshake
    var responder: StreamHandshake
    let callee: HandshakeParty

    init(
      knowsKey: Bool, _ alice: CipherSuites = .ofThisMachine, _ bob: CipherSuites = .ofThisMachine
    ) throws {
      let caller = peers.party(alice)
      callee = peers.party(bob)
      initiator = try StreamHandshake(
        initiating: caller, to: callee.identity.id,
        staticKey: knowsKey ? callee.identity.staticKey.key : nil, peerSuites: bob, at: now,
        using: &peers.generator)
      responder = StreamHandshake(answeringAs: callee)
    }
  }

  @Test(
    arguments: [true, false],
    [CipherSuites.chaChaPolyOnly, .ofThisMachine])
  func bothSidesEndWithOneStream(knowsKey: Bool, suites: CipherSuites) throws {
    var pair = try Pair(knowsKey: knowsKey, .ofThisMachine, suites)
    var packet = try pair.initiator.opening()
    var packets = 0
    var initiatorSpeaks = true
    exchange: while true {
      packets += 1
      #expect(packet.count == StreamHandshake.packetBytes)
      let step =
        initiatorSpeaks
        ? try pair.responder.receive(
          packet, at: StreamHandshakeTests.now, using: &pair.peers.generator)
        : try pair.initiator.receive(
          packet, at: StreamHandshakeTests.now, using: &pair.peers.generator)
      initiatorSpeaks.toggle()
      switch step {
      case .reply(let next): packet = next
      case .finished(let last?): packet = last
      case .finished(nil): break exchange
      }
    }
    #expect(packets == (knowsKey ? 2 : 3))
    let remotes = [pair.initiator.remote, pair.responder.remote]
    let (first, second) = pair.finish()
    #expect(first == second)
    #expect(remotes[0]?.suites == suites)
    #expect(remotes[1]?.suites == .ofThisMachine)
    #expect(remotes[0]?.id != remotes[1]?.id)
    #expect(remotes.allSatisfy { $0?.staticKey.isValid == true })
  }

  @Test(arguments: [true, false])
  func aStrangerIsMetWithSilence(knowsKey: Bool) throws {
    var peers = Peers(seed: 6)
    let (alice, mallory) = (peers.party(), peers.stranger())
    let attempt = try StreamHandshake(
      initiating: mallory, to: alice.identity.id,
      staticKey: knowsKey ? alice.identity.staticKey.key : nil, peerSuites: .ofThisMachine,
      at: StreamHandshakeTests.now, using: &peers.generator)
    let packet = try attempt.opening()
    var responder = StreamHandshake(answeringAs: alice)
    #expect(throws: HandshakeError.unmarked) {
      try responder.receive(packet, at: StreamHandshakeTests.now, using: &peers.generator)
    }
  }

  @Test(.enabled(if: CipherSuites.ofThisMachine.contains(.aesGCM)))
  func aDowngradeIsRefusedAndATamperedOfferFails() throws {
    var peers = Peers(seed: 7)
    let (alice, bob) = (peers.party(), peers.party())
    let attempt = try StreamHandshake(
      initiating: alice, to: bob.identity.id, staticKey: bob.identity.staticKey.key,
      peerSuites: .chaChaPolyOnly, at: StreamHandshakeTests.now, using: &peers.generator)
    let packet = try attempt.opening()
    var responder = StreamHandshake(answeringAs: bob)
    #expect(throws: HandshakeError.suiteRefused(chosen: .chaChaPoly, best: .aesGCM)) {
      try responder.receive(packet, at: StreamHandshakeTests.now, using: &peers.generator)
    }
    // A member that takes AESGCM out of the offer and marks the packet anew changes the prologue.
    var forged = packet
    forged[2] = CipherSuites.chaChaPolyOnly.bits
    let remarked = HandshakePacket.remarked(forged, with: bob.networkKey)
    #expect(throws: HandshakeError.noise(.notAuthentic)) {
      try responder.receive(remarked, at: StreamHandshakeTests.now, using: &peers.generator)
    }
  }

  @Test func answeringAsAnotherPeerIsNoticed() throws {
    var peers = Peers(seed: 8)
    let (alice, bob, carol) = (peers.party(), peers.party(), peers.party())
    var initiator = try StreamHandshake(
      initiating: alice, to: carol.identity.id, staticKey: nil, peerSuites: .ofThisMachine,
      at: StreamHandshakeTests.now, using: &peers.generator)
    var responder = StreamHandshake(answeringAs: bob)
    let first = try initiator.opening()
    guard
      case .reply(let second) = try responder.receive(
        first, at: StreamHandshakeTests.now, using: &peers.generator)
    else {
      Issue.record("no reply")
      return
    }
    #expect(
      throws: HandshakeError.unexpectedPeer(
        expected: carol.identity.id, actual: bob.identity.id)
    ) {
      try initiator.receive(second, at: StreamHandshakeTests.now, using: &peers.generator)
    }
  }

  @Test func callingOneselfIsRefused() throws {
    var peers = Peers(seed: 9)
    let alice = peers.party()
    let initiator = try StreamHandshake(
      initiating: alice, to: alice.identity.id, staticKey: alice.identity.staticKey.key,
      peerSuites: .ofThisMachine, at: StreamHandshakeTests.now, using: &peers.generator)
    let first = try initiator.opening()
    var responder = StreamHandshake(answeringAs: alice)
    #expect(throws: HandshakeError.ownIdentity) {
      try responder.receive(first, at: StreamHandshakeTests.now, using: &peers.generator)
    }
  }

  @Test func mangledPacketsAreRefusedWithTypedErrors() throws {
    var pair = try Pair(knowsKey: true)
    let first = try pair.initiator.opening()
    for position in first.indices where position < 240 {
      var mangled = first
      mangled[position] ^= UInt8(1) << UInt8(position % 8)
      #expect(throws: HandshakeError.unmarked) {
        try pair.responder.receive(
          mangled, at: StreamHandshakeTests.now, using: &pair.peers.generator)
      }
      // The same, by a member that can mark what it changed.
      let remarked = HandshakePacket.remarked(mangled, with: pair.peers.networkKey)
      let error = failure { () throws(HandshakeError) in
        _ = try pair.responder.receive(
          remarked, at: StreamHandshakeTests.now, using: &pair.peers.generator)
      }
      // The sender's own index and the mark are no part of the handshake.
      #expect((error == nil) == ((4..<8).contains(position) || position >= 224), "\(position)")
      if error == nil { pair.responder = StreamHandshake(answeringAs: pair.callee) }
      #expect(throws: HandshakeError.wrongSize(bytes: position)) {
        try pair.responder.receive(
          Array(first.prefix(position)), at: StreamHandshakeTests.now, using: &pair.peers.generator)
      }
    }
  }
}

extension StreamHandshakeTests.Pair {
  /// Finishes both and says what each knows of the stream, after a frame in each direction.
  consuming func finish() -> ([UInt8], [UInt8]) {
    let left = initiator.finish()
    let right = responder.finish()
    return (left.bindingHash, right.bindingHash)
  }
}

extension StreamHandshake {
  /// An initiator's first packet.
  func opening() throws -> [UInt8] {
    let packet = firstPacket
    return try #require(packet)
  }
}
