// BLAKE2b-256 (RFC 7693): the hash behind every content id, and the derivation of keys.
import CSodium
public import ShoalProtocol

/// One-shot BLAKE2b with 256 bits of output. Three times as fast here as SHA-256.
public enum BLAKE2b {
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Bytes32 {
    Sodium.start()
    let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    // On the stack: votes hash each block of the logits of each token.
    var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    return unsafe withUnsafeMutableBytes(of: &digest) { digest in
      let output = unsafe digest.assumingMemoryBound(to: UInt8.self).baseAddress.unsafelyUnwrapped
      unsafe crypto_generichash_blake2b(output, 32, start, UInt64(bytes.count), nil, 0)
      return unsafe Bytes32(UnsafeRawBufferPointer(digest)) ?? .zero
    }
  }

  public static func hash(_ bytes: [UInt8]) -> Bytes32 {
    unsafe bytes.withUnsafeBytes { unsafe hash($0) }
  }

  /// The function that ShoalProtocol's cores are given.
  public static let contentHash: ContentHash = { bytes in unsafe hash(bytes) }

  /// A keyed hash of `count` bytes (16 to 64) with `key` (at most 64 bytes): a MAC (RFC 7693,
  /// section 2.9).
  static func mac(_ message: [UInt8], key: SecretBytes, count: Int) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: count)
    _ = unsafe key.lend { secret in
      unsafe crypto_generichash_blake2b(
        &digest, count, message, UInt64(message.count), secret, key.count)
    }
    return digest
  }

  /// A key for one purpose, from a key for many: BLAKE2b-256 keyed with `key` over
  /// "shoal/1 " and `purpose`.
  static func derive(_ purpose: String, from key: SecretBytes) -> SecretBytes {
    let message = Array("shoal/1 \(purpose)".utf8)
    return unsafe SecretBytes(count: 32) { output in
      _ = unsafe key.lend { secret in
        unsafe crypto_generichash_blake2b(
          output, 32, message, UInt64(message.count), secret, key.count)
      }
    }
  }
}

/// BLAKE2b-256 over bytes that arrive in pieces.
@safe public struct BLAKE2bStream: ~Copyable {
  private let state: UnsafeMutableRawPointer

  public init() {
    Sodium.start()
    // Over-aligned in C, so Swift knows the type as an opaque pointer only.
    unsafe state = UnsafeMutableRawPointer.allocate(
      byteCount: crypto_generichash_blake2b_statebytes(), alignment: 64)
    unsafe crypto_generichash_blake2b_init(OpaquePointer(state), nil, 0, 32)
  }

  deinit { unsafe state.deallocate() }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe crypto_generichash_blake2b_update(
      OpaquePointer(state), start, UInt64(bytes.count))
  }

  public mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }

  public consuming func finish() -> Bytes32 {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe crypto_generichash_blake2b_final(OpaquePointer(state), &digest, 32)
    return Bytes32(digest) ?? .zero
  }
}
