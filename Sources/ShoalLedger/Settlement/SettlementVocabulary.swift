// Names and amounts of settlement, the same whichever ledger keeps them.

public import ShoalProtocol

/// Whoever pays or is paid: an Ed25519 key of a peer, or an address of a chain, left-padded.
public struct LedgerAccount: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
  public init(_ peer: PeerID) { raw = peer.raw }
  public init(_ address: EthereumAddress) { raw = address.word }
}

/// One payer's channel to one payee in one epoch. Another epoch is another channel, so that nothing
/// signed in the one is good in the other.
public struct ChannelID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }

  /// As the contract computes it: the hash of the three words.
  public init(payer: LedgerAccount, payee: LedgerAccount, epoch: UInt64) {
    raw = Keccak256.hash(payer.raw.bytes + payee.raw.bytes + UInt256(epoch).word.bytes)
  }
}

/// One rank's part in one term of one job: what receipts are chained in.
public struct WorkSessionID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }

  public init(job: JobID, term: Term, payee: LedgerAccount) {
    raw = Keccak256.hash(
      job.raw.bytes + UInt256(UInt64(term.value)).word.bytes + payee.raw.bytes)
  }
}

/// An amount in the smallest unit of what is paid with: wei, or a token's, or a credit's.
public struct Amount: Hashable, Comparable, Sendable {
  public let units: UInt128
  public init(_ units: UInt128) { self.units = units }

  public static let zero = Amount(0)
  /// What the contract lets a channel hold.
  public static let max = Amount(.max)

  public static func < (left: Amount, right: Amount) -> Bool { left.units < right.units }
  /// Saturates.
  public static func + (left: Amount, right: Amount) -> Amount {
    let (sum, overflow) = left.units.addingReportingOverflow(right.units)
    return overflow ? .max : Amount(sum)
  }
  /// Zero where `right` is larger.
  public static func - (left: Amount, right: Amount) -> Amount {
    Amount(left.units > right.units ? left.units - right.units : 0)
  }
}

extension Amount: CustomStringConvertible {
  public var description: String { "\(units)" }
}

/// What work costs: units of an amount for 2^20 multiply-accumulates, the same for every payee of a
/// session.
public struct WorkPrice: Hashable, Sendable {
  public let perMebiUnit: UInt64
  public init(perMebiUnit: UInt64) { self.perMebiUnit = perMebiUnit }

  /// Pay for all of a session's work so far, rounded down once: cumulative, so that no rounding
  /// adds up and a chunk costs the same however it is cut.
  public func pay(_ workUnits: UInt64) -> Amount {
    Amount((UInt128(workUnits) * UInt128(perMebiUnit)) >> 20)
  }
}

/// Whether `signature` over `digest` is `account`'s: Ed25519 or secp256k1, as the ledger has it.
public typealias SettlementVerification =
  @Sendable (_ account: LedgerAccount, _ digest: Bytes32, _ signature: [UInt8]) -> Bool

/// Signs digests for one account.
public protocol SettlementSigner: Sendable {
  var account: LedgerAccount { get }
  func sign(_ digest: Bytes32) -> [UInt8]
}

/// What signatures of one ledger are bound to, and how they are checked.
public struct SettlementDomain: Sendable {
  /// EIP-712's separator.
  public let separator: Bytes32
  public let verify: SettlementVerification

  /// Of the contract at `contract` on `chain`.
  public init(
    chain: UInt256, contract: EthereumAddress, verify: @escaping SettlementVerification
  ) {
    self.init(
      TypedDomain(name: SettlementDomain.name, version: "1", chain: chain, contract: contract),
      verify: verify)
  }

  /// Of the embedded ledger of one network: chain 0, no contract, the network as salt.
  public init(network: NetworkID, verify: @escaping SettlementVerification) {
    self.init(
      TypedDomain(
        name: SettlementDomain.name, version: "1", chain: .zero, contract: .zero,
        salt: network.raw), verify: verify)
  }

  private init(_ domain: TypedDomain, verify: @escaping SettlementVerification) {
    separator = domain.separator
    self.verify = verify
  }

  public static let name = "Shoal Settlement"
}
