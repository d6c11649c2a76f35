// What one peer asks, pays, lends and owes at most.

public import ShoalProtocol

public struct AccountTerms: Hashable, Sendable {
  /// What it asks for its work. Zero: it works for nothing.
  public var asks: WorkPrice
  /// What it pays at most for the work of others.
  public var pays: WorkPrice
  /// What it lends to each payer, beyond what is settled.
  public var credit: Amount
  /// What it is ready to owe to each payee, beyond what is settled.
  public var budget: Amount
  /// Work done and not vouched for: what a payer that turns silent costs, beside one chunk.
  public var window: Amount
  /// Promised and not redeemed, while a chain cannot be seen.
  public var riskLimit: Amount
  /// Vouchers are redeemed on a chain when so much is due.
  public var redeemAt: Amount
  /// What all payers together may owe that never settled anything.
  public var strangersLimit: Amount

  /// - Parameter price: asked and paid, for 2^20 multiply-accumulates.
  public init(price: WorkPrice) {
    asks = price
    pays = price
    credit = AccountTerms.worth(price, of: 1 << 50)
    budget = .max
    window = AccountTerms.worth(price, of: 1 << 44)
    riskLimit = AccountTerms.worth(price, of: 1 << 48)
    redeemAt = riskLimit
    strangersLimit = AccountTerms.worth(price, of: 1 << 54)
  }

  /// What so many multiply-accumulates cost; at least one unit, so that a limit is never nothing.
  private static func worth(_ price: WorkPrice, of workUnits: UInt64) -> Amount {
    max(Amount(1), WorkPrice(perMebiUnit: max(1, price.perMebiUnit)).pay(workUnits))
  }
}

/// What a book asks its shell to do, in this order.
public enum AccountEffect: Hashable, Sendable {
  /// Durably, before anything that follows.
  case keep(AccountRecord)
  case send(AccountMessage, to: PeerID)
  /// Whether the rank of a session computes on.
  case service(WorkSessionID, Service)
  /// Somebody claims what cannot be, and signed it.
  case caught(AccountFault)
}

/// Why a peer is no longer paid, or worked for.
public struct AccountFault: Hashable, Sendable {
  public let peer: PeerID
  public let session: WorkSessionID?
  public let error: SettlementError

  public init(peer: PeerID, session: WorkSessionID?, error: SettlementError) {
    self.peer = peer
    self.session = session
    self.error = error
  }

  /// Two receipts that contradict each other: a proof that anybody can check.
  public var evidence: Equivocation? {
    if case .equivocated(let equivocation) = error { equivocation } else { nil }
  }
}
