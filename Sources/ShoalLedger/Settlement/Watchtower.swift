// Redeems for payees who are away: it holds their newest vouchers and watches for closings. It can
// hurt nobody: whatever it sends, the ledger pays the payee.

internal import ShoalProtocol

public struct Watchtower: Sendable {
  /// Vouchers kept at most: 200 bytes each.
  public static let limit = 65_536
  private let domain: SettlementDomain
  private var vouchers: [ChannelID: Signed<Voucher>] = [:]

  public init(domain: SettlementDomain) { self.domain = domain }

  /// Keeps a voucher that the channel's signer signed, if it is the largest. False: it is not.
  public mutating func keep(_ voucher: Signed<Voucher>, signer: LedgerAccount) -> Bool {
    let id = voucher.statement.channel
    let known = vouchers[id]
    guard known != nil || vouchers.count < Self.limit,
      voucher.statement.cumulative > known?.statement.cumulative ?? .zero,
      voucher.isValid(by: signer, domain)
    else { return false }
    vouchers[id] = voucher
    return true
  }

  /// A channel was seen in a new state: the voucher to redeem before its payer can close it.
  public func redemption(_ id: ChannelID, _ state: ChannelState) -> Signed<Voucher>? {
    guard state.isOpen, state.isClosing, let voucher = vouchers[id] else { return nil }
    let due = min(voucher.statement.cumulative, state.ceiling)
    return due > state.settled ? voucher : nil
  }

  /// A channel is closed for good: its vouchers are worth nothing.
  public mutating func forget(_ id: ChannelID) { vouchers[id] = nil }
}
