// SHA-256 (FIPS 180-4): what others name their files by. Our own names are BLAKE2b.

internal import CSodium
public import ShoalProtocol

/// SHA-256 over bytes that arrive in pieces.
public struct SHA256Stream: Sendable {
  private var state: crypto_hash_sha256_state

  public init() {
    Sodium.start()
    state = crypto_hash_sha256_state()
    unsafe crypto_hash_sha256_init(&state)
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe crypto_hash_sha256_update(&state, start, UInt64(bytes.count))
  }

  public mutating func finish() -> Bytes32 {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe crypto_hash_sha256_final(&state, &digest)
    return Bytes32(digest) ?? .zero
  }
}
