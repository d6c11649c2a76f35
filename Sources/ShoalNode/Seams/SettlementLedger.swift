// The seam to where accounts are settled: between peers, or on a chain.

public import ShoalLedger

/// A channel as its ledger shows it.
public struct LedgerChannel: Hashable, Sendable {
  /// Counts the channels that this pair has had.
  public let epoch: UInt64
  public let state: ChannelState

  public init(epoch: UInt64, state: ChannelState) { (self.epoch, self.state) = (epoch, state) }
}

public protocol SettlementLedger: Sendable {
  var domain: SettlementDomain { get }
  /// Signs for this peer's account on this ledger.
  var signer: any SettlementSigner { get }
  /// Channels open by themselves, with what a payee lends; nothing is redeemed.
  var lends: Bool { get }

  /// The channel that a pair has now. Throws where the ledger cannot be seen.
  func channel(payer: LedgerAccount, payee: LedgerAccount) async throws -> LedgerChannel

  /// Has vouchers paid out. Returns when that is so.
  func redeem(_ vouchers: [Signed<Voucher>]) async throws
}
