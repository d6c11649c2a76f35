// The secret key of an account on a chain.

internal import CSecp256k1
public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

/// Signs digests and transactions for one address. Its bytes are wiped with the last copy.
public struct EthereumKey: Sendable {
  private let secret: SecretBytes
  public let address: EthereumAddress

  /// Nil unless there are 32 bytes that are a number from 1 to below the group's order.
  public init?(_ secret: SecretBytes) {
    guard secret.count == 32 else { return nil }
    var key = secp256k1_pubkey()
    let isMade = unsafe secret.lend {
      unsafe secp256k1_ec_pubkey_create(Secp256k1.context, &key, $0) == 1
    }
    guard isMade else { return nil }
    self.secret = secret
    address = Secp256k1.address(of: key)
  }

  /// Deterministic (RFC 6979), with the smaller s.
  public func sign(_ digest: Bytes32) -> EthereumSignature {
    var signature = secp256k1_ecdsa_recoverable_signature()
    var bytes = [UInt8](repeating: 0, count: 64)
    var parity: Int32 = 0
    let isSigned = unsafe secret.lend {
      unsafe secp256k1_ecdsa_sign_recoverable(
        Secp256k1.context, &signature, digest.bytes, $0, nil, nil) == 1
    }
    precondition(isSigned, "a valid key did not sign")
    unsafe secp256k1_ecdsa_recoverable_signature_serialize_compact(
      Secp256k1.context, &bytes, &parity, &signature)
    return EthereumSignature(
      r: Bytes32(bytes[..<32]) ?? .zero, s: Bytes32(bytes[32...]) ?? .zero, isOdd: parity & 1 == 1)
  }
}
