// Payees that cheat: what a payer refuses, and what it can prove to others.

import ShoalLedger
import ShoalProtocol
import Testing

struct ReceiptTests {
  private let session = WorkSession.test(1)

  private func pair() throws -> Pair {
    var pair = try Pair()
    try pair.begin(session)
    return pair
  }

  @Test func `the statements' types are those of the ledger's design`() throws {
    let schema = TypedSchema([Voucher.structure, Receipt.structure])
    #expect(
      try schema.encodedType("Voucher")
        == "Voucher(bytes32 channelId,uint256 cumulative,bytes32 receipt)")
    #expect(
      try schema.encodedType("Receipt")
        == "Receipt(bytes32 channelId,bytes32 session,uint64 sequence,bytes32 previous,"
        + "bytes32 manifestHash,bytes32 planHash,bytes32 atoms,uint64 tokens,uint64 workUnits,"
        + "uint256 cumulative,bytes32 inputHash,bytes32 outputHash)")
  }

  @Test func `a receipt replayed is paid once`() throws {
    var pair = try pair()
    let receipt = try pair.work(session, .test(10))
    try pair.payee.accept(pair.answer(receipt))
    #expect(throws: SettlementError.replayedReceipt(sequence: 1)) { try pair.answer(receipt) }
    #expect(pair.payer.promised == Amount(10))
  }

  @Test func `overclaimed work is refused with both numbers`() throws {
    var pair = try pair()
    let receipt = try pair.work(session, .test(11), counted: .test(10))
    #expect(throws: SettlementError.overclaimed(claimed: 11, counted: 10)) {
      try pair.answer(receipt)
    }
    #expect(pair.payer.promised == .zero)
  }

  @Test func `results other than those that arrived are not paid`() throws {
    var pair = try pair()
    let receipt = try pair.work(session, .test(10, output: 5), counted: .test(10, output: 4))
    #expect(throws: SettlementError.mismatch(.output)) { try pair.answer(receipt) }
  }

  @Test func `each field of a receipt is held against what the payer knows`() throws {
    let good = try pair().payee
    var working = good
    let receipt = try working.work(session.id, .test(10))
    let faults: [(ReceiptField, Receipt)] = [
      (.previous, receipt.with(previous: word(1))),
      (.manifest, receipt.with(manifest: ModelID(word(1)))),
      (.plan, receipt.with(plan: PlanID(word(1)))),
      (.atoms, receipt.with(atoms: word(1))),
      (.tokens, receipt.with(tokens: 31)),
      (.workUnits, receipt.with(workUnits: 9)),
      (.cumulative, receipt.with(cumulative: Amount(11))),
      (.input, receipt.with(input: word(1))),
    ]
    for (field, faulty) in faults {
      var pair = try pair()
      try pair.payer.counted(session.id, .test(10))
      let signed = faulty.signed(by: pair.payeeKey, pair.domain)
      #expect(throws: SettlementError.mismatch(field)) { try pair.payer.accept(signed) }
      #expect(pair.payer.promised == .zero)
    }
  }

  @Test func `a receipt without a place in the chain is refused`() throws {
    var pair = try pair()
    let early = try pair.payee.work(session.id, .test(10)).signed(by: pair.payeeKey, pair.domain)
    // Before the payer has counted anything.
    #expect(throws: SettlementError.receiptGap(expected: 1, found: 1)) {
      try pair.payer.accept(early)
    }
    let second = try pair.work(session, .test(10))
    #expect(throws: SettlementError.receiptGap(expected: 1, found: 2)) { try pair.answer(second) }
    #expect(throws: SettlementError.unknownSession(WorkSessionID(word(77)))) {
      try pair.payer.accept(
        early.statement.with(session: WorkSessionID(word(77)))
          .signed(by: pair.payeeKey, pair.domain))
    }
  }

  @Test func `a receipt signed by another is refused`() throws {
    var pair = try pair()
    try pair.payer.counted(session.id, .test(10))
    let receipt = try pair.payee.work(session.id, .test(10))
    let forged = receipt.signed(by: pair.payerKey, pair.domain)
    #expect(throws: SettlementError.badSignature) { try pair.payer.accept(forged) }
  }

  @Test func `two receipts for one slot are a proof that others can check`() throws {
    var pair = try pair()
    let first = try pair.work(session, .test(10))
    _ = try pair.answer(first)
    let second = first.statement.with(output: word(99)).signed(by: pair.payeeKey, pair.domain)
    let error = #expect(throws: SettlementError.self) { try pair.payer.accept(second) }
    guard case .equivocated(let proof)? = error else {
      Issue.record("no proof: \(String(describing: error))")
      return
    }
    let payee = pair.payeeKey.account
    #expect(proof.proves(against: payee, pair.domain))
    // A third rechecks from bytes, and only against this payee and this ledger.
    #expect(!proof.proves(against: pair.payerKey.account, pair.domain))
    #expect(!proof.proves(against: payee, .test(2)))
    #expect(!Equivocation(first: first, second: first).proves(against: payee, pair.domain))
    // Nothing more is paid to it.
    let next = try pair.work(session, .test(5))
    #expect(throws: SettlementError.equivocated(proof)) { try pair.answer(next) }
  }

  @Test func `statements survive the wire, and nothing else is read as one`() throws {
    var pair = try pair()
    let receipt = try pair.work(session, .test(10))
    var writer = ByteWriter()
    receipt.write(to: &writer)
    var reader = ByteReader(writer.bytes)
    #expect(try Signed<Receipt>(from: &reader) == receipt)
    for count in 0..<writer.bytes.count {
      var cut = ByteReader(Array(writer.bytes.prefix(count)))
      #expect(throws: WireError.self) { try Signed<Receipt>(from: &cut) }
    }
  }
}

extension Receipt {
  fileprivate func with(
    session: WorkSessionID? = nil, previous: Bytes32? = nil, manifest: ModelID? = nil,
    plan: PlanID? = nil, atoms: Bytes32? = nil, tokens: UInt64? = nil, workUnits: UInt64? = nil,
    cumulative: Amount? = nil, input: Bytes32? = nil, output: Bytes32? = nil
  ) -> Receipt {
    Receipt(
      channel: channel, session: session ?? self.session, sequence: sequence,
      previous: previous ?? self.previous, manifest: manifest ?? self.manifest,
      plan: plan ?? self.plan, atoms: atoms ?? self.atoms, tokens: tokens ?? self.tokens,
      workUnits: workUnits ?? self.workUnits, cumulative: cumulative ?? self.cumulative,
      input: input ?? self.input, output: output ?? self.output)
  }
}
