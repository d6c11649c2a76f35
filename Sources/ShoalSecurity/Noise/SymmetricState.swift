// Noise's SymmetricState over SHA-512 (revision 34, section 5.2): the running hash and chaining
// key.
import CSodium

/// Why a handshake message was refused.
public enum NoiseError: Error, Hashable, Sendable {
  /// A message shorter than its pattern's keys and tags.
  case truncated(need: Int, have: Int)
  /// A tag that does not verify: another key, another prologue, or tampering.
  case notAuthentic
  /// A public key of small order.
  case weakKey
}

struct SymmetricState: Sendable {
  private(set) var hash: [UInt8]
  private var chainingKey: SecretBytes
  private var key: CipherKey?
  private var nonce: UInt64 = 0
  private let suite: CipherSuite

  /// A protocol name of at most 64 bytes is its own first hash, padded with zeros.
  init(protocolName: String, suite: CipherSuite) {
    let name = Array(protocolName.utf8)
    precondition(name.count <= 64, "protocol name of \(name.count) bytes")
    hash = name + [UInt8](repeating: 0, count: 64 - name.count)
    chainingKey = SecretBytes(hash)
    self.suite = suite
  }

  mutating func mixHash(_ bytes: [UInt8]) { hash = SHA512.hash(hash + bytes) }

  mutating func mixKey(_ material: SecretBytes) {
    let outputs = SHA512.hkdf(chainingKey, material, count: 2)
    chainingKey = outputs[0]
    setKey(outputs[1])
  }

  /// For pre-shared keys (section 9.1).
  mutating func mixKeyAndHash(_ material: SecretBytes) {
    let outputs = SHA512.hkdf(chainingKey, material, count: 3)
    chainingKey = outputs[0]
    mixHash(outputs[1].exposed)
    setKey(outputs[2])
  }

  mutating func encryptAndHash(_ plaintext: [UInt8]) -> [UInt8] {
    guard let key else {
      mixHash(plaintext)
      return plaintext
    }
    let sealed = key.seal(plaintext, nonce: nonce, data: hash)
    nonce += 1
    mixHash(sealed)
    return sealed
  }

  mutating func decryptAndHash(_ sealed: [UInt8]) throws(NoiseError) -> [UInt8] {
    guard let key else {
      mixHash(sealed)
      return sealed
    }
    guard let plaintext = key.open(sealed, nonce: nonce, data: hash) else { throw .notAuthentic }
    nonce += 1
    mixHash(sealed)
    return plaintext
  }

  /// What `encryptAndHash` adds now.
  var overhead: Int { key == nil ? 0 : CipherKey.tagBytes }

  /// The keys of the initiator's and the responder's direction.
  func split() -> (initiator: CipherKey, responder: CipherKey) {
    let outputs = SHA512.hkdf(chainingKey, SecretBytes([]), count: 2)
    return (
      CipherKey(SymmetricState.truncated(outputs[0]), suite: suite),
      CipherKey(SymmetricState.truncated(outputs[1]), suite: suite)
    )
  }

  private mutating func setKey(_ output: SecretBytes) {
    key = CipherKey(SymmetricState.truncated(output), suite: suite)
    nonce = 0
  }

  /// SHA-512 gives 64 bytes where a cipher takes 32 (section 5.2).
  private static func truncated(_ output: SecretBytes) -> SecretBytes {
    unsafe SecretBytes(count: 32) { target in
      unsafe output.lend { unsafe target.update(from: $0, count: 32) }
    }
  }
}

/// SHA-512 and Noise's HKDF over it (section 4.3).
enum SHA512 {
  static func hash(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 64)
    unsafe crypto_hash_sha512(&digest, message, UInt64(message.count))
    return digest
  }

  /// `count` outputs (2 or 3) of 64 bytes each.
  static func hkdf(_ chainingKey: SecretBytes, _ material: SecretBytes, count: Int) -> [SecretBytes]
  {
    let extracted = hmac(key: chainingKey, material, suffix: [])
    var outputs: [SecretBytes] = []
    for index in 1...count {
      let previous = outputs.last ?? SecretBytes([])
      outputs.append(hmac(key: extracted, previous, suffix: [UInt8(index)]))
    }
    return outputs
  }

  private static func hmac(
    key: SecretBytes, _ message: SecretBytes, suffix: [UInt8]
  ) -> SecretBytes {
    var state = crypto_auth_hmacsha512_state()
    let output = unsafe SecretBytes(count: 64) { target in
      unsafe key.lend { _ = unsafe crypto_auth_hmacsha512_init(&state, $0, key.count) }
      unsafe message.lend {
        _ = unsafe crypto_auth_hmacsha512_update(&state, $0, UInt64(message.count))
      }
      unsafe crypto_auth_hmacsha512_update(&state, suffix, UInt64(suffix.count))
      unsafe crypto_auth_hmacsha512_final(&state, target)
    }
    unsafe sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha512_state>.size)
    return output
  }
}
