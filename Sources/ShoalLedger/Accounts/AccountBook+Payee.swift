// The side that works: sessions, receipts, and whether a payer is worked for on.

public import ShoalProtocol

/// A session as its payee keeps it.
struct ServedSession: Sendable {
  let channel: ChannelID
  let model: ModelID
  /// Receipts that no voucher has answered, oldest first.
  var pending: [Signed<Receipt>] = []
  /// No work follows.
  var isOver = false
  /// How often the pending receipts were said again.
  var repeats = 0
  var due: Moment?
}

extension AccountBook {
  /// A receipt is said again after that, then after twice as long, and so on.
  static let firstRepeat = Duration.milliseconds(150)
  static let longestRepeat = Duration.seconds(5)
  static let repeatLimit = 12
  /// Receipts said again at once.
  private static let burst = 4

  /// Begins to work for a payer. On the embedded ledger its channel opens with its first session.
  ///
  /// - Parameter state: what a chain shows of the channel; nil on the embedded ledger.
  public mutating func serve(
    _ session: WorkSession, for payer: AccountParty, epoch: UInt64 = 0,
    state: ChannelState? = nil
  ) throws(SettlementError) -> [AccountEffect] {
    let id = ChannelID(payer: payer.account, payee: own, epoch: epoch)
    if income[id] == nil {
      guard records.count < Self.channelLimit else { throw .notOpen(id) }
      var channel = PayeeChannel(
        id: id, payer: payer.account, terms: payeeTerms, domain: domain)
      if lends { channel.adopt(.credit(limit: terms.credit)) }
      income[id] = channel
      records[id] = AccountRecord(channel: id, side: .payee, other: payer)
    }
    if let state {
      income[id]?.adopt(state)
      records[id]?.settled = state.settled
    }
    try income.begin(session, on: id, isSecured: !lends)
    serving[session.id] = ServedSession(channel: id, model: session.manifest)
    return [.service(session.id, income.service(id, isSecured: !lends))]
  }

  /// Counts work that a session's rank has done, and claims it.
  public mutating func worked(
    _ id: WorkSessionID, _ chunk: WorkChunk, at now: Moment
  ) -> [AccountEffect] {
    guard let channel = serving[id]?.channel, let before = income[channel]?.earned else {
      return []
    }
    let receipt: Receipt
    do throws(SettlementError) {
      guard let made = try income[channel]?.work(id, chunk) else { return [] }
      receipt = made
    } catch {
      return []
    }
    let earned = income[channel]?.earned ?? before
    records[channel]?.earned = earned
    records[channel]?.add(
      ModelWork(
        model: receipt.manifest, tokens: chunk.tokens, workUnits: chunk.workUnits,
        pay: earned - before))
    let signed = receipt.signed(by: signer, domain)
    serving[id]?.pending.append(signed)
    if serving[id]?.due == nil { serving[id]?.due = now + Self.firstRepeat }
    let claim = records[channel].map { [AccountEffect.send(.receipt(signed), to: $0.other.peer)] }
    return keep(channel) + (claim ?? []) + services(of: channel)
  }

  /// A session's rank has ended. What it claimed is said until it is answered.
  public mutating func over(_ id: WorkSessionID) {
    serving[id]?.isOver = true
    forgetAnswered(id)
  }

  /// Whether a session's rank computes on.
  public func service(of id: WorkSessionID) -> Service {
    serving[id].map { income.service($0.channel, isSecured: !lends) } ?? .closing
  }

  /// The same for all ranks of a channel.
  func services(of id: ChannelID) -> [AccountEffect] {
    let service = income.service(id, isSecured: !lends)
    return serving.keys.filter { serving[$0]?.channel == id }.sorted().map {
      .service($0, service)
    }
  }

  mutating func take(_ voucher: Signed<Voucher>, from peer: PeerID) -> [AccountEffect] {
    let id = voucher.statement.channel
    guard income[id] != nil else { return [] }
    do throws(SettlementError) {
      try income[id]?.accept(voucher)
    } catch {
      switch error {
      case .staleVoucher(let newest):
        // Late, or of a payer that forgot: what it names is answered all the same.
        answered(by: voucher)
        return [.send(.newest(newest), to: peer)]
      case .overspend where lends:
        // What is lent here is nobody's business there: it waits until something is settled.
        return []
      case _:
        return caught(peer, nil, error)
      }
    }
    records[id]?.voucher = income[id]?.voucher
    records[id]?.earned = income[id]?.earned ?? .zero
    answered(by: voucher)
    return keep(id) + services(of: id)
  }

  /// Forgets the receipts that a voucher answers: the one that it names and those before it, or all
  /// where nothing is owed.
  private mutating func answered(by voucher: Signed<Voucher>) {
    let channel = voucher.statement.channel
    let isEven = income[channel]?.owed == .zero
    for id in serving.keys where serving[id]?.channel == channel {
      if isEven {
        serving[id]?.pending = []
      } else if let place = serving[id]?.pending.firstIndex(where: {
        $0.statement.hash == voucher.statement.receipt
      }) {
        serving[id]?.pending.removeFirst(place + 1)
        serving[id]?.repeats = 0
      }
      forgetAnswered(id)
    }
  }

  private mutating func forgetAnswered(_ id: WorkSessionID) {
    guard let session = serving[id], session.pending.isEmpty else { return }
    serving[id]?.due = nil
    serving[id]?.repeats = 0
    guard session.isOver else { return }
    income[session.channel]?.end(id)
    serving[id] = nil
  }

  /// Says the oldest claims again. After the last time they stay owed, and nothing is said.
  mutating func repeatReceipts(_ id: WorkSessionID, at now: Moment) -> [AccountEffect] {
    guard let session = serving[id], let due = session.due, due <= now else { return [] }
    guard session.repeats < Self.repeatLimit, let record = records[session.channel] else {
      serving[id]?.pending = []
      forgetAnswered(id)
      return []
    }
    serving[id]?.repeats += 1
    serving[id]?.due =
      now + min(Self.firstRepeat * (2 << session.repeats), Self.longestRepeat)
    // Kept once more: the first time may have failed, and then nothing was said.
    return keep(session.channel)
      + session.pending.prefix(Self.burst).map { .send(.receipt($0), to: record.other.peer) }
  }
}
