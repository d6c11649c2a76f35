// The accounts of one peer: performs what its book decides. It keeps each channel in a document
// before it says anything, talks to the other side by datagram, and has vouchers redeemed.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
private import Synchronization

/// On a thread of its own: it waits for the disk.
actor Accounts {
  nonisolated let terms: AccountTerms
  private nonisolated let ledger: any SettlementLedger
  private nonisolated let name: Bytes32
  private nonisolated let own: AccountParty
  private nonisolated let thread: any ActorThread
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  private var book: AccountBook
  private let store: AccountStore
  private let membership: Membership
  private let clock: any MeshClock
  private let threads: any ThreadSource
  private let alarm = Alarm()
  private var served: [WorkSessionID: ServedRank] = [:]
  private nonisolated let barred: Mutex<Set<PeerID>>
  private nonisolated let events: AsyncStream<AccountEvent>
  private nonisolated let inbox: AsyncStream<AccountEvent>.Continuation
  /// Why something could not be kept; nothing is signed until it can be.
  private(set) var trouble: String?

  /// Between two looks at the ledger; a challenge lasts for hours.
  private static let look = Duration.seconds(5)
  /// Vouchers of one transaction.
  private static let batch = 32
  /// Events that may wait: a rank stops at eight of its own.
  private static let eventLimit = 65_536

  init(
    terms: AccountTerms, peer: PeerID, ledger: any SettlementLedger, store: AccountStore,
    membership: Membership, clock: any MeshClock, threads: any ThreadSource
  ) throws {
    self.terms = terms
    self.ledger = ledger
    self.store = store
    self.membership = membership
    self.clock = clock
    self.threads = threads
    own = AccountParty(peer: peer, account: ledger.signer.account)
    name = ledger.domain.separator
    book = AccountBook(
      signer: ledger.signer, domain: ledger.domain, terms: terms, lends: ledger.lends,
      kept: try store.load())
    barred = Mutex(try store.barred())
    thread = threads.thread(name: "accounts")
    (events, inbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.eventLimit))
  }

  /// What the record of a peer says that works on these terms.
  static func payment(_ terms: AccountTerms, _ ledger: any SettlementLedger) -> PaymentTerms {
    PaymentTerms(
      ledger: ledger.domain.separator, account: ledger.signer.account.raw,
      price: terms.asks.perMebiUnit)
  }

  /// Takes in what threads tell, and says again what was not answered, until cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await event in self.events { await self.take(event) } }
      group.addTask { await self.keepTime() }
      if !ledger.lends { group.addTask { await self.watchLedger() } }
      await group.next()
      group.cancelAll()
    }
  }

  deinit { thread.stop() }

  private func keepTime() async {
    while !Task.isCancelled {
      await alarm.sleep(until: book.nextDeadline, clock)
      await perform(book.wake(at: clock.now()))
    }
  }

  func receive(_ bytes: [UInt8], from peer: PeerID) async {
    guard let message = try? AccountMessage(bytes: bytes) else { return }
    await perform(book.receive(message, from: peer, at: clock.now()))
  }

  private func take(_ event: AccountEvent) async {
    let now = clock.now()
    switch event {
    case .worked(let session, let chunk):
      let rank = served[session]
      await perform(book.worked(session, chunk, at: now))
      rank?.update(book.service(of: session), heard: true)
    case .over(let session):
      book.over(session)
      served[session] = nil
    case .counted(let session, let chunk):
      await perform(book.counted(session, chunk, at: now))
    case .dismissed(let session, let asked):
      await perform(book.dismiss(session, asked: asked, at: now))
    }
  }

  /// Keeps first, in one go, so that what is kept is never older than what was kept before.
  private func perform(_ effects: [AccountEffect]) async {
    var messages: [(AccountMessage, PeerID)] = []
    keeping: for effect in effects {
      switch effect {
      case .keep(let record):
        do {
          try store.keep(record)
          trouble = nil
        } catch {
          // Nothing is said that is not kept: the other side asks again.
          trouble = "\(error)"
          break keeping
        }
      case .send(let message, let peer): messages.append((message, peer))
      case .service(let session, let service):
        served[session]?.update(service, heard: false)
      case .caught(let fault):
        barred.withLock { _ = $0.insert(fault.peer) }
        do { try store.keep(fault) } catch { trouble = "\(error)" }
      }
    }
    alarm.advance(to: book.nextDeadline)
    for (message, peer) in messages { await membership.send(ledger: message.bytes, to: peer) }
  }

  // MARK: Working

  /// Begins to count what this peer does as a rank of somebody's job. Nil: it is not paid for it.
  func serve(
    _ prepare: Prepare, for driver: PeerID, _ share: RankShare, _ manifest: ModelManifest
  ) async throws(JobFailure) -> ServedRank? {
    guard driver != own.peer else { return nil }
    let offer = prepare.payment.flatMap { $0.ledger == name ? $0 : nil }
    let price = offer?.price ?? 0
    guard price >= terms.asks.perMebiUnit else {
      throw .unpaid(asked: terms.asks.perMebiUnit, offered: price)
    }
    guard let offer, price > 0 else { return nil }
    guard !isBarred(driver), !ledger.lends || offer.account == driver.raw else {
      throw .unpaid(asked: .max, offered: price)
    }
    let payer = AccountParty(peer: driver, account: LedgerAccount(offer.account))
    let session = WorkSession(
      id: WorkSessionID(job: prepare.job, term: prepare.term, payee: own.account),
      manifest: prepare.model, plan: prepare.plan, atoms: share.atomsHash(manifest),
      price: WorkPrice(perMebiUnit: price))
    do {
      let shown = try await ledger.channel(payer: payer.account, payee: own.account)
      _ = try book.serve(
        session, for: payer, epoch: shown.epoch, state: ledger.lends ? nil : shown.state)
    } catch {
      throw JobFailure(error as? SettlementError ?? .ledgerUnseen, terms.asks, price)
    }
    let rank = ServedRank(
      session: session.id, meter: WorkMeter(WorkUnits(share, of: manifest.cut)),
      service: book.service(of: session.id), gate: threads.gate(), tell: { self.tell($0) })
    served[session.id] = rank
    return rank
  }

  private nonisolated func tell(_ event: AccountEvent) { inbox.yield(event) }

  // MARK: Paying

  /// Peers whose work this peer does not pay for: they ask too much, or on another ledger, or were
  /// caught.
  nonisolated func unaffordable(_ records: [CapabilityRecord]) -> [PeerID] {
    let barred = barred.withLock { $0 }
    return records.filter { record in
      guard record.peer != own.peer else { return false }
      guard let asks = record.payment, asks.price > 0 else { return barred.contains(record.peer) }
      return asks.ledger != name || asks.price > terms.pays.perMebiUnit
        || barred.contains(record.peer)
    }.map(\.peer)
  }

  /// One price for all members of a plan: the highest that any of them asks. Nil: nobody asks.
  nonisolated func offer(_ plan: MeshPlan, _ records: [CapabilityRecord]) -> PaymentTerms? {
    let members = Set(plan.members).subtracting([own.peer])
    let price =
      records.filter { members.contains($0.peer) }.compactMap(\.payment)
      .filter { $0.ledger == name }.map(\.price).max() ?? 0
    guard price > 0 else { return nil }
    return PaymentTerms(ledger: name, account: own.account.raw, price: price)
  }

  /// Begins to pay the ranks of a term that take part in this ledger. Throws `TermEnd` where one of
  /// them cannot be paid: there is no channel to it.
  func hire(
    _ prepare: Prepare, _ plan: MeshPlan, _ manifest: ModelManifest,
    _ records: [CapabilityRecord]
  ) async throws -> TermBill? {
    guard let offer = prepare.payment else { return nil }
    var payees: [AccountParty?] = []
    var channels: [LedgerChannel?] = []
    for member in plan.members {
      let terms = records.first { $0.peer == member }?.payment
      guard member != own.peer, let terms, terms.ledger == name else {
        payees.append(nil)
        channels.append(nil)
        continue
      }
      let payee = AccountParty(peer: member, account: LedgerAccount(terms.account))
      let channel = try await ledger.channel(payer: own.account, payee: payee.account)
      guard ledger.lends || channel.state.isOpen && !channel.state.isClosing else {
        throw TermEnd(.unpaid(asked: offer.price, offered: 0), blamed: [member])
      }
      payees.append(payee)
      channels.append(channel)
    }
    return TermBill(
      ranks: try plan.members.indices.map { rank in
        guard let payee = payees[rank], let place = plan.rank(of: payee.peer) else { return nil }
        let session = WorkSession(
          id: WorkSessionID(job: prepare.job, term: prepare.term, payee: payee.account),
          manifest: prepare.model, plan: prepare.plan, atoms: place.share.atomsHash(manifest),
          price: WorkPrice(perMebiUnit: offer.price))
        try book.hire(
          session, of: payee, epoch: channels[rank]?.epoch ?? 0,
          ceiling: ledger.lends ? nil : channels[rank]?.state.ceiling)
        return HiredRank(
          session: session.id, peer: payee.peer,
          meter: WorkMeter(WorkUnits(place.share, of: manifest.cut)), tell: { self.tell($0) })
      }, caught: { self.isBarred($0) })
  }

  private nonisolated func isBarred(_ peer: PeerID) -> Bool {
    barred.withLock { $0.contains(peer) }
  }

  // MARK: For people

  func report() -> CreditsReport {
    CreditsReport(
      own: own.peer, terms: terms, accounts: book.accounts, earned: book.earned,
      spent: book.spent, barred: barred.withLock { $0.sorted() }, trouble: trouble)
  }

  /// Asks everybody who owes this peer, or one of them, to agree that it is settled. On a chain
  /// vouchers are redeemed instead.
  func settle(_ peer: PeerID?) async throws -> Int {
    let due = book.accounts.filter {
      $0.side == .payee && $0.promised > $0.settled && (peer == nil || $0.other.peer == peer)
    }
    if !ledger.lends, !due.isEmpty {
      try await redeem(due.compactMap(\.voucher))
    } else {
      for account in due { await perform(book.settle(account.channel)) }
    }
    return due.count
  }

  // MARK: The chain

  /// Looks at the channels that something may be due on, and redeems in time, until cancelled.
  private func watchLedger() async {
    while !Task.isCancelled {
      do {
        try await clock.sleep(until: clock.now() + Self.look)
        try await refresh(book.accounts.filter { $0.side == .payee && $0.earned > $0.settled })
        book.ledger(isSeen: true)
        let due = book.redemptions
        if !due.isEmpty { try await redeem(due) }
        trouble = nil
      } catch is CancellationError {
        return
      } catch {
        // Nothing new begins, and work stops at the risk limit.
        book.ledger(isSeen: false)
        trouble = "\(error)"
      }
    }
  }

  private func redeem(_ vouchers: [Signed<Voucher>]) async throws {
    for start in stride(from: 0, to: vouchers.count, by: Self.batch) {
      try await ledger.redeem(Array(vouchers[start..<min(vouchers.count, start + Self.batch)]))
    }
    let channels = Set(vouchers.map(\.statement.channel))
    try await refresh(book.accounts.filter { channels.contains($0.channel) })
  }

  private func refresh(_ accounts: [AccountRecord]) async throws {
    for account in accounts {
      let shown = try await ledger.channel(payer: account.other.account, payee: own.account)
      let id = ChannelID(payer: account.other.account, payee: own.account, epoch: shown.epoch)
      // Of an earlier epoch: closed, and its vouchers are worth nothing.
      let state = id == account.channel ? shown.state : .none
      await perform(book.adopt(state, of: account.channel))
    }
  }
}

extension JobFailure {
  fileprivate init(_ error: SettlementError, _ asked: WorkPrice, _ offered: UInt64) {
    self =
      switch error {
      case .creditExhausted(let owed, let limit), .strangersExhausted(let owed, let limit),
        .overspend(let limit, let owed):
        .creditExhausted(
          owed: UInt64(clamping: owed.units), limit: UInt64(clamping: limit.units))
      case .wrongChannel, .badSignature, .staleVoucher, .unknownSession, .sessionExists, .notOpen,
        .ledgerUnseen, .replayedReceipt, .receiptGap, .overclaimed, .mismatch, .equivocated:
        .unpaid(asked: asked.perMebiUnit, offered: offered)
      }
  }
}
