// The handshake at the start of a stream, and the two ciphers that come out of it.
public import ShoalProtocol

/// The handshake of one stream. Packets have `StreamHandshake.packetBytes` bytes each, so that a
/// shell reads exactly that many before it knows anything of the other side. To a packet that is
/// refused the answer is a closed connection, with not a byte sent.
///
/// The initiator sends `firstPacket`; then each side hands what it reads to `receive`. A responder
/// to IK has proof that the initiator is live only when the first frame opens.
public struct StreamHandshake: ~Copyable, Sendable {
  public static let packetBytes = HandshakePacket.count

  public enum Step: Hashable, Sendable {
    /// Send this, and wait for the next packet.
    case reply([UInt8])
    /// Send this if there is anything, then call `finish`.
    case finished(lastReply: [UInt8]?)
  }

  private let party: HandshakeParty
  /// Nil in a responder that has heard nothing yet.
  private var handshake: PeerHandshake?
  /// What an initiator sends first; nil in a responder.
  public let firstPacket: [UInt8]?

  /// Begins a stream to `peer`; with its `staticKey` in one round trip (IK), else with XX.
  /// - Parameter peerSuites: what the peer has, as its datagram handshake said (`RemotePeer`).
  ///   Where that is not known, try this machine's own and then, if the peer closes, ChaChaPoly
  ///   only: a peer that has more refuses that as a downgrade.
  public init(
    initiating party: HandshakeParty, to peer: PeerID, staticKey: StaticKey?,
    peerSuites: CipherSuites, at time: UnixTime, using generator: inout some RandomNumberGenerator
  ) throws(HandshakeError) {
    var handshake = PeerHandshake(
      initiating: party, purpose: .stream, suite: party.suites.best(with: peerSuites),
      index: UInt32(truncatingIfNeeded: generator.next()), staticKey: staticKey, expecting: peer)
    firstPacket = try handshake.write(at: time, using: &generator).bytes
    self.party = party
    self.handshake = handshake
  }

  /// Awaits a stream.
  public init(answeringAs party: HandshakeParty) {
    self.party = party
    handshake = nil
    firstPacket = nil
  }

  /// Who is on the other side, as soon as it has proven it.
  public var remote: RemotePeer? { handshake?.remote }

  public mutating func receive(
    _ bytes: [UInt8], at time: UnixTime, using generator: inout some RandomNumberGenerator
  ) throws(HandshakeError) -> Step {
    let packet = try HandshakePacket(bytes, markKey: party.networkKey.mark)
    var next: PeerHandshake
    if let handshake {
      next = handshake
    } else {
      next = try PeerHandshake(
        answering: packet, as: party, purpose: .stream,
        index: UInt32(truncatingIfNeeded: generator.next()))
    }
    try next.read(packet)
    var reply: [UInt8]?
    if !next.isFinished { reply = try next.write(at: time, using: &generator).bytes }
    handshake = next
    if let reply, !next.isFinished { return .reply(reply) }
    return .finished(lastReply: reply)
  }

  /// The stream's ciphers; to be called after `.finished`.
  public consuming func finish() -> SecureStream {
    guard let handshake, handshake.isFinished, let remote = handshake.remote else {
      preconditionFailure("finish before the handshake has")
    }
    let keys = handshake.split()
    return SecureStream(
      remote: remote, bindingHash: handshake.hash, sealer: FrameSealer(keys.send),
      opener: FrameOpener(keys.receive))
  }
}

/// What a finished handshake leaves. Sealer and opener are independent: each direction can have its
/// own thread.
public struct SecureStream: ~Copyable, Sendable {
  public let remote: RemotePeer
  /// 64 bytes that both sides know and no other stream has (Noise, section 11.2).
  public let bindingHash: [UInt8]
  public var sealer: FrameSealer
  public var opener: FrameOpener

  init(
    remote: RemotePeer, bindingHash: [UInt8], sealer: consuming FrameSealer,
    opener: consuming FrameOpener
  ) {
    self.remote = remote
    self.bindingHash = bindingHash
    self.sealer = sealer
    self.opener = opener
  }

  /// Takes the stream apart, to hand each direction to its owner.
  public consuming func split(
    _ body: (consuming FrameSealer, consuming FrameOpener) throws -> Void
  ) rethrows {
    try body(sealer, opener)
  }
}
