// Accounts of two peers over a bad line: what is earned is what is spent, to the unit.

import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

struct AccountTests {
  @Test func `what was earned is what was spent, whatever the line loses, doubles and reorders`()
    throws
  {
    for seed in 1...100 as ClosedRange<UInt64> {
      var generator = Xorshift(state: seed &* 0x9E37_79B9_7F4A_7C15)
      var house = try Household(.test(window: 1 << 60, credit: 1 << 62))
      var total: UInt128 = 0
      let sessions = (1...3 as ClosedRange<UInt8>).map { WorkSession.test($0) }
      for session in sessions { try house.begin(session) }
      for _ in 0..<30 {
        let units = UInt64.random(in: 1...1_000, using: &generator)
        house.work(sessions.randomElement(using: &generator) ?? sessions[0], .test(units))
        total += UInt128(units)
        try disturb(&house, using: &generator)
      }
      for session in sessions {
        house.payee.over(session.id)
        _ = house.payer.dismiss(session.id, asked: nil, at: house.now)
      }
      // The line gets better, and what was lost is said again.
      for _ in 0..<12 {
        try house.deliver()
        house.wait(.seconds(6))
      }
      #expect(house.payee.earned == Amount(total), "seed \(seed)")
      #expect(house.payer.spent == Amount(total), "seed \(seed)")
      #expect(house.payee.accounts[0].owed == .zero)
      #expect(house.payeeDisk[house.channel]?.promised == Amount(total))
      #expect(house.payerDisk[house.channel]?.promised == Amount(total))
      #expect(house.payeeDisk[house.channel]?.work == house.payerDisk[house.channel]?.work)
      #expect(house.caught.isEmpty)
    }
  }

