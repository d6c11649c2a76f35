// The two cipher suites, which of them a machine has, and how a pair of peers agrees on one.
import CSodium

/// An AEAD with 32-byte keys, 16-byte tags and 64-bit nonces (Noise, revision 34, section 12).
public enum CipherSuite: UInt8, Hashable, Sendable, CaseIterable {
  case chaChaPoly = 1
  /// Two to three times faster where the processor has AES instructions; libsodium has it there
  /// only.
  case aesGCM = 2

  /// As in a Noise protocol name.
  public var name: String {
    switch self {
    case .chaChaPoly: "ChaChaPoly"
    case .aesGCM: "AESGCM"
    }
  }
}

/// The suites that a peer has, as one byte: bit 0 is ChaChaPoly, bit 1 is AESGCM.
public struct CipherSuites: Hashable, Sendable {
  /// Unknown bits are kept: a newer peer may offer more.
  public let bits: UInt8
  public init(bits: UInt8) { self.bits = bits }
  public init(_ suites: [CipherSuite]) {
    bits = suites.reduce(0) { $0 | 1 << ($1.rawValue - 1) }
  }

  public static let chaChaPolyOnly = CipherSuites([.chaChaPoly])

  /// What this machine has.
  public static let ofThisMachine: CipherSuites = {
    Sodium.start()
    return crypto_aead_aes256gcm_is_available() == 1
      ? CipherSuites([.chaChaPoly, .aesGCM]) : .chaChaPolyOnly
  }()

  public func contains(_ suite: CipherSuite) -> Bool { bits >> (suite.rawValue - 1) & 1 == 1 }

  /// The suite that two peers use: AESGCM where both have it.
  public func best(with other: CipherSuites) -> CipherSuite {
    contains(.aesGCM) && other.contains(.aesGCM) ? .aesGCM : .chaChaPoly
  }
}
