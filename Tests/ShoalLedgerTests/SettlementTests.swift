// The failure cases of pay per use, one by one, on both sides of a channel.

import ShoalLedger
import ShoalProtocol
import Testing

struct SettlementTests {
  // MARK: Pay

  @Test func `work is paid to the unit and both sides agree on it`() throws {
    var pair = try Pair()
    let session = WorkSession.test(1)
    try pair.begin(session)
    for units in [7, 11, 13] as [UInt64] { try pair.pay(session, .test(units)) }
    #expect(pair.payee.earned == Amount(31))
    #expect(pair.payee.promised == Amount(31))
    #expect(pair.payer.promised == Amount(31))
    #expect(pair.payee.owed == .zero)
  }

  @Test func `how work is cut into chunks changes no pay`() throws {
    let price: UInt64 = 3
    var generator = Xorshift(state: 5)
    for _ in 0..<50 {
      let total = UInt64.random(in: 1...10_000_000, using: &generator)
      var chain = ReceiptChain(channel: ChannelID(word(1)), session: .test(1, price: price))
      var left = total
      while left > 0 {
        let part = UInt64.random(in: 1...left, using: &generator)
        chain.append(chain.receipt(for: .test(part)))
        left -= part
      }
      #expect(chain.pay == WorkPrice(perMebiUnit: price).pay(total))
      #expect(chain.pay == Amount((UInt128(total) * UInt128(price)) / 1_048_576))
      #expect(total < 1_000_000 || chain.pay > .zero)
    }
  }

  @Test func `two sessions of one channel add up in any order of their receipts`() throws {
    var pair = try Pair()
    let (one, two) = (WorkSession.test(1), WorkSession.test(2))
    try pair.begin(one)
    try pair.begin(two)
    let first = try pair.work(one, .test(10))
    let second = try pair.work(two, .test(20))
    try pair.payee.accept(pair.answer(second))
    try pair.payee.accept(pair.answer(first))
    #expect(pair.payee.promised == Amount(30))
    pair.payee.end(one.id)
    #expect(pair.payee.earned == Amount(30))
  }

  // MARK: Vouchers

  @Test func `a voucher replayed changes nothing`() throws {
    var pair = try Pair()
    let voucher = pair.voucher(50)
    try pair.payee.accept(voucher)
    try pair.payee.accept(voucher)
    #expect(pair.payee.promised == Amount(50))
  }

