// A secret key at rest under a password: libsodium's secretbox, with a key that Argon2id makes of
// the password (RFC 9106).
import CSodium

public enum SealedKeyError: Error, Hashable, Sendable {
  /// No sealed key, or a damaged one.
  case format
  /// The password is another one, or the bytes were changed.
  case password
  /// Work beyond what this program does for a file that says so.
  case cost(memory: UInt64, limit: UInt64)
  /// The machine has not the memory that the password's hash takes.
  case memory(UInt64)
}

extension SealedKeyError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .format: "the sealed key is damaged"
    case .password: "the password is wrong, or the sealed key was changed"
    case .cost(let memory, let limit):
      "the sealed key asks for \(memory) bytes of memory; at most \(limit) are taken"
    case .memory(let bytes): "\(bytes) bytes of memory are needed to open the sealed key"
    }
  }
}

public struct SealedKey: Hashable, Sendable {
  /// What a guess of the password costs.
  public struct Cost: Hashable, Sendable {
    public let passes: UInt32
    public let memory: UInt64

    public init(passes: UInt32, memory: UInt64) { (self.passes, self.memory) = (passes, memory) }

    /// RFC 9106's second recommendation: 64 MiB, three passes; a tenth of a second here.
    public static let usual = Cost(passes: 3, memory: 64 << 20)
    static let limit = Cost(passes: 64, memory: 1 << 30)
  }

  private static let magic = Array("shoalkey".utf8)
  private static let saltBytes = 16
  private static let nonceBytes = 24
  private static let tagBytes = 16
  private static let headBytes = 8 + 4 + 8 + saltBytes + nonceBytes
  /// The longest secret that is sealed.
  private static let secretLimit = 64

  /// As it lies on disk.
  public let bytes: [UInt8]

  /// Nil: these bytes are no sealed key.
  public init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: Self.magic) else { return nil }
    self.bytes = bytes
  }

  /// Seals a secret. Salt and nonce are drawn from `generator`.
  public init(
    _ secret: SecretBytes, password: SecretBytes, cost: Cost = .usual,
    using generator: inout some RandomNumberGenerator
  ) throws(SealedKeyError) {
    precondition(secret.count <= Self.secretLimit, "a secret of \(secret.count) bytes")
    let salt = generator.bytes(Self.saltBytes)
    let nonce = generator.bytes(Self.nonceBytes)
    let key = try Self.key(password, salt: salt, cost)
    var box = [UInt8](repeating: 0, count: secret.count + Self.tagBytes)
    _ = unsafe key.lend { key in
      unsafe secret.lend { secretBytes in
        unsafe crypto_secretbox_easy(&box, secretBytes, UInt64(secret.count), nonce, key)
      }
    }
    var bytes = Self.magic
    unsafe withUnsafeBytes(of: cost.passes.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    unsafe withUnsafeBytes(of: cost.memory.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    self.bytes = bytes + salt + nonce + box
  }

  public func open(password: SecretBytes) throws(SealedKeyError) -> SecretBytes {
    let boxBytes = bytes.count - Self.headBytes
    guard boxBytes >= Self.tagBytes, boxBytes <= Self.secretLimit + Self.tagBytes else {
      throw .format
    }
    func number(_ range: Range<Int>) -> UInt64 {
      bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    let cost = Cost(passes: UInt32(truncatingIfNeeded: number(8..<12)), memory: number(12..<20))
    guard cost.memory <= Cost.limit.memory, cost.passes <= Cost.limit.passes else {
      throw .cost(memory: cost.memory, limit: Cost.limit.memory)
    }
    let salt = Array(bytes[20..<20 + Self.saltBytes])
    let nonce = Array(bytes[20 + Self.saltBytes..<Self.headBytes])
    let box = Array(bytes[Self.headBytes...])
    let key = try Self.key(password, salt: salt, cost)
    var code: Int32 = -1
    let secret = unsafe SecretBytes(count: boxBytes - Self.tagBytes) { output in
      unsafe code = key.lend { key in
        unsafe crypto_secretbox_open_easy(output, box, UInt64(box.count), nonce, key)
      }
    }
    guard code == 0 else { throw .password }
    return secret
  }

  private static func key(
    _ password: SecretBytes, salt: [UInt8], _ cost: Cost
  ) throws(SealedKeyError) -> SecretBytes {
    var code: Int32 = -1
    let key = unsafe SecretBytes(count: 32) { output in
      unsafe code = password.lend { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self, capacity: password.count) { text in
          unsafe crypto_pwhash(
            output, 32, text, UInt64(password.count), salt, UInt64(cost.passes),
            Int(clamping: cost.memory), crypto_pwhash_alg_argon2id13())
        }
      }
    }
    guard code == 0 else { throw .memory(cost.memory) }
    return key
  }
}
