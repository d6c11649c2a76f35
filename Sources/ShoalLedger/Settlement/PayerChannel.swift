// The payer's side of one channel: what it counted itself, what it promised, and what it refuses.

internal import ShoalProtocol

public struct PayerChannel: Sendable {
  public let id: ChannelID
  public let payer: LedgerAccount
  public let payee: LedgerAccount
  private let domain: SettlementDomain

  /// What this side is ready to promise in all.
  public private(set) var budget: Amount
  /// The largest promise; what vouchers add to.
  public private(set) var promised: Amount
  /// The newest voucher as it was signed.
  public private(set) var voucher: Signed<Voucher>?
  /// The payee was caught: nothing more is paid.
  public private(set) var evidence: Equivocation?
  private var chains: [WorkSessionID: PayerChain] = [:]

  /// - Parameter voucher: as it was kept; nil for a new channel or a payer that lost its disk.
  public init(
    id: ChannelID, payer: LedgerAccount, payee: LedgerAccount, domain: SettlementDomain,
    budget: Amount, voucher: Signed<Voucher>? = nil
  ) {
    self.id = id
    self.payer = payer
    self.payee = payee
    self.domain = domain
    self.budget = budget
    self.voucher = voucher
    promised = voucher?.statement.cumulative ?? .zero
  }

  /// More escrow, or less after a reorganisation.
  public mutating func adopt(budget: Amount) { self.budget = budget }

  // MARK: Work

  public mutating func begin(_ session: WorkSession) throws(SettlementError) {
    guard chains[session.id] == nil else { throw .sessionExists(session.id) }
    chains[session.id] = PayerChain(ReceiptChain(channel: id, session: session))
  }

  /// What this side saw the payee do: the measure of its next receipt.
  public mutating func counted(
    _ session: WorkSessionID, _ chunk: WorkChunk
  ) throws(SettlementError) {
    guard chains[session] != nil else { throw .unknownSession(session) }
    chains[session]?.counted.append(chunk)
  }

  /// The session broke off: claims for what was asked are paid, whether or not the answers came.
  public mutating func allow(_ session: WorkSessionID, _ asked: WorkAllowance) {
    chains[session]?.allowance = asked
  }

  public mutating func end(_ session: WorkSessionID) { chains[session] = nil }

  /// Checks a receipt against what was counted, and promises to pay for it. The voucher is to be
  /// kept durably, then signed and told to `signed`, then sent.
  ///
  /// A receipt that came before this side has counted its chunk is `.receiptGap`; a known one is
  /// `.replayedReceipt`, and `voucher` answers it.
  public mutating func accept(_ signed: Signed<Receipt>) throws(SettlementError) -> Voucher {
    let receipt = signed.statement
    if let evidence { throw .equivocated(evidence) }
    guard receipt.channel == id else {
      throw .wrongChannel(expected: id, found: receipt.channel)
    }
    guard var chain = chains[receipt.session] else { throw .unknownSession(receipt.session) }
    guard signed.isValid(by: payee, domain) else { throw .badSignature }
    if let known = chain.receipts[receipt.sequence] {
      guard known.statement != receipt else {
        throw .replayedReceipt(sequence: receipt.sequence)
      }
      let equivocation = Equivocation(first: known, second: signed)
      evidence = equivocation
      throw .equivocated(equivocation)
    }
    let next = (chain.receipts.newest ?? 0) + 1
    guard receipt.sequence == next, let counted = chain.measure(of: receipt) else {
      throw .receiptGap(expected: next, found: receipt.sequence)
    }
    let expected = chain.chain.receipt(for: counted)
    if let fault = receipt.fault(against: expected) { throw fault }
    let total = promised + (receipt.cumulative - chain.chain.pay)
    guard total <= budget else { throw .overspend(ceiling: budget, asked: total) }
    chain.take(receipt)
    chain.chain.append(receipt)
    chain.receipts.insert(signed)
    chains[receipt.session] = chain
    promised = total
    return Voucher(channel: id, cumulative: total, receipt: receipt.hash)
  }

  /// The voucher that `accept` asked for was signed.
  public mutating func signed(_ voucher: Signed<Voucher>) {
    guard voucher.statement.cumulative > self.voucher?.statement.cumulative ?? .zero else { return }
    self.voucher = voucher
  }

  /// The payee answers a voucher with a newer one of this payer's own: it had forgotten it.
  public mutating func recover(_ newest: Signed<Voucher>) throws(SettlementError) {
    guard newest.statement.channel == id else {
      throw .wrongChannel(expected: id, found: newest.statement.channel)
    }
    guard newest.isValid(by: payer, domain) else { throw .badSignature }
    guard newest.statement.cumulative > promised else { return }
    promised = newest.statement.cumulative
    voucher = newest
  }
}

/// One session as the payer keeps it.
private struct PayerChain: Sendable {
  var chain: ReceiptChain
  /// Chunks that were seen and have no receipt yet, oldest first.
  var counted: [WorkChunk] = []
  var receipts = RecentReceipts()
  /// Where it broke off: what is paid beyond what was counted.
  var allowance: WorkAllowance?

  init(_ chain: ReceiptChain) { self.chain = chain }

  /// What the next receipt is compared with; nil: nothing was seen yet that it could be about.
  func measure(of receipt: Receipt) -> WorkChunk? {
    if let first = counted.first { return first }
    guard let allowance else { return nil }
    return WorkChunk(
      tokens: min(receipt.tokens, allowance.tokens),
      workUnits: min(receipt.workUnits, allowance.workUnits), input: receipt.input,
      output: receipt.output)
  }

  mutating func take(_ receipt: Receipt) {
    guard counted.isEmpty else {
      counted.removeFirst()
      return
    }
    allowance?.tokens -= receipt.tokens
    allowance?.workUnits -= receipt.workUnits
  }
}

/// The last receipts of a session, so that a contradiction of one of them is a proof.
private struct RecentReceipts: Sendable {
  private static let limit: UInt64 = 256
  private var bySequence: [UInt64: Signed<Receipt>] = [:]
  private(set) var newest: UInt64?

  subscript(sequence: UInt64) -> Signed<Receipt>? { bySequence[sequence] }

  mutating func insert(_ receipt: Signed<Receipt>) {
    let sequence = receipt.statement.sequence
    bySequence[sequence] = receipt
    if sequence > Self.limit { bySequence[sequence - Self.limit] = nil }
    newest = sequence
  }
}

extension Receipt {
  /// The first thing that this receipt says otherwise than `expected`.
  fileprivate func fault(against expected: Receipt) -> SettlementError? {
    if previous != expected.previous { return .mismatch(.previous) }
    if manifest != expected.manifest { return .mismatch(.manifest) }
    if plan != expected.plan { return .mismatch(.plan) }
    if atoms != expected.atoms { return .mismatch(.atoms) }
    if workUnits > expected.workUnits {
      return .overclaimed(claimed: workUnits, counted: expected.workUnits)
    }
    if workUnits != expected.workUnits { return .mismatch(.workUnits) }
    if tokens != expected.tokens { return .mismatch(.tokens) }
    if cumulative != expected.cumulative { return .mismatch(.cumulative) }
    if input != expected.input { return .mismatch(.input) }
    if output != expected.output { return .mismatch(.output) }
    return nil
  }
}
