// All channels of one peer on one ledger, both those that it earns on and those that it pays on.
// Work and messages go in, effects come out; it signs, and stores and sends nothing.

public import ShoalProtocol

public struct AccountBook: Sendable {
  public let own: LedgerAccount
  public let terms: AccountTerms
  let domain: SettlementDomain
  let signer: any SettlementSigner
  /// On the embedded ledger a channel opens by itself, with what this peer lends. On a chain it is
  /// what `adopt` says.
  let lends: Bool

  /// Channels that this peer earns on.
  var income: PayeeBook
  var serving: [WorkSessionID: ServedSession] = [:]
  /// Channels that this peer pays on.
  var expenses: [ChannelID: PayerChannel] = [:]
  var hired: [WorkSessionID: HiredSession] = [:]
  var records: [ChannelID: AccountRecord] = [:]
  /// Who was caught, oldest first.
  public internal(set) var faults: [AccountFault] = []

  public static let channelLimit = 4_096
  public static let faultLimit = 256

  public init(
    signer: any SettlementSigner, domain: SettlementDomain, terms: AccountTerms, lends: Bool,
    kept: [AccountRecord] = []
  ) {
    own = signer.account
    self.signer = signer
    self.domain = domain
    self.terms = terms
    self.lends = lends
    income = PayeeBook(strangersLimit: terms.strangersLimit)
    for record in kept { restore(record) }
  }

  private mutating func restore(_ record: AccountRecord) {
    records[record.channel] = record
    switch record.side {
    case .payee:
      var channel = PayeeChannel(
        id: record.channel, payer: record.other.account, terms: payeeTerms, domain: domain,
        earned: record.earned, voucher: record.voucher)
      if lends { channel.adopt(.credit(limit: terms.credit, settled: record.settled)) }
      income[record.channel] = channel
    case .payer:
      expenses[record.channel] = PayerChannel(
        id: record.channel, payer: own, payee: record.other.account, domain: domain,
        budget: record.settled + terms.budget, voucher: record.voucher)
    }
  }

  var payeeTerms: PayeeTerms {
    PayeeTerms(window: terms.window, riskLimit: terms.riskLimit, redeemAt: terms.redeemAt)
  }

  // MARK: Reading

  /// Every channel, by side and by who is at the other end.
  public var accounts: [AccountRecord] {
    records.values.sorted {
      ($0.side.rawValue, $0.other.peer, $0.channel) < ($1.side.rawValue, $1.other.peer, $1.channel)
    }
  }

  /// What payers have promised.
  public var earned: Amount {
    records.values.reduce(.zero) { $1.side == .payee ? $0 + $1.promised : $0 }
  }
  /// What this peer has promised.
  public var spent: Amount {
    records.values.reduce(.zero) { $1.side == .payer ? $0 + $1.promised : $0 }
  }

  /// Whom this peer hires no more.
  public var barred: Set<PeerID> { Set(faults.map(\.peer)) }

  /// When something is to be said again, or forgotten.
  public var nextDeadline: Moment? {
    let repeats = serving.values.compactMap(\.due)
    let ends = hired.values.compactMap(\.endsAt)
    return (repeats + ends).min()
  }

  public mutating func wake(at now: Moment) -> [AccountEffect] {
    for (id, session) in hired where session.endsAt.map({ $0 <= now }) ?? false {
      expenses[session.channel]?.end(id)
      hired[id] = nil
    }
    return serving.keys.sorted().flatMap { repeatReceipts($0, at: now) }
  }

  // MARK: The ledger

  /// What the ledger shows of a channel that this peer earns on.
  public mutating func adopt(_ state: ChannelState, of id: ChannelID) -> [AccountEffect] {
    guard var channel = income[id] else { return [] }
    channel.adopt(state)
    income[id] = channel
    records[id]?.settled = state.settled
    return keep(id) + services(of: id)
  }

  /// The ledger cannot be reached, or can be again.
  public mutating func ledger(isSeen: Bool) {
    for channel in income.all where channel.isLedgerSeen != isSeen {
      income[channel.id]?.ledger(isSeen: isSeen)
    }
  }

  /// Vouchers to redeem now.
  public var redemptions: [Signed<Voucher>] { income.all.compactMap(\.redemption) }

  // MARK: Messages

  public mutating func receive(
    _ message: AccountMessage, from peer: PeerID, at now: Moment
  ) -> [AccountEffect] {
    switch message {
    case .receipt(let receipt): take(receipt, from: peer)
    case .voucher(let voucher): take(voucher, from: peer)
    case .newest(let voucher): recover(voucher)
    case .settle(let statement): agree(to: statement, from: peer)
    case .agreed(let statement): take(agreement: statement)
    }
  }

  // MARK: Settling

  /// Asks the payer to agree that everything promised so far is settled.
  public mutating func settle(_ id: ChannelID) -> [AccountEffect] {
    guard let record = records[id], record.side == .payee, record.promised > record.settled else {
      return []
    }
    let statement = SettledStatement(channel: id, settled: record.promised)
    return [.send(.settle(statement.signed(by: signer, domain)), to: record.other.peer)]
  }

  private mutating func agree(
    to signed: Signed<SettledStatement>, from peer: PeerID
  ) -> [AccountEffect] {
    let (id, settled) = (signed.statement.channel, signed.statement.settled)
    guard var record = records[id], record.side == .payer, settled <= record.promised,
      settled >= record.settled, signed.isValid(by: record.other.account, domain)
    else { return [] }
    record.settled = settled
    record.agreement = signed
    records[id] = record
    let budget = settled + terms.budget
    expenses[id]?.adopt(budget: budget)
    return [
      .keep(record), .send(.agreed(signed.statement.signed(by: signer, domain)), to: peer),
    ]
  }

  private mutating func take(agreement signed: Signed<SettledStatement>) -> [AccountEffect] {
    let (id, settled) = (signed.statement.channel, signed.statement.settled)
    guard let record = records[id], record.side == .payee, lends, settled <= record.promised,
      settled > record.settled, signed.isValid(by: record.other.account, domain)
    else { return [] }
    records[id]?.agreement = signed
    return adopt(.credit(limit: terms.credit, settled: settled), of: id)
  }

  // MARK: Shared by both sides

  func keep(_ id: ChannelID) -> [AccountEffect] { records[id].map { [.keep($0)] } ?? [] }

  mutating func caught(
    _ peer: PeerID, _ session: WorkSessionID?, _ error: SettlementError
  ) -> [AccountEffect] {
    let fault = AccountFault(peer: peer, session: session, error: error)
    if faults.count == Self.faultLimit { faults.removeFirst() }
    faults.append(fault)
    return [.caught(fault)]
  }
}
