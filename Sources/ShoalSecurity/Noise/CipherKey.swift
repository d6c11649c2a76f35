// One AEAD key, its schedule computed once, that seals and opens in place.
import CSodium

/// A 32-byte key of a suite. Nonces are the caller's part: none may seal twice.
@safe package final class CipherKey: @unchecked Sendable {
  static let tagBytes = 16

  let suite: CipherSuite
  private let key: SecretBytes
  /// AES's round keys and GCM's tables, 16-byte aligned as libsodium asks. Written in `init` only.
  private let schedule: UnsafeMutableRawPointer?

  package init(_ key: SecretBytes, suite: CipherSuite) {
    precondition(key.count == 32, "key of \(key.count) bytes")
    self.key = key
    self.suite = suite
    switch suite {
    case .chaChaPoly:
      unsafe schedule = nil
    case .aesGCM:
      precondition(CipherSuites.ofThisMachine.contains(.aesGCM), "AES-256-GCM is not in hardware")
      let memory = UnsafeMutableRawPointer.allocate(
        byteCount: crypto_aead_aes256gcm_statebytes(), alignment: 64)
      _ = unsafe key.lend { unsafe crypto_aead_aes256gcm_beforenm(CipherKey.typed(memory), $0) }
      unsafe schedule = memory
    }
  }

  deinit {
    if let memory = unsafe schedule {
      unsafe sodium_memzero(memory, crypto_aead_aes256gcm_statebytes())
      unsafe memory.deallocate()
    }
  }

  /// Seals the first `count` bytes of `buffer` in place; `count + tagBytes` bytes are written.
  func seal(
    _ buffer: UnsafeMutableRawPointer, count: Int, nonce: UInt64, data: UnsafeRawBufferPointer
  ) {
    let text = unsafe buffer.assumingMemoryBound(to: UInt8.self)
    let known = unsafe data.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var nonceBytes = CipherKey.nonce(nonce, suite)
    unsafe withUnsafeBytes(of: &nonceBytes) { bytes in
      guard let nonce = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
        preconditionFailure("nonce without bytes")
      }
      switch suite {
      case .chaChaPoly:
        _ = unsafe key.lend {
          unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            text, nil, text, UInt64(count), known, UInt64(data.count), nil, nonce, $0)
        }
      case .aesGCM:
        guard let schedule = unsafe schedule else { preconditionFailure("AES without schedule") }
        unsafe crypto_aead_aes256gcm_encrypt_afternm(
          text, nil, text, UInt64(count), known, UInt64(data.count), nil, nonce,
          CipherKey.typed(schedule))
      }
    }
  }

  /// Opens `sealedCount` bytes in place, tag included. False, and the buffer's content lost, where
  /// they are not authentic.
  func open(
    _ buffer: UnsafeMutableRawPointer, sealedCount: Int, nonce: UInt64,
    data: UnsafeRawBufferPointer
  ) -> Bool {
    guard sealedCount >= CipherKey.tagBytes else { return false }
    let text = unsafe buffer.assumingMemoryBound(to: UInt8.self)
    let known = unsafe data.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var nonceBytes = CipherKey.nonce(nonce, suite)
    return unsafe withUnsafeBytes(of: &nonceBytes) { bytes in
      guard let nonce = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
        preconditionFailure("nonce without bytes")
      }
      switch suite {
      case .chaChaPoly:
        return unsafe key.lend {
          unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
            text, nil, nil, text, UInt64(sealedCount), known, UInt64(data.count), nonce, $0) == 0
        }
      case .aesGCM:
        guard let schedule = unsafe schedule else { preconditionFailure("AES without schedule") }
        return unsafe crypto_aead_aes256gcm_decrypt_afternm(
          text, nil, nil, text, UInt64(sealedCount), known, UInt64(data.count), nonce,
          CipherKey.typed(schedule)) == 0
      }
    }
  }

  /// Noise's REKEY (section 4.2): the first 32 bytes of zeros sealed under the last nonce.
  package func rekeyed() -> CipherKey {
    var zeros = [UInt8](repeating: 0, count: 32 + CipherKey.tagBytes)
    unsafe zeros.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe seal(start, count: 32, nonce: .max, data: UnsafeRawBufferPointer(start: nil, count: 0))
    }
    let next = SecretBytes(zeros.prefix(32))
    unsafe sodium_memzero(&zeros, zeros.count)
    return CipherKey(next, suite: suite)
  }

  /// Four zero bytes, then the counter: little-endian for ChaChaPoly, big-endian for AESGCM
  /// (sections 12.3 and 12.4).
  private static func nonce(_ counter: UInt64, _ suite: CipherSuite) -> (UInt32, UInt32, UInt32) {
    let (low, high) = (UInt32(truncatingIfNeeded: counter), UInt32(counter >> 32))
    switch suite {
    case .chaChaPoly: return (0, low.littleEndian, high.littleEndian)
    case .aesGCM: return (0, high.bigEndian, low.bigEndian)
    }
  }

  private static func typed(
    _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<crypto_aead_aes256gcm_state> {
    unsafe memory.assumingMemoryBound(to: crypto_aead_aes256gcm_state.self)
  }
}

extension CipherKey {
  /// Seals a small message: plaintext in, plaintext and tag out.
  package func seal(_ plaintext: [UInt8], nonce: UInt64, data: [UInt8]) -> [UInt8] {
    var buffer = plaintext + [UInt8](repeating: 0, count: CipherKey.tagBytes)
    unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe data.withUnsafeBytes {
        unsafe seal(start, count: plaintext.count, nonce: nonce, data: $0)
      }
    }
    return buffer
  }

  /// Opens a small message. Nil where it is not authentic.
  package func open(_ sealed: [UInt8], nonce: UInt64, data: [UInt8]) -> [UInt8]? {
    var buffer = sealed
    let authentic = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return false }
      return unsafe data.withUnsafeBytes {
        unsafe open(start, sealedCount: bytes.count, nonce: nonce, data: $0)
      }
    }
    guard authentic else { return nil }
    buffer.removeLast(CipherKey.tagBytes)
    return buffer
  }
}