  @Test func `an older voucher is answered with the newest`() throws {
    var pair = try Pair()
    let newest = pair.voucher(50)
    try pair.payee.accept(newest)
    #expect(throws: SettlementError.staleVoucher(newest: newest)) {
      try pair.payee.accept(pair.voucher(49))
    }
    #expect(pair.payee.promised == Amount(50))
  }

  @Test func `a voucher of another channel is refused`() throws {
    var pair = try Pair()
    let other = try Pair(payerSeed: 7)
    #expect(throws: SettlementError.wrongChannel(expected: pair.id, found: other.id)) {
      try pair.payee.accept(other.voucher(10))
    }
  }

  @Test func `a voucher of an earlier epoch is refused`() throws {
    var pair = try Pair(epoch: 1)
    let before = try Pair(epoch: 0)
    #expect(throws: SettlementError.wrongChannel(expected: pair.id, found: before.id)) {
      try pair.payee.accept(before.voucher(10))
    }
  }

  @Test func `a voucher signed for another network, chain or contract is refused`() throws {
    var pair = try Pair()
    let contract = try #require(EthereumAddress([UInt8](repeating: 1, count: 20)))
    let others: [SettlementDomain] = [
      .test(2),
      SettlementDomain(chain: .zero, contract: .zero, verify: TestSigner.verification),
      SettlementDomain(
        chain: UInt256(UInt64(1)), contract: contract, verify: TestSigner.verification),
      SettlementDomain(
        chain: UInt256(UInt64(2)), contract: contract, verify: TestSigner.verification),
    ]
    #expect(Set((others + [pair.domain]).map(\.separator)).count == 5)
    for domain in others {
      let voucher = Voucher(channel: pair.id, cumulative: Amount(10), receipt: .zero)
        .signed(by: pair.payerKey, domain)
      #expect(throws: SettlementError.badSignature) { try pair.payee.accept(voucher) }
    }
  }

  @Test func `a voucher signed by somebody else, or damaged, is refused`() throws {
    var pair = try Pair()
    let stranger = try TestSigner(9)
    #expect(throws: SettlementError.badSignature) {
      try pair.payee.accept(pair.voucher(10, by: stranger))
    }
    let good = pair.voucher(10)
    for signature in [[], Array(good.signature.dropLast()), good.signature.map { $0 ^ 1 }] {
      #expect(throws: SettlementError.badSignature) {
        try pair.payee.accept(Signed(statement: good.statement, signature: signature))
      }
    }
    let raised = Voucher(channel: pair.id, cumulative: Amount(11), receipt: .zero)
    #expect(throws: SettlementError.badSignature) {
      try pair.payee.accept(Signed(statement: raised, signature: good.signature))
    }
    #expect(pair.payee.promised == .zero)
  }

  @Test func `a voucher beyond what the channel can pay is refused`() throws {
    var pair = try Pair(limit: 100)
    #expect(throws: SettlementError.overspend(ceiling: Amount(100), asked: Amount(101))) {
      try pair.payee.accept(pair.voucher(101))
    }
    try pair.payee.accept(pair.voucher(100))
  }

  @Test func `a payer refuses to promise more than its budget`() throws {
    var pair = try Pair(limit: 100)
    let session = WorkSession.test(1)
    try pair.begin(session)
    try pair.pay(session, .test(90))
    let receipt = try pair.work(session, .test(20))
    #expect(throws: SettlementError.overspend(ceiling: Amount(100), asked: Amount(110))) {
      try pair.answer(receipt)
    }
    #expect(pair.payer.promised == Amount(90))
  }

  // MARK: Credit

  @Test func `a payer that turns silent costs its window and one chunk at most`() throws {
    var pair = try Pair(window: 100)
    let session = WorkSession.test(1)
    try pair.begin(session)
    var chunks = 0
    while pair.payee.service == .goesOn {
      _ = try pair.work(session, .test(30))
      chunks += 1
    }
    #expect(chunks == 4)
    #expect(pair.payee.service == .waits(owed: Amount(120), window: Amount(100)))
    #expect(throws: SettlementError.creditExhausted(owed: Amount(120), window: Amount(100))) {
      try pair.payee.begin(.test(2))
    }
  }

  @Test func `service goes on when the voucher comes`() throws {
    var pair = try Pair(window: 20)
    let session = WorkSession.test(1)
    try pair.begin(session)
    let receipt = try pair.work(session, .test(30))
    #expect(pair.payee.service == .waits(owed: Amount(30), window: Amount(20)))
    try pair.payee.accept(pair.answer(receipt))
    #expect(pair.payee.service == .goesOn)
  }

  @Test func `many names of one operator get no more than strangers get together`() throws {
    var book = PayeeBook(strangersLimit: Amount(250))
    var refused = 0
    for seed in 20..<40 as Range<UInt8> {
      let pair = try Pair(payerSeed: seed, window: 100)
      book[pair.id] = pair.payee
      do throws(SettlementError) {
        try book.begin(.test(seed), on: pair.id, isSecured: false)
      } catch {
        guard case .strangersExhausted = error else { throw error }
        refused += 1
        continue
      }
      while book.service(pair.id, isSecured: false) == .goesOn {
        _ = try book[pair.id]?.work(WorkSessionID(word(seed)), .test(30))
      }
    }
    #expect(refused == 17)
    #expect(book.owedByStrangers < Amount(250 + 30))
    // One who has settled is no stranger, nor is one whose channel holds escrow.
    var known = try Pair(payerSeed: 50)
    known.payee.adopt(.credit(limit: Amount(1_000), settled: Amount(5)))
    book[known.id] = known.payee
    try book.begin(.test(50), on: known.id, isSecured: false)
    let secured = try Pair(payerSeed: 51)
    book[secured.id] = secured.payee
    try book.begin(.test(51), on: secured.id, isSecured: true)
  }

  // MARK: The ledger

  @Test func `closing in the middle of a session stops work and redeems at once`() throws {
    var pair = try Pair(redeemAt: 500)
    let session = WorkSession.test(1)
    try pair.begin(session)
    try pair.pay(session, .test(40))
    #expect(pair.payee.redemption == nil)
    pair.payee.adopt(
      ChannelState(ceiling: Amount(1_000), settled: .zero, isClosing: true, isOpen: true))
    #expect(pair.payee.service == .closing)
    #expect(pair.payee.redemption?.statement.cumulative == Amount(40))
    #expect(throws: SettlementError.notOpen(pair.id)) { try pair.payee.begin(.test(2)) }
    // Redeemed: nothing is left to do.
    pair.payee.adopt(
      ChannelState(ceiling: Amount(1_000), settled: Amount(40), isClosing: true, isOpen: true))
    #expect(pair.payee.redemption == nil)
  }

  @Test func `vouchers are redeemed when enough is unsettled`() throws {
    var pair = try Pair(redeemAt: 50)
    try pair.payee.accept(pair.voucher(49))
    #expect(pair.payee.redemption == nil)
    try pair.payee.accept(pair.voucher(50))
    #expect(pair.payee.redemption?.statement.cumulative == Amount(50))
  }

  @Test func `a watchtower redeems for a payee that is away, and nothing else`() throws {
    let pair = try Pair()
    var tower = Watchtower(domain: pair.domain)
    let stranger = try TestSigner(9)
    let payer = pair.payerKey.account
    let kept = [pair.voucher(60, by: stranger), pair.voucher(50), pair.voucher(40)].map {
      tower.keep($0, signer: payer)
    }
    #expect(kept == [false, true, false])
    var state = ChannelState.credit(limit: Amount(100))
    #expect(tower.redemption(pair.id, state) == nil)
    state.isClosing = true
    #expect(tower.redemption(pair.id, state)?.statement.cumulative == Amount(50))
    state.settled = Amount(50)
    #expect(tower.redemption(pair.id, state) == nil)
  }

  @Test func `while the ledger is dark nothing new begins and work stops at the risk limit`() throws
  {
    var pair = try Pair(window: 1_000, riskLimit: 100)
    let session = WorkSession.test(1)
    try pair.begin(session)
    pair.payee.ledger(isSeen: false)
    #expect(throws: SettlementError.ledgerUnseen) { try pair.payee.begin(.test(2)) }
    try pair.pay(session, .test(60))
    #expect(pair.payee.service == .goesOn)
    try pair.pay(session, .test(60))
    #expect(pair.payee.service == .ledgerUnseen)
    pair.payee.ledger(isSeen: true)
    #expect(pair.payee.service == .goesOn)
  }

  @Test func `an opening that is undone ends service, and a second one resumes it`() throws {
    var pair = try Pair()
    let session = WorkSession.test(1)
    try pair.begin(session)
    try pair.pay(session, .test(10))
    pair.payee.adopt(.none)
    #expect(pair.payee.service == .closing)
    #expect(pair.payee.redemption == nil)
    pair.payee.adopt(.credit(limit: Amount(1_000)))
    #expect(pair.payee.service == .goesOn)
    #expect(pair.payee.promised == Amount(10))
  }

  @Test func `a redemption that is undone is made again`() throws {
    var pair = try Pair(redeemAt: 50)
    try pair.payee.accept(pair.voucher(60))
    #expect(pair.payee.redemption != nil)
    pair.payee.adopt(.credit(limit: Amount(1_000), settled: Amount(60)))
    #expect(pair.payee.redemption == nil)
    pair.payee.adopt(.credit(limit: Amount(1_000)))
    #expect(pair.payee.redemption?.statement.cumulative == Amount(60))
  }

  // MARK: Lost disks

  @Test func `a payer that lost its disk resumes from the payee's newest voucher`() throws {
    var pair = try Pair()
    let session = WorkSession.test(1)
    try pair.begin(session)
    try pair.pay(session, .test(40))
    pair.payer = PayerChannel(
      id: pair.id, payer: pair.payerKey.account, payee: pair.payeeKey.account,
      domain: pair.domain, budget: Amount(1_000))
    let next = WorkSession.test(2)
    try pair.begin(next)
    let receipt = try pair.work(next, .test(5))
    let stale = try pair.answer(receipt)
    #expect(stale.statement.cumulative == Amount(5))
    let error = #expect(throws: SettlementError.self) { try pair.payee.accept(stale) }
    guard case .staleVoucher(let newest)? = error else {
      Issue.record("no newest voucher: \(String(describing: error))")
      return
    }
    try pair.payer.recover(newest)
    try pair.pay(next, .test(6))
    #expect(pair.payee.promised == Amount(46))
    // What was worked while it had forgotten stays owed, inside the window.
    #expect(pair.payee.owed == Amount(5))
  }

  @Test func `a payer takes no voucher back that it never signed`() throws {
    var pair = try Pair()
    let forged = pair.voucher(500, by: pair.payeeKey)
    #expect(throws: SettlementError.badSignature) { try pair.payer.recover(forged) }
    #expect(pair.payer.promised == .zero)
  }

  @Test func `a payee that lost its disk learns from the next voucher what it earned`() throws {
    var pair = try Pair()
    let session = WorkSession.test(1)
    try pair.begin(session)
    try pair.pay(session, .test(40))
    pair.payee = PayeeChannel(
      id: pair.id, payer: pair.payerKey.account, terms: pair.terms, domain: pair.domain)
    pair.payee.adopt(.credit(limit: Amount(1_000)))
    let kept = try #require(pair.payer.voucher)
    try pair.payee.accept(kept)
    #expect(pair.payee.earned == Amount(40))
    let next = WorkSession.test(2)
    try pair.begin(next)
    try pair.pay(next, .test(2))
    #expect(pair.payee.promised == Amount(42))
  }
}

/// Marsaglia, "Xorshift RNGs" (2003).
struct Xorshift: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
