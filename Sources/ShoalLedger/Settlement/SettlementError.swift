// Why a voucher, a receipt or a session was refused, with the numbers.

internal import ShoalProtocol

public enum SettlementError: Error, Hashable, Sendable {
  /// Of another channel: another pair, or another epoch of this one.
  case wrongChannel(expected: ChannelID, found: ChannelID)
  /// Signed by nobody, by somebody else, for another chain, contract or network.
  case badSignature
  /// No more than what a voucher of before promised. The newest one is the answer.
  case staleVoucher(newest: Signed<Voucher>)
  /// More than the channel can pay.
  case overspend(ceiling: Amount, asked: Amount)
  case unknownSession(WorkSessionID)
  case sessionExists(WorkSessionID)
  /// The channel is being closed or is none: nothing new is begun on it.
  case notOpen(ChannelID)
  /// The ledger cannot be seen, so nothing new is begun that it would have to pay.
  case ledgerUnseen
  /// The payer owes more than is lent.
  case creditExhausted(owed: Amount, window: Amount)
  /// All payers who never settled together owe more than is risked on strangers.
  case strangersExhausted(owed: Amount, limit: Amount)
  /// A receipt that is known already: it is answered, and not paid twice.
  case replayedReceipt(sequence: UInt64)
  /// A receipt that does not follow the last one.
  case receiptGap(expected: UInt64, found: UInt64)
  case overclaimed(claimed: UInt64, counted: UInt64)
  /// The receipt says otherwise than this side knows.
  case mismatch(ReceiptField)
  case equivocated(Equivocation)
}

/// What a receipt can be wrong about.
public enum ReceiptField: String, Hashable, Sendable {
  case previous, manifest, plan, atoms, tokens, workUnits, cumulative, input, output
}
