// The bytes of a handshake: packets of one size, marked with the network key.
public import ShoalProtocol

/// Why a handshake packet was refused.
public enum HandshakeError: Error, Hashable, Sendable {
  case wrongSize(bytes: Int)
  case unknownKind(UInt8)
  case unsupportedVersion(UInt8)
  /// The sender does not know the network key, or the packet was damaged. Met with silence.
  case unmarked
  case unknownSuite(UInt8)
  /// Not the best suite that both peers have: somebody took one out of the offer.
  case suiteRefused(chosen: CipherSuite, best: CipherSuite)
  /// A packet of another message than the one awaited.
  case outOfTurn(UInt8)
  case noise(NoiseError)
  /// The static key is not signed by the identity that claims it.
  case staticKeyNotOwned(PeerID)
  case unexpectedPeer(expected: PeerID, actual: PeerID)
  /// The other side is this very peer.
  case ownIdentity
  /// Not later than an initiation that this peer sent before.
  case replayed(PeerID)
  /// Padding or an unused field that is not zero.
  case notZero
}

/// A handshake packet, 256 bytes whatever it carries, so that no answer is larger than its cause.
///
///       0  u8       kind
///       1  u8       version, 1
///       2  u8       suites that the initiator offers
///       3  u8       suite of this handshake
///       4  u32      index that the sender gave to this handshake
///       8  u32      index that the receiver gave to it; 0 in the first packet
///      12  212 B    Noise message
///     224   16 B    mark: BLAKE2b-128 under the network's mark key over bytes 0..<224
///     240   16 B    proof of address: BLAKE2b-128 under a cookie over bytes 0..<240; else zeros
package struct HandshakePacket: Sendable {
  package enum Kind: UInt8, Sendable {
    case ikFirst = 1
    case ikSecond = 2
    case xxFirst = 3
    case xxSecond = 4
    case xxThird = 5

    init(_ pattern: NoisePattern, message: Int) {
      switch (pattern, message) {
      case (.ikPSK2, 0): self = .ikFirst
      case (.ikPSK2, 1): self = .ikSecond
      case (.xxPSK3, 0): self = .xxFirst
      case (.xxPSK3, 1): self = .xxSecond
      case (.xxPSK3, 2): self = .xxThird
      case (.ikPSK2, _), (.xxPSK3, _): preconditionFailure("\(pattern) has no message \(message)")
      }
    }

    /// Bytes of padded payload in the Noise message: what its keys and tags leave of 212.
    var payloadBytes: Int {
      switch self {
      case .ikFirst, .xxSecond: HandshakePacket.noiseBytes - 32 - 48 - 16
      case .ikSecond, .xxFirst: HandshakePacket.noiseBytes - 32 - 16
      case .xxThird: HandshakePacket.noiseBytes - 48 - 16
      }
    }

    package var isFirst: Bool {
      switch self {
      case .ikFirst, .xxFirst: true
      case .ikSecond, .xxSecond, .xxThird: false
      }
    }
  }

  package static let count = 256
  package static let version: UInt8 = 1
  static let noiseBytes = 212
  static let markedBytes = 224
  static let provenBytes = 240

  package let kind: Kind
  package let offered: CipherSuites
  package let suite: CipherSuite
  package let sender: UInt32
  package let receiver: UInt32
  let noise: [UInt8]
  /// Names this packet: what a cookie reply and a repeated packet are matched by.
  package let mark: [UInt8]
  package let proof: [UInt8]

  /// Makes a packet and marks it; `cookie` is what the receiver gave to prove this address.
  init(
    kind: Kind, offered: CipherSuites, suite: CipherSuite, sender: UInt32, receiver: UInt32,
    noise: [UInt8], markKey: SecretBytes, cookie: [UInt8]? = nil
  ) {
    precondition(noise.count == HandshakePacket.noiseBytes, "\(noise.count) bytes of Noise")
    (self.kind, self.offered, self.suite) = (kind, offered, suite)
    (self.sender, self.receiver, self.noise) = (sender, receiver, noise)
    let body = HandshakePacket.body(kind, offered, suite, sender, receiver, noise)
    let mark = BLAKE2b.mac(body, key: markKey, count: 16)
    self.mark = mark
    proof =
      cookie.map { BLAKE2b.mac(body + mark, key: SecretBytes($0), count: 16) }
      ?? [UInt8](repeating: 0, count: 16)
  }

  /// Reads a packet; the mark is checked before any field.
  package init(_ bytes: [UInt8], markKey: SecretBytes) throws(HandshakeError) {
    guard bytes.count == HandshakePacket.count else { throw .wrongSize(bytes: bytes.count) }
    let claimed = Array(bytes[HandshakePacket.markedBytes..<HandshakePacket.provenBytes])
    mark = BLAKE2b.mac(
      Array(bytes.prefix(HandshakePacket.markedBytes)), key: markKey, count: 16)
    guard SecretBytes(mark).isEqual(to: SecretBytes(claimed)) else { throw .unmarked }
    proof = Array(bytes[HandshakePacket.provenBytes...])
    guard bytes[1] == HandshakePacket.version else { throw .unsupportedVersion(bytes[1]) }
    guard let kind = Kind(rawValue: bytes[0]) else { throw .unknownKind(bytes[0]) }
    guard let suite = CipherSuite(rawValue: bytes[3]) else { throw .unknownSuite(bytes[3]) }
    (self.kind, self.suite, offered) = (kind, suite, CipherSuites(bits: bytes[2]))
    (sender, receiver) = (littleEndian(bytes[4..<8]), littleEndian(bytes[8..<12]))
    noise = Array(bytes[12..<HandshakePacket.markedBytes])
  }

  package var bytes: [UInt8] {
    HandshakePacket.body(kind, offered, suite, sender, receiver, noise) + mark + proof
  }

  /// Whether the proof was made with `cookie`.
  func isProven(by cookie: [UInt8]) -> Bool {
    let body = HandshakePacket.body(kind, offered, suite, sender, receiver, noise)
    let expected = BLAKE2b.mac(body + mark, key: SecretBytes(cookie), count: 16)
    return SecretBytes(expected).isEqual(to: SecretBytes(proof))
  }

  private static func body(
    _ kind: Kind, _ offered: CipherSuites, _ suite: CipherSuite, _ sender: UInt32,
    _ receiver: UInt32, _ noise: [UInt8]
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: markedBytes)
    writer.integer(kind.rawValue)
    writer.integer(version)
    writer.integer(offered.bits)
    writer.integer(suite.rawValue)
    writer.integer(sender)
    writer.integer(receiver)
    writer.raw(noise)
    return writer.bytes
  }
}

extension HandshakePacket {
  /// `bytes` marked anew: what a member of the network could do to another's packet.
  package static func remarked(_ bytes: [UInt8], with key: NetworkKey) -> [UInt8] {
    let body = Array(bytes.prefix(markedBytes))
    return body + BLAKE2b.mac(body, key: key.mark, count: 16) + bytes[provenBytes...]
  }
}
