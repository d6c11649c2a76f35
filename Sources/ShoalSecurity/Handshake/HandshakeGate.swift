// Under load, first packets are answered only from addresses that prove to be their sender's.
import ShoalProtocol

/// Counts first packets and hands out cookies: 16 bytes that only who receives at an address can
/// know (after WireGuard's, whitepaper section 5.4.7).
struct HandshakeGate: Sendable {
  private let key: SecretBytes
  private var secret: SecretBytes
  private var previousSecret: SecretBytes
  private var secretMade: Moment
  private var windowStart: Moment
  private var admitted = 0

  enum Decision: Hashable, Sendable {
    case admitted
    /// Send this instead of an answer; 64 bytes, to 256 that asked.
    case prove(reply: [UInt8])
  }

  init(_ networkKey: NetworkKey, at now: Moment, using generator: inout some RandomNumberGenerator)
  {
    key = networkKey.cookie
    secret = SecretBytes(count: 32, using: &generator)
    previousSecret = secret
    (secretMade, windowStart) = (now, now)
  }

  /// - Parameter underWay: handshakes that were begun and wait for their initiator.
  mutating func judge(
    _ first: HandshakePacket, from endpoint: Endpoint, underWay: Int, at now: Moment,
    using generator: inout some RandomNumberGenerator
  ) -> Decision {
    if now - windowStart >= .seconds(1) { (windowStart, admitted) = (now, 0) }
    guard admitted >= Limits.handshakesPerSecond || underWay >= Limits.unprovenHandshakes else {
      admitted += 1
      return .admitted
    }
    if now - secretMade >= DatagramTimes.cookie {
      previousSecret = secret
      secret = SecretBytes(count: 32, using: &generator)
      secretMade = now
    }
    let cookie = HandshakeGate.cookie(endpoint, secret)
    let isProven =
      first.isProven(by: cookie)
      || first.isProven(by: HandshakeGate.cookie(endpoint, previousSecret))
    guard !isProven || admitted >= Limits.provenHandshakesPerSecond else {
      admitted += 1
      return .admitted
    }
    let reply = CookieReply(receiver: first.sender, cookie: cookie)
    return .prove(reply: reply.sealed(to: first.mark, key: key, using: &generator))
  }

  private static func cookie(_ endpoint: Endpoint, _ secret: SecretBytes) -> [UInt8] {
    BLAKE2b.mac(
      endpoint.address + [UInt8(endpoint.port >> 8), UInt8(truncatingIfNeeded: endpoint.port)],
      key: secret, count: 16)
  }
}

/// Tells an initiator how to prove its address:
///
///       0  u8    type, 6
///       1  3 B   zeros
///       4  u32   index that the initiator gave to its handshake
///       8  24 B  nonce
///      32  32 B  XChaCha20-Poly1305 over the cookie; the mark of the first packet authenticated
struct CookieReply: Hashable, Sendable {
  static let type: UInt8 = 6
  static let count = 64
  let receiver: UInt32
  let cookie: [UInt8]

  /// The receiver of a cookie reply, to find the mark that opens it. Nil for other bytes.
  static func receiver(of bytes: [UInt8]) -> UInt32? {
    guard bytes.count == count, bytes.prefix(4) == [type, 0, 0, 0] else { return nil }
    return littleEndian(bytes[4..<8])
  }

  func sealed(
    to mark: [UInt8], key: SecretBytes, using generator: inout some RandomNumberGenerator
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: CookieReply.count)
    writer.raw([CookieReply.type, 0, 0, 0])
    writer.integer(receiver)
    let nonce = generator.bytes(24)
    writer.raw(nonce)
    writer.raw(XChaCha.seal(cookie, nonce: nonce, data: mark, key: key))
    return writer.bytes
  }

  /// The cookie. Nil where it does not answer the packet of that mark.
  static func open(_ bytes: [UInt8], mark: [UInt8], key: SecretBytes) -> [UInt8]? {
    guard receiver(of: bytes) != nil else { return nil }
    return XChaCha.open(Array(bytes[32...]), nonce: Array(bytes[8..<32]), data: mark, key: key)
  }
}
