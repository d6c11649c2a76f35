// Signatures over secp256k1 that name their signer, as Ethereum writes them.

internal import CSecp256k1
public import ShoalLedger
public import ShoalProtocol

/// r, s and the bit that tells which of the two possible keys signed.
public struct EthereumSignature: Hashable, Sendable {
  /// Bytes of r, s and v.
  public static let count = 65

  public let r: Bytes32
  public let s: Bytes32
  /// The parity of the point's y coordinate.
  public let isOdd: Bool

  public init(r: Bytes32, s: Bytes32, isOdd: Bool) { (self.r, self.s, self.isOdd) = (r, s, isOdd) }

  /// Nil unless there are 65 bytes and the last is 27 or 28.
  public init?(_ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count == EthereumSignature.count, bytes[64] == 27 || bytes[64] == 28,
      let r = Bytes32(bytes[..<32]), let s = Bytes32(bytes[32..<64])
    else { return nil }
    self.init(r: r, s: s, isOdd: bytes[64] == 28)
  }

  /// r, s, and v as 27 or 28.
  public var bytes: [UInt8] { r.bytes + s.bytes + [isOdd ? 28 : 27] }

  /// Half of the group's order: a larger s has a smaller twin that says the same, and is refused so
  /// that a signature has one form (EIP-2).
  public static let halfOrder = UInt256(
    high: 0x7fff_ffff_ffff_ffff_ffff_ffff_ffff_ffff, low: 0x5d57_6e73_57a4_501d_dfe9_2f46_681b_20a0)

  /// Who signed `digest`. Nil where no key can have: r or s is zero or no scalar, r is no point.
  /// - Parameter acceptsHighS: as the precompiled contract at address 1 does; nothing else should.
  public func signer(of digest: Bytes32, acceptsHighS: Bool = false) -> EthereumAddress? {
    guard acceptsHighS || UInt256(s) <= EthereumSignature.halfOrder else { return nil }
    var signature = secp256k1_ecdsa_recoverable_signature()
    var key = secp256k1_pubkey()
    let (context, parity) = (unsafe Secp256k1.context, Int32(isOdd ? 1 : 0))
    guard
      unsafe secp256k1_ecdsa_recoverable_signature_parse_compact(
        context, &signature, r.bytes + s.bytes, parity) == 1,
      unsafe secp256k1_ecdsa_recover(context, &key, &signature, digest.bytes) == 1
    else { return nil }
    return Secp256k1.address(of: key)
  }
}

/// libsecp256k1's context, and what is said of public keys.
enum Secp256k1 {
  /// Read only once made, so threads may share it (secp256k1.h, "context").
  nonisolated(unsafe) static let context: OpaquePointer = {
    let flags = UInt32(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY)
    guard let context = unsafe secp256k1_context_create(flags) else {
      preconditionFailure("secp256k1_context_create failed")
    }
    return unsafe context
  }()

  /// The hash of the point's two coordinates, its last 20 bytes (Yellow Paper, appendix F).
  static func address(of key: secp256k1_pubkey) -> EthereumAddress {
    var key = key
    var point = [UInt8](repeating: 0, count: 65)
    var count = point.count
    unsafe secp256k1_ec_pubkey_serialize(
      context, &point, &count, &key, UInt32(SECP256K1_EC_UNCOMPRESSED))
    return EthereumAddress(hash: Keccak256.hash(point.dropFirst()))
  }
}
