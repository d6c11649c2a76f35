// Noise's HandshakeState (revision 34, section 5.3) for the two patterns that Shoal speaks.
import ShoalProtocol

/// A handshake pattern with a pre-shared key: the network's.
package enum NoisePattern: Hashable, Sendable {
  /// The initiator knows the responder's static key.
  case ikPSK2
  /// First contact: neither knows the other's.
  case xxPSK3

  package enum Token { case e, s, ee, es, se, ss, psk }

  var name: String {
    switch self {
    case .ikPSK2: "IKpsk2"
    case .xxPSK3: "XXpsk3"
    }
  }

  /// Sections 7.5 and 9.4. Even messages are the initiator's.
  package var messages: [[Token]] {
    switch self {
    case .ikPSK2: [[.e, .es, .s, .ss], [.e, .ee, .se, .psk]]
    case .xxPSK3: [[.e], [.e, .ee, .s, .es], [.s, .se, .psk]]
    }
  }
}

package enum HandshakeRole: Hashable, Sendable { case initiator, responder }

/// One side of a handshake. A value: a read that throws leaves it as it was, so that a forged
/// message cannot spoil a handshake under way.
package struct NoiseHandshake: Sendable {
  let pattern: NoisePattern
  let role: HandshakeRole
  private var symmetric: SymmetricState
  private let psk: SecretBytes
  private let localStatic: StaticSecret
  private var localEphemeral: StaticSecret?
  package private(set) var remoteStatic: StaticKey?
  private var remoteEphemeral: StaticKey?
  private var nextMessage = 0

  /// `remoteStatic` is the responder's, for the initiator of IK; nil otherwise.
  package init(
    _ pattern: NoisePattern, _ role: HandshakeRole, suite: CipherSuite, prologue: [UInt8],
    psk: SecretBytes, localStatic: StaticSecret, remoteStatic: StaticKey? = nil
  ) {
    precondition(psk.count == 32, "pre-shared key of \(psk.count) bytes")
    precondition(
      (remoteStatic != nil) == (pattern == .ikPSK2 && role == .initiator),
      "the initiator of IK knows the responder's key; nobody else does")
    (self.pattern, self.role, self.psk) = (pattern, role, psk)
    (self.localStatic, self.remoteStatic) = (localStatic, remoteStatic)
    symmetric = SymmetricState(
      protocolName: "Noise_\(pattern.name)_25519_\(suite.name)_SHA512", suite: suite)
    symmetric.mixHash(prologue)
    if pattern == .ikPSK2 {
      symmetric.mixHash((remoteStatic ?? localStatic.publicKey).raw.bytes)
    }
  }

  package var isFinished: Bool { nextMessage == pattern.messages.count }
  /// Equal on both sides when finished, and unique to this handshake (section 11.2).
  package var hash: [UInt8] { symmetric.hash }

  /// Writes the next message, which must be this side's.
  package mutating func write(
    _ payload: [UInt8], using generator: inout some RandomNumberGenerator
  ) throws(NoiseError) -> [UInt8] {
    var next = self
    var message: [UInt8] = []
    for token in next.takeTokens(writer: role) {
      switch token {
      case .e:
        let ephemeral = StaticSecret(SecretBytes(count: 32, using: &generator))
        next.localEphemeral = ephemeral
        next.mixEphemeral(ephemeral.publicKey)
        message += ephemeral.publicKey.raw.bytes
      case .s:
        message += next.symmetric.encryptAndHash(localStatic.publicKey.raw.bytes)
      case .ee, .es, .se, .ss, .psk:
        try next.mix(token)
      }
    }
    message += next.symmetric.encryptAndHash(payload)
    self = next
    return message
  }

  /// Reads the next message, which must be the other side's, and returns its payload.
  package mutating func read(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
    var next = self
    var rest = message[...]
    for token in next.takeTokens(writer: role == .initiator ? .responder : .initiator) {
      switch token {
      case .e:
        let ephemeral = StaticKey(try NoiseHandshake.key(NoiseHandshake.take(32, from: &rest)))
        next.remoteEphemeral = ephemeral
        next.mixEphemeral(ephemeral)
      case .s:
        let sealed = try NoiseHandshake.take(32 + next.symmetric.overhead, from: &rest)
        next.remoteStatic = StaticKey(
          try NoiseHandshake.key(next.symmetric.decryptAndHash(sealed)))
      case .ee, .es, .se, .ss, .psk:
        try next.mix(token)
      }
    }
    let payload = try next.symmetric.decryptAndHash(Array(rest))
    self = next
    return payload
  }

  /// The keys to send and to receive with, once finished.
  package func split() -> (send: CipherKey, receive: CipherKey) {
    precondition(isFinished, "split after \(nextMessage) messages")
    let keys = symmetric.split()
    switch role {
    case .initiator: return (keys.initiator, keys.responder)
    case .responder: return (keys.responder, keys.initiator)
    }
  }

  private mutating func takeTokens(writer: HandshakeRole) -> [NoisePattern.Token] {
    precondition(!isFinished, "a message after the last")
    precondition((nextMessage % 2 == 0) == (writer == .initiator), "out of turn")
    defer { nextMessage += 1 }
    return pattern.messages[nextMessage]
  }

  /// With a pre-shared key the ephemeral key is mixed into the key too (section 9.2).
  private mutating func mixEphemeral(_ ephemeral: StaticKey) {
    symmetric.mixHash(ephemeral.raw.bytes)
    symmetric.mixKey(SecretBytes(ephemeral.raw.bytes))
  }

  /// A Diffie-Hellman token's first letter is the initiator's key, its second the responder's.
  private mutating func mix(_ token: NoisePattern.Token) throws(NoiseError) {
    let isInitiator = role == .initiator
    let pair: (StaticSecret?, StaticKey?)
    switch token {
    case .ee: pair = (localEphemeral, remoteEphemeral)
    case .es: pair = isInitiator ? (localEphemeral, remoteStatic) : (localStatic, remoteEphemeral)
    case .se: pair = isInitiator ? (localStatic, remoteEphemeral) : (localEphemeral, remoteStatic)
    case .ss: pair = (localStatic, remoteStatic)
    case .psk:
      symmetric.mixKeyAndHash(psk)
      return
    case .e, .s:
      preconditionFailure("\(token) is no key agreement")
    }
    guard let local = pair.0, let remote = pair.1 else {
      preconditionFailure("\(token) before its keys")
    }
    guard let shared = local.agree(with: remote) else { throw .weakKey }
    symmetric.mixKey(shared)
  }

  private static func take(
    _ count: Int, from rest: inout ArraySlice<UInt8>
  ) throws(NoiseError) -> [UInt8] {
    guard rest.count >= count else { throw .truncated(need: count, have: rest.count) }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  private static func key(_ bytes: [UInt8]) throws(NoiseError) -> Bytes32 {
    guard let key = Bytes32(bytes) else { throw .truncated(need: 32, have: bytes.count) }
    return key
  }
}
