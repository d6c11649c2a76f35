// The side that pays: what it saw others do, their claims, and the vouchers that answer them.

public import ShoalProtocol

/// A session as its payer keeps it.
struct HiredSession: Sendable {
  let channel: ChannelID
  /// Claims that came before their work was seen.
  var early: [UInt64: Signed<Receipt>] = [:]
  /// When it is forgotten.
  var endsAt: Moment?
}

extension AccountBook {
  /// A session that ended is kept for so long, for claims that are still on their way.
  static let afterlife = Duration.seconds(60)
  private static let earlyLimit = 64

  /// Begins to pay a payee.
  ///
  /// - Parameter ceiling: what a chain's channel holds; nil on the embedded ledger.
  public mutating func hire(
    _ session: WorkSession, of payee: AccountParty, epoch: UInt64 = 0, ceiling: Amount? = nil
  ) throws(SettlementError) {
    let id = ChannelID(payer: own, payee: payee.account, epoch: epoch)
    if expenses[id] == nil {
      guard records.count < Self.channelLimit else { throw .notOpen(id) }
      expenses[id] = PayerChannel(
        id: id, payer: own, payee: payee.account, domain: domain, budget: terms.budget)
      records[id] = AccountRecord(channel: id, side: .payer, other: payee)
    }
    if let ceiling { expenses[id]?.adopt(budget: ceiling) }
    try expenses[id]?.begin(session)
    hired[session.id] = HiredSession(channel: id)
  }

  /// What a hired rank was seen to do.
  public mutating func counted(
    _ id: WorkSessionID, _ chunk: WorkChunk, at now: Moment
  ) -> [AccountEffect] {
    guard let channel = hired[id]?.channel else { return [] }
    do throws(SettlementError) {
      try expenses[channel]?.counted(id, chunk)
    } catch {
      return []
    }
    return takeEarly(id)
  }

  /// A session ended.
  /// - Parameter asked: where it broke off: work that was asked for and that nobody saw the end of.
  ///   Claims up to that are paid for.
  public mutating func dismiss(
    _ id: WorkSessionID, asked: WorkAllowance?, at now: Moment
  ) -> [AccountEffect] {
    guard let channel = hired[id]?.channel else { return [] }
    if let asked { expenses[channel]?.allow(id, asked) }
    hired[id]?.endsAt = now + Self.afterlife
    return takeEarly(id)
  }

  mutating func take(_ receipt: Signed<Receipt>, from peer: PeerID) -> [AccountEffect] {
    let (id, session) = (receipt.statement.channel, receipt.statement.session)
    guard let known = expenses[id] else { return [] }
    guard hired[session]?.channel == id else {
      // Forgotten here: who still asks has not heard the last voucher.
      return known.voucher.map { [.send(.voucher($0), to: peer)] } ?? []
    }
    let before = known.promised
    let voucher: Voucher
    do throws(SettlementError) {
      guard let made = try expenses[id]?.accept(receipt) else { return [] }
      voucher = made
    } catch {
      return refuse(receipt, error, from: peer)
    }
    let signed = voucher.signed(by: signer, domain)
    expenses[id]?.signed(signed)
    records[id]?.voucher = signed
    records[id]?.earned = voucher.cumulative
    let done = receipt.statement
    records[id]?.add(
      ModelWork(
        model: done.manifest, tokens: done.tokens, workUnits: done.workUnits,
        pay: voucher.cumulative - before))
    return keep(id) + [.send(.voucher(signed), to: peer)] + takeEarly(session)
  }

  private mutating func refuse(
    _ receipt: Signed<Receipt>, _ error: SettlementError, from peer: PeerID
  ) -> [AccountEffect] {
    let (id, session) = (receipt.statement.channel, receipt.statement.session)
    switch error {
    case .receiptGap(let expected, let found):
      let isNear = found >= expected && found - expected < UInt64(Self.earlyLimit)
      if isNear, (hired[session]?.early.count ?? 0) < Self.earlyLimit {
        hired[session]?.early[found] = receipt
      }
      return []
    case .replayedReceipt:
      return expenses[id]?.voucher.map { [.send(.voucher($0), to: peer)] } ?? []
    case .overclaimed, .mismatch, .badSignature:
      return caught(peer, session, error)
    case .equivocated:
      // Told once: whatever else it sends is refused with the same proof.
      return faults.contains { $0.error == error } ? [] : caught(peer, session, error)
    case .wrongChannel, .staleVoucher, .overspend, .unknownSession, .sessionExists, .notOpen,
      .ledgerUnseen, .creditExhausted, .strangersExhausted:
      return []
    }
  }

  /// Claims that waited for their work to be seen.
  private mutating func takeEarly(_ id: WorkSessionID) -> [AccountEffect] {
    guard let session = hired[id], let next = session.early.keys.min(),
      let receipt = session.early[next], let record = records[session.channel]
    else { return [] }
    hired[id]?.early[next] = nil
    // One that is still too early is put back, and the recursion ends.
    return take(receipt, from: record.other.peer)
  }

  /// A payee gives back the newest voucher of a payer that forgot it.
  mutating func recover(_ voucher: Signed<Voucher>) -> [AccountEffect] {
    let id = voucher.statement.channel
    do throws(SettlementError) {
      try expenses[id]?.recover(voucher)
    } catch {
      return []
    }
    guard let newest = expenses[id]?.voucher, newest != records[id]?.voucher else { return [] }
    records[id]?.voucher = newest
    records[id]?.earned = newest.statement.cumulative
    return keep(id)
  }
}
