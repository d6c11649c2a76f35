// The ledger that needs nothing installed: what peers promise each other, each lending what it
// likes.

public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

extension SigningPurpose {
  static let settlement = SigningPurpose("shoal/1 settlement")
}

/// Signs statements of the embedded ledger for one peer.
public struct PeerSigner: SettlementSigner {
  private let identity: PeerIdentity
  public var account: LedgerAccount { LedgerAccount(identity.id) }

  public init(_ identity: PeerIdentity) { self.identity = identity }

  public func sign(_ digest: Bytes32) -> [UInt8] {
    identity.sign(digest.bytes, purpose: .settlement).bytes
  }

  public static let verification: SettlementVerification = { account, digest, signature in
    guard let signature = Signature(signature) else { return false }
    return signature.isValid(
      for: digest.bytes, purpose: .settlement, by: PeerID(account.raw))
  }
}

public struct EmbeddedLedger: SettlementLedger {
  public let domain: SettlementDomain
  public let signer: any SettlementSigner
  public let lends = true

  public init(_ identity: PeerIdentity, network: NetworkID) {
    domain = SettlementDomain(network: network, verify: PeerSigner.verification)
    signer = PeerSigner(identity)
  }

  /// Nobody keeps it but the two: `AccountBook` opens it with what its payee lends.
  public func channel(
    payer: LedgerAccount, payee: LedgerAccount
  ) async throws -> LedgerChannel { LedgerChannel(epoch: 0, state: .none) }

  public func redeem(_ vouchers: [Signed<Voucher>]) async throws {}
}
