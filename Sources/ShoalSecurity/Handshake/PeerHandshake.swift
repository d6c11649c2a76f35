// A handshake between peers: Noise, with who each is and when it spoke in the payloads.
public import ShoalProtocol

/// What a peer brings to every handshake.
public struct HandshakeParty: Sendable {
  public let identity: PeerIdentity
  public let network: NetworkID
  public let networkKey: NetworkKey
  public let suites: CipherSuites

  public init(
    identity: PeerIdentity, network: NetworkID, networkKey: NetworkKey,
    suites: CipherSuites = .ofThisMachine
  ) {
    (self.identity, self.network, self.networkKey) = (identity, network, networkKey)
    self.suites = suites
  }
}

/// What a handshake is for; keys made for one purpose never serve another.
package enum HandshakePurpose: UInt8, Sendable {
  case datagrams = 1
  case stream = 2
}

/// Who is on the other side, proven.
public struct RemotePeer: Hashable, Sendable {
  public let staticKey: SignedStaticKey
  /// The suites that it has: for the choice of later streams.
  public let suites: CipherSuites
  /// Its clock when it wrote its payload.
  public let time: UnixTime
  public var id: PeerID { staticKey.owner }
}

/// One side of a handshake. A value: a packet that is refused leaves it as it was.
package struct PeerHandshake: Sendable {
  private let party: HandshakeParty
  private let offered: CipherSuites
  private let suite: CipherSuite
  private let expected: PeerID?
  private var noise: NoiseHandshake
  private var message = 0
  package let index: UInt32
  package private(set) var remoteIndex: UInt32 = 0
  package private(set) var remote: RemotePeer?

  package var isFinished: Bool { noise.isFinished }
  package var hash: [UInt8] { noise.hash }

  /// Starts one: IK where the peer's static key is known, XX where it is not.
  package init(
    initiating party: HandshakeParty, purpose: HandshakePurpose, suite: CipherSuite, index: UInt32,
    staticKey: StaticKey?, expecting peer: PeerID?
  ) {
    (self.party, self.suite, self.index, expected) = (party, suite, index, peer)
    offered = party.suites
    noise = NoiseHandshake(
      staticKey == nil ? .xxPSK3 : .ikPSK2, .initiator, suite: suite,
      prologue: PeerHandshake.prologue(party, purpose, offered, suite),
      psk: party.networkKey.handshake, localStatic: party.identity.staticSecret,
      remoteStatic: staticKey)
  }

  /// Answers one: `read(first)` is next. The suite must be the best that both have, on streams;
  /// datagrams use ChaChaPoly, whose speed they do not need.
  package init(
    answering first: HandshakePacket, as party: HandshakeParty, purpose: HandshakePurpose,
    index: UInt32
  ) throws(HandshakeError) {
    guard first.kind.isFirst else { throw .outOfTurn(first.kind.rawValue) }
    guard first.receiver == 0 else { throw .notZero }
    let best: CipherSuite =
      switch purpose {
      case .datagrams: .chaChaPoly
      case .stream: first.offered.best(with: party.suites)
      }
    guard first.suite == best else { throw .suiteRefused(chosen: first.suite, best: best) }
    (self.party, self.index, expected) = (party, index, nil)
    (offered, suite) = (first.offered, first.suite)
    noise = NoiseHandshake(
      first.kind == .ikFirst ? .ikPSK2 : .xxPSK3, .responder, suite: suite,
      prologue: PeerHandshake.prologue(party, purpose, offered, suite),
      psk: party.networkKey.handshake, localStatic: party.identity.staticSecret)
  }

  /// Writes the next packet.
  package mutating func write(
    at time: UnixTime, cookie: [UInt8]? = nil, using generator: inout some RandomNumberGenerator
  ) throws(HandshakeError) -> HandshakePacket {
    let kind = HandshakePacket.Kind(noise.pattern, message: message)
    var payload = PeerHandshake.payload(of: kind, party, time)
    payload += [UInt8](repeating: 0, count: kind.payloadBytes - payload.count)
    let bytes: [UInt8]
    do throws(NoiseError) {
      bytes = try noise.write(payload, using: &generator)
    } catch {
      throw .noise(error)
    }
    message += 1
    return HandshakePacket(
      kind: kind, offered: offered, suite: suite, sender: index, receiver: remoteIndex,
      noise: bytes, markKey: party.networkKey.mark, cookie: cookie)
  }

  /// Reads the next packet.
  package mutating func read(_ packet: HandshakePacket) throws(HandshakeError) {
    guard !isFinished, packet.kind == HandshakePacket.Kind(noise.pattern, message: message),
      message == 0 || packet.receiver == index, message < 2 || packet.sender == remoteIndex,
      packet.suite == suite, packet.offered == offered
    else { throw .outOfTurn(packet.kind.rawValue) }
    var next = self
    let payload: [UInt8]
    do throws(NoiseError) {
      payload = try next.noise.read(packet.noise)
    } catch {
      throw .noise(error)
    }
    try next.take(payload)
    next.remoteIndex = packet.sender
    next.message += 1
    self = next
  }

  package func split() -> (send: CipherKey, receive: CipherKey) { noise.split() }

  /// All but the first packet of XX say who speaks:
  ///
  ///       0  u64     nanoseconds since 1970 on the sender's clock
  ///       8  u8      suites that the sender has
  ///       9  32 B    the sender's id
  ///      41  64 B    its signature over its static key
  private static func payload(
    of kind: HandshakePacket.Kind, _ party: HandshakeParty, _ time: UnixTime
  ) -> [UInt8] {
    guard kind != .xxFirst else { return [] }
    var writer = ByteWriter(reserving: kind.payloadBytes)
    writer.integer(time.nanoseconds)
    writer.integer(party.suites.bits)
    writer.id(party.identity.id)
    party.identity.staticKey.signature.write(to: &writer)
    return writer.bytes
  }

  private mutating func take(_ payload: [UInt8]) throws(HandshakeError) {
    guard let key = noise.remoteStatic, payload.count >= 105 else {
      // The first packet of XX.
      guard payload.allSatisfy({ $0 == 0 }) else { throw .notZero }
      return
    }
    let remote: RemotePeer
    var reader = ByteReader(payload)
    do throws(WireError) {
      let time = UnixTime(nanoseconds: try reader.integer())
      let suites = CipherSuites(bits: try reader.integer())
      remote = RemotePeer(
        staticKey: SignedStaticKey(
          owner: try reader.id(), key: key, signature: try Signature(from: &reader)),
        suites: suites, time: time)
    } catch {
      throw .wrongSize(bytes: payload.count)
    }
    guard payload.dropFirst(105).allSatisfy({ $0 == 0 }) else { throw .notZero }
    guard remote.staticKey.isValid else { throw .staticKeyNotOwned(remote.id) }
    guard remote.id != party.identity.id else { throw .ownIdentity }
    if let expected, expected != remote.id {
      throw .unexpectedPeer(expected: expected, actual: remote.id)
    }
    self.remote = remote
  }

  /// What both sides must agree on before a word is said. A changed offer changes the keys.
  private static func prologue(
    _ party: HandshakeParty, _ purpose: HandshakePurpose, _ offered: CipherSuites,
    _ suite: CipherSuite
  ) -> [UInt8] {
    Array("shoal handshake".utf8)
      + [HandshakePacket.version, purpose.rawValue, offered.bits, suite.rawValue]
      + party.network.raw.bytes
  }
}
