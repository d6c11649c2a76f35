// The payee's side of one channel: what it earned, what it was promised, and whether it goes on.

internal import ShoalProtocol

/// A channel as the ledger shows it. Taken whole each time, so that what a chain undoes is undone
/// here too.
public struct ChannelState: Hashable, Sendable {
  /// What vouchers can draw on: escrow, or on the embedded ledger the credit beyond `settled`.
  public var ceiling: Amount
  /// Redeemed so far.
  public var settled: Amount
  /// The payer asked for it to be closed.
  public var isClosing: Bool
  /// False: not opened yet, its opening was undone, or it is closed.
  public var isOpen: Bool

  public init(ceiling: Amount, settled: Amount, isClosing: Bool, isOpen: Bool) {
    self.ceiling = ceiling
    self.settled = settled
    self.isClosing = isClosing
    self.isOpen = isOpen
  }

  public static let none = ChannelState(
    ceiling: .zero, settled: .zero, isClosing: false, isOpen: false)

  /// Of the embedded ledger: `limit` is what the payee lends beyond what is settled.
  public static func credit(limit: Amount, settled: Amount = .zero) -> ChannelState {
    ChannelState(ceiling: settled + limit, settled: settled, isClosing: false, isOpen: true)
  }
}

/// What a payee risks on one channel.
public struct PayeeTerms: Hashable, Sendable {
  /// Work done and not yet promised: what a payer that turns silent costs, beside one chunk.
  public let window: Amount
  /// Promised and not yet settled, while the ledger cannot be seen.
  public let riskLimit: Amount
  /// Vouchers are redeemed when so much is unsettled.
  public let redeemAt: Amount

  public init(window: Amount, riskLimit: Amount, redeemAt: Amount) {
    self.window = window
    self.riskLimit = riskLimit
    self.redeemAt = redeemAt
  }
}

/// Whether a payee computes on.
public enum Service: Hashable, Sendable {
  case goesOn
  /// More is owed than is lent: a voucher is waited for.
  case waits(owed: Amount, window: Amount)
  /// A voucher for more could not be paid from the channel.
  case ceilingReached(Amount)
  case closing
  /// The ledger is dark and the risk limit reached.
  case ledgerUnseen
}

public struct PayeeChannel: Sendable {
  public let id: ChannelID
  public let payer: LedgerAccount
  public let terms: PayeeTerms
  private let domain: SettlementDomain

  /// What the ledger shows; `.none` until it was seen.
  public private(set) var state = ChannelState.none
  public private(set) var isLedgerSeen = true
  /// Pay for all work on this channel.
  public private(set) var earned: Amount
  /// The newest voucher: what is promised.
  public private(set) var voucher: Signed<Voucher>?
  private var chains: [WorkSessionID: ReceiptChain] = [:]

  /// - Parameters:
  ///   - earned, voucher: as they were kept; zero and nil for a channel that is new, or for a payee
  ///     that lost its disk.
  public init(
    id: ChannelID, payer: LedgerAccount, terms: PayeeTerms, domain: SettlementDomain,
    earned: Amount = .zero, voucher: Signed<Voucher>? = nil
  ) {
    self.id = id
    self.payer = payer
    self.terms = terms
    self.domain = domain
    self.voucher = voucher
    self.earned = max(earned, voucher?.statement.cumulative ?? .zero)
  }

  public var promised: Amount { voucher?.statement.cumulative ?? .zero }
  /// Worked for and not promised.
  public var owed: Amount { earned - promised }
  /// At stake if the payer and the ledger both vanish.
  public var unsettled: Amount { earned - state.settled }
  public var sessions: [WorkSessionID] { chains.keys.sorted() }

  // MARK: The ledger

  public mutating func adopt(_ state: ChannelState) { self.state = state }

  /// The ledger cannot be reached, or can be again.
  public mutating func ledger(isSeen: Bool) { isLedgerSeen = isSeen }

  // MARK: Work

  public mutating func begin(_ session: WorkSession) throws(SettlementError) {
    guard isLedgerSeen else { throw .ledgerUnseen }
    guard state.isOpen, !state.isClosing else { throw .notOpen(id) }
    guard owed < terms.window else {
      throw .creditExhausted(owed: owed, window: terms.window)
    }
    guard earned < state.ceiling else {
      throw .overspend(ceiling: state.ceiling, asked: earned)
    }
    guard chains[session.id] == nil else { throw .sessionExists(session.id) }
    chains[session.id] = ReceiptChain(channel: id, session: session)
  }

  /// Counts work that was done. The receipt is to be kept durably, then signed, then sent.
  public mutating func work(
    _ session: WorkSessionID, _ chunk: WorkChunk
  ) throws(SettlementError) -> Receipt {
    guard var chain = chains[session] else { throw .unknownSession(session) }
    let receipt = chain.receipt(for: chunk)
    earned = earned + (receipt.cumulative - chain.pay)
    chain.append(receipt)
    chains[session] = chain
    return receipt
  }

  /// Forgets a session that ended. What it earned stays.
  public mutating func end(_ session: WorkSessionID) { chains[session] = nil }

  /// Whether to compute on; asked before each chunk.
  public var service: Service {
    guard state.isOpen, !state.isClosing else { return .closing }
    guard owed < terms.window else { return .waits(owed: owed, window: terms.window) }
    guard earned < state.ceiling else { return .ceilingReached(state.ceiling) }
    guard isLedgerSeen || unsettled < terms.riskLimit else { return .ledgerUnseen }
    return .goesOn
  }

  // MARK: Vouchers

  /// Takes a voucher that promises more than the one before. It is to be kept durably.
  public mutating func accept(_ voucher: Signed<Voucher>) throws(SettlementError) {
    let statement = voucher.statement
    guard statement.channel == id else {
      throw .wrongChannel(expected: id, found: statement.channel)
    }
    guard voucher.isValid(by: payer, domain) else { throw .badSignature }
    if let newest = self.voucher, statement.cumulative <= newest.statement.cumulative {
      // The very same voucher again is no fault.
      guard statement != newest.statement else { return }
      throw .staleVoucher(newest: newest)
    }
    guard statement.cumulative <= state.ceiling else {
      throw .overspend(ceiling: state.ceiling, asked: statement.cumulative)
    }
    self.voucher = voucher
    // A payee that lost its disk learns here what it had earned.
    earned = max(earned, statement.cumulative)
  }

  /// The voucher to redeem now, if any: when enough is unsettled, and at once when the channel is
  /// about to close.
  public var redemption: Signed<Voucher>? {
    guard let voucher, state.isOpen else { return nil }
    let due = min(promised, state.ceiling) - state.settled
    guard due > .zero, state.isClosing || due >= terms.redeemAt else { return nil }
    return voucher
  }
}
