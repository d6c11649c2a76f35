// Who a peer is: an Ed25519 key pair, and the X25519 key pair that it signs for handshakes.
import CSodium
public import ShoalProtocol

/// A peer's secret keys, both made from one 32-byte seed. The Ed25519 key is the seed of RFC 8032;
/// the X25519 key is derived from it by BLAKE2b, so that neither key serves two algorithms.
public final class PeerIdentity: Sendable {
  public let id: PeerID
  /// The public X25519 key with the signature that ties it to `id`.
  public let staticKey: SignedStaticKey
  let staticSecret: StaticSecret
  /// libsodium's form: seed and public key.
  private let signingSecret: SecretBytes

  /// Nil unless `seed` has 32 bytes.
  public init?(seed: SecretBytes) {
    guard seed.count == 32 else { return nil }
    var publicKey = [UInt8](repeating: 0, count: 32)
    let signingSecret = unsafe SecretBytes(count: 64) { secret in
      _ = unsafe seed.lend { unsafe crypto_sign_ed25519_seed_keypair(&publicKey, secret, $0) }
    }
    guard let raw = Bytes32(publicKey) else { return nil }
    let staticSecret = StaticSecret(BLAKE2b.derive("x25519 static key", from: seed))
    self.signingSecret = signingSecret
    self.staticSecret = staticSecret
    id = PeerID(raw)
    staticKey = SignedStaticKey(
      owner: id, key: staticSecret.publicKey,
      signature: PeerIdentity.sign(
        staticSecret.publicKey.raw.bytes, purpose: .staticKey, with: signingSecret))
  }

  public convenience init(using generator: inout some RandomNumberGenerator) {
    let seed = SecretBytes(count: 32, using: &generator)
    self.init(seed: seed)!  // 32 bytes, as asked for above
  }

  public func sign(_ bytes: [UInt8], purpose: SigningPurpose) -> Signature {
    PeerIdentity.sign(bytes, purpose: purpose, with: signingSecret)
  }

  private static func sign(
    _ bytes: [UInt8], purpose: SigningPurpose, with secret: SecretBytes
  ) -> Signature {
    let message = purpose.message(bytes)
    var signature = [UInt8](repeating: 0, count: Signature.count)
    _ = unsafe secret.lend {
      unsafe crypto_sign_ed25519_detached(&signature, nil, message, UInt64(message.count), $0)
    }
    return Signature(signature)!  // 64 bytes, as allocated above
  }
}

/// An X25519 public key (RFC 7748).
public struct StaticKey: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A static key with its owner's signature: what records and handshakes carry.
public struct SignedStaticKey: Hashable, Sendable {
  public static let count = 32 + 32 + Signature.count

  public let owner: PeerID
  public let key: StaticKey
  public let signature: Signature

  public init(owner: PeerID, key: StaticKey, signature: Signature) {
    (self.owner, self.key, self.signature) = (owner, key, signature)
  }

  /// Reads 128 bytes. Whether the signature holds is `isValid`'s to say.
  public init(from reader: inout ByteReader) throws(WireError) {
    owner = try reader.id()
    key = try reader.id()
    signature = try Signature(from: &reader)
  }

  public func write(to writer: inout ByteWriter) {
    writer.id(owner)
    writer.id(key)
    signature.write(to: &writer)
  }

  public var isValid: Bool {
    signature.isValid(for: key.raw.bytes, purpose: .staticKey, by: owner)
  }
}

/// An X25519 key pair, static or ephemeral.
package struct StaticSecret: Sendable {
  let secret: SecretBytes
  package let publicKey: StaticKey

  package init(_ secret: SecretBytes) {
    var output = [UInt8](repeating: 0, count: 32)
    _ = unsafe secret.lend { unsafe crypto_scalarmult_curve25519_base(&output, $0) }
    self.secret = secret
    publicKey = StaticKey(Bytes32(output) ?? .zero)
  }

  /// X25519 with `other`. Nil where the result is all zeros: `other` is of small order (RFC 7748,
  /// section 6.1).
  func agree(with other: StaticKey) -> SecretBytes? {
    var code: Int32 = 0
    let shared = unsafe SecretBytes(count: 32) { output in
      unsafe code = secret.lend {
        unsafe crypto_scalarmult_curve25519(output, $0, other.raw.bytes)
      }
    }
    return code == 0 ? shared : nil
  }
}