  private func disturb(
    _ house: inout Household, using generator: inout Xorshift
  ) throws {
    if Bool.random(using: &generator), !house.toPayer.isEmpty { house.toPayer.removeLast() }
    if Bool.random(using: &generator), let last = house.toPayee.last { house.toPayee.append(last) }
    house.toPayer.shuffle(using: &generator)
    house.toPayee.shuffle(using: &generator)
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      try house.deliverOne(toPayerFirst: Bool.random(using: &generator))
    }
    if Bool.random(using: &generator) { house.wait(.milliseconds(200)) }
  }

  @Test func `equal work earns equal shares, and shares add up to what is spent`() throws {
    let payer = try TestSigner(1)
    var book = AccountBook(
      signer: payer, domain: .test(), terms: .test(window: 1 << 60, credit: 1 << 62), lends: true)
    var earned: [Amount] = []
    for seed in 2...5 as ClosedRange<UInt8> {
      let key = try TestSigner(seed)
      var payee = AccountBook(
        signer: key, domain: .test(), terms: .test(window: 1 << 60, credit: 1 << 62), lends: true)
      let session = WorkSession.test(seed, price: 3)
      _ = try payee.serve(session, for: AccountParty(payer.identity.id))
      try book.hire(session, of: AccountParty(key.identity.id))
      // Two of them do the same work, cut into other chunks; the others twice of it.
      let chunks: [UInt64] =
        seed == 2 ? [7_000_003, 11] : seed == 3 ? [11, 7_000_003] : [7_000_014, 7_000_014]
      for units in chunks {
        _ = book.counted(session.id, .test(units), at: .init(nanoseconds: 0))
        for case .send(let claim, _) in payee.worked(
          session.id, .test(units), at: .init(nanoseconds: 0))
        {
          for case .send(let answer, _) in book.receive(
            claim, from: key.identity.id, at: .init(nanoseconds: 0))
          {
            _ = payee.receive(answer, from: payer.identity.id, at: .init(nanoseconds: 0))
          }
        }
      }
      earned.append(payee.earned)
    }
    let price = WorkPrice(perMebiUnit: 3)
    #expect(earned[0] == Amount(20) && earned[0] == earned[1])
    #expect(earned[2] == earned[3] && earned[2] == price.pay(14_000_028))
    #expect(book.spent == earned.reduce(.zero, +))
  }

  @Test func `a receipt replayed is answered and paid once`() throws {
    var house = try Household()
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(40))
    let claim = try #require(house.toPayer.first)
    try house.deliver()
    house.toPayer = [claim, claim]
    try house.deliver()
    #expect(house.payer.spent == Amount(40) && house.payee.earned == Amount(40))
    #expect(house.caught.isEmpty)
  }

  @Test func `overclaimed work is caught with both numbers, and nothing more is paid`() throws {
    var house = try Household()
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(50), seen: .test(40))
    try house.deliver()
    #expect(house.caught.map(\.error) == [.overclaimed(claimed: 50, counted: 40)])
    #expect(house.payer.barred == [house.payeeKey.identity.id])
    #expect(house.payer.spent == .zero)
  }

  @Test func `two receipts for one slot are caught, and the proof holds elsewhere`() throws {
    var house = try Household()
    let session = WorkSession.test(1)
    try house.begin(session)
    // The same payee on a second machine: a copy of its book before the first receipt.
    var twin = house.payee
    house.work(session, .test(40))
    try house.deliver()
    house.perform(twin.worked(session.id, .test(41), at: house.now), ofPayee: true)
    try house.deliver()
    let evidence = try #require(house.caught.first?.evidence)
    #expect(house.caught.count == 1)
    #expect(evidence.proves(against: house.payeeKey.account, .test()))
    #expect(!evidence.proves(against: house.payerKey.account, .test()))
  }

  @Test func `a stale voucher brings a payer back that lost its disk`() throws {
    var house = try Household()
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(40))
    try house.deliver()
    house.payerDisk = [:]
    house.restart()
    let next = WorkSession.test(2)
    try house.begin(next)
    house.work(next, .test(5))
    try house.deliver()
    #expect(house.payer.spent == Amount(40))
    house.work(next, .test(6))
    try house.deliver()
    #expect(house.payer.spent == Amount(46) && house.payee.earned == Amount(46))
  }

  @Test func `work stops at what is lent, and the promise beyond it is taken once that is settled`()
    throws
  {
    var house = try Household(.test(credit: 100))
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(90))
    try house.deliver()
    #expect(house.payee.service(of: session.id) == .goesOn)
    house.work(session, .test(20))
    try house.deliver()
    #expect(house.payee.earned == Amount(90))
    #expect(house.payee.service(of: session.id) == .ceilingReached(Amount(100)))
    // No fault: what is lent is the payee's own business.
    #expect(house.caught.isEmpty)
    house.perform(house.payee.settle(house.channel), ofPayee: true)
    try house.deliver()
    house.wait(.seconds(1))
    try house.deliver()
    #expect(house.payee.earned == Amount(110))
    #expect(house.payee.service(of: session.id) == .goesOn)
  }

  @Test
  func `a client that promises more than its escrow is caught, and costs what it had promised`()
    throws
  {
    let house = try Household()
    var payee = AccountBook(
      signer: house.payeeKey, domain: .test(), terms: .test(), lends: false)
    let escrow = ChannelState(
      ceiling: Amount(100), settled: .zero, isClosing: false, isOpen: true)
    let session = WorkSession.test(1)
    _ = try payee.serve(session, for: house.payerParty, state: escrow)
    _ = payee.worked(session.id, .test(90), at: house.now)
    func voucher(_ amount: UInt128) -> AccountMessage {
      .voucher(
        Voucher(channel: house.channel, cumulative: Amount(amount), receipt: .zero)
          .signed(by: house.payerKey, .test()))
    }
    _ = payee.receive(voucher(90), from: house.payerKey.identity.id, at: house.now)
    let effects = payee.receive(voucher(101), from: house.payerKey.identity.id, at: house.now)
    let overspend = SettlementError.overspend(ceiling: Amount(100), asked: Amount(101))
    #expect(
      effects == [
        .caught(
          AccountFault(
            peer: house.payerKey.identity.id, session: nil, error: overspend))
      ])
    #expect(payee.earned == Amount(90))
    // A payer that closes in the middle of a session is worked for no more, and pays at once.
    let closing = ChannelState(
      ceiling: Amount(100), settled: .zero, isClosing: true, isOpen: true)
    #expect(
      payee.adopt(closing, of: house.channel).contains(.service(session.id, .closing)))
    #expect(payee.redemptions.map(\.statement.cumulative) == [Amount(90)])
    #expect(throws: SettlementError.notOpen(house.channel)) {
      try payee.serve(.test(2), for: house.payerParty, state: closing)
    }
  }

  @Test func `a payer that turns silent costs its window and one chunk at most`() throws {
    var house = try Household(.test(window: 100))
    let session = WorkSession.test(1)
    try house.begin(session)
    var done: UInt128 = 0
    while house.payee.service(of: session.id) == .goesOn {
      house.work(session, .test(30))
      house.toPayer = []
      done += 30
    }
    #expect(done == 120)
    #expect(throws: SettlementError.creditExhausted(owed: Amount(120), window: Amount(100))) {
      try house.payee.serve(.test(2), for: house.payerParty)
    }
  }

  @Test func `a session that breaks off is paid for what was asked, and not for more`() throws {
    var house = try Household()
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(40))
    try house.deliver()
    // One step more was done than was seen.
    house.perform(
      house.payee.worked(
        session.id,
        WorkChunk(tokens: 3, workUnits: 30, input: word(1), output: word(2)), at: house.now),
      ofPayee: true)
    try house.deliver()
    #expect(house.payee.earned == Amount(40))
    house.perform(
      house.payer.dismiss(
        session.id, asked: WorkAllowance(tokens: 3, workUnits: 30), at: house.now),
      ofPayee: false)
    try house.deliver()
    #expect(house.payee.earned == Amount(70) && house.payer.spent == Amount(70))
    house.perform(
      house.payee.worked(session.id, .test(1), at: house.now), ofPayee: true)
    try house.deliver()
    #expect(house.payer.spent == Amount(70))
  }

  @Test func `accounts survive a restart of both sides`() throws {
    var house = try Household()
    try house.begin(.test(1))
    house.work(.test(1), .test(40))
    try house.deliver()
    house.restart()
    #expect(house.payer.spent == Amount(40) && house.payee.earned == Amount(40))
    #expect(house.payee.accounts[0].work == house.payer.accounts[0].work)
    try house.begin(.test(2))
    house.work(.test(2), .test(3))
    try house.deliver()
    #expect(house.payer.spent == Amount(43) && house.payee.earned == Amount(43))
  }

  @Test func `what both sides agree is settled is lent again`() throws {
    var house = try Household(.test(credit: 100))
    let session = WorkSession.test(1)
    try house.begin(session)
    house.work(session, .test(100))
    try house.deliver()
    #expect(house.payee.service(of: session.id) == .ceilingReached(Amount(100)))
    house.perform(house.payee.settle(house.channel), ofPayee: true)
    let asked = house.toPayer
    try house.deliver()
    #expect(house.payee.accounts[0].settled == Amount(100))
    #expect(house.payer.accounts[0].settled == Amount(100))
    #expect(house.payee.service(of: session.id) == .goesOn)
    // Each holds the other's signature, also after a restart; asking twice changes nothing.
    house.toPayer = asked
    try house.deliver()
    house.restart()
    let (kept, theirs) = (house.payee.accounts[0], house.payer.accounts[0])
    #expect(kept.agreement?.isValid(by: house.payerKey.account, .test()) == true)
    #expect(theirs.agreement?.isValid(by: house.payeeKey.account, .test()) == true)
    _ = try house.payee.serve(.test(2), for: house.payerParty)
  }

  @Test func `messages and records of all kinds survive the wire, and no cut of them traps`() throws
  {
    var house = try Household()
    try house.begin(.test(1))
    house.work(.test(1), .test(40))
    let claim = try #require(house.toPayer.first)
    try house.deliver()
    house.perform(house.payee.settle(house.channel), ofPayee: true)
    let settle = try #require(house.toPayer.first)
    try house.deliver()
    for message in [claim, settle] {
      let bytes = message.bytes
      #expect(bytes.count <= 1_080)
      #expect(AccountMessage.tags.contains(bytes[0]))
      for count in bytes.indices {
        #expect(throws: WireError.self) { try AccountMessage(bytes: Array(bytes[..<count])) }
      }
    }
    for record in house.payeeDisk.values {
      #expect(try AccountRecord(bytes: record.bytes) == record)
      for count in record.bytes.indices {
        #expect(throws: WireError.self) { try AccountRecord(bytes: Array(record.bytes[..<count])) }
      }
    }
  }
}
