// Memory for secrets: one owner's worth of bytes that are wiped when the last reference goes.
import CSodium

/// Secret bytes, fixed once made, wiped on release. Copies of a value that holds one share it, so
/// that a key lies in memory once.
@safe public final class SecretBytes: @unchecked Sendable {
  // Sound as Sendable: written in `init` only.
  private let memory: UnsafeMutableRawBufferPointer

  public var count: Int { unsafe memory.count }

  /// `fill` writes all `count` bytes.
  init(count: Int, fill: (UnsafeMutablePointer<UInt8>) -> Void) {
    Sodium.start()
    let pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
    unsafe pointer.initialize(repeating: 0, count: max(count, 1))
    unsafe memory = UnsafeMutableRawBufferPointer(start: pointer, count: count)
    unsafe fill(pointer)
  }

  /// Takes a copy; wiping the source is the caller's part.
  public convenience init(_ bytes: some Collection<UInt8>) {
    unsafe self.init(count: bytes.count) { memory in
      for (index, byte) in bytes.enumerated() { unsafe memory[index] = byte }
    }
  }

  /// `count` bytes drawn from `generator`, eight at a time, little-endian.
  public convenience init(count: Int, using generator: inout some RandomNumberGenerator) {
    var words: [UInt64] = []
    for _ in 0..<(count + 7) / 8 { words.append(generator.next()) }
    unsafe self.init(count: count) { memory in
      for index in 0..<count {
        unsafe memory[index] = UInt8(truncatingIfNeeded: words[index / 8] >> (index % 8 * 8))
      }
    }
    unsafe sodium_memzero(&words, words.count * 8)
  }

  deinit {
    if let start = unsafe memory.baseAddress {
      unsafe sodium_memzero(start, memory.count)
      unsafe start.deallocate()
    }
  }

  /// Lends the bytes to a C function.
  package func lend<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    guard let start = unsafe memory.baseAddress else { preconditionFailure("memory without start") }
    return unsafe body(UnsafePointer(start.assumingMemoryBound(to: UInt8.self)))
  }

  /// An unprotected copy, for an invite or a key file.
  public var exposed: [UInt8] { unsafe Array(memory) }

  /// Compares in constant time.
  public func isEqual(to other: SecretBytes) -> Bool {
    guard count == other.count else { return false }
    return unsafe lend { mine in
      unsafe other.lend { theirs in unsafe sodium_memcmp(mine, theirs, count) == 0 }
    }
  }
}

/// libsodium's one-time set-up: it detects what the processor can do.
enum Sodium {
  private static let code = sodium_init()

  static func start() {
    precondition(code >= 0, "sodium_init failed with \(code)")
  }
}

extension RandomNumberGenerator {
  /// `count` random bytes for things that are no secret: indexes, nonces.
  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let word = next()
      for shift in stride(from: 0, to: 64, by: 8) where bytes.count < count {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }
}
