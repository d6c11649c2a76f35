// Who did what, and what it earned: the accounts as people are shown them.

public import ShoalLedger
public import ShoalProtocol

public struct CreditsReport: Sendable, Hashable {
  public let own: PeerID
  public let terms: AccountTerms
  /// Every channel: those that this peer earns on, then those that it pays on.
  public let accounts: [AccountRecord]
  /// Promised to this peer by all its payers.
  public let earned: Amount
  /// Promised by this peer to all its payees.
  public let spent: Amount
  /// Peers that were caught: neither hired nor worked for.
  public private(set) var barred: [PeerID]
  /// Why accounts cannot be kept at the moment; nil: they can.
  public private(set) var trouble: String?

  public init(
    own: PeerID, terms: AccountTerms, accounts: [AccountRecord], earned: Amount, spent: Amount,
    barred: [PeerID], trouble: String?
  ) {
    self.own = own
    self.terms = terms
    self.accounts = accounts
    self.earned = earned
    self.spent = spent
    self.barred = barred
    self.trouble = trouble
  }
}

extension CreditsReport {
  /// With those that audits caught.
  func adding(_ auditing: Auditing) -> CreditsReport {
    var report = self
    report.barred = Set(auditing.reputation.caught).union(barred).sorted()
    report.trouble = trouble ?? auditing.trouble
    return report
  }
}
