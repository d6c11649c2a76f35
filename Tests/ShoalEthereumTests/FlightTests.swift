// Transactions through a pool that forgets, blocks that are taken back, fees that rise, answers
// that are lost and restarts: every order happens once.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

/// A chain that knows transactions of one account only.
private struct FakePool {
  var blocks: [[SignedTransaction]] = []
  var waiting: [SignedTransaction] = []
  var baseFee: UInt128 = 100
  var chance: SplitMix

  var mined: [SignedTransaction] { Array(blocks.joined()) }
  var nonce: UInt64 { UInt64(mined.count) }

  static func price(_ transaction: SignedTransaction) -> UInt128 {
    guard case .feeMarket(_, _, let cap, _) = transaction.transaction.kind else { return 0 }
    return cap.narrow ?? 0
  }

  mutating func mine() {
    var block: [SignedTransaction] = []
    while let next = waiting.first(where: {
      $0.transaction.nonce == nonce + UInt64(block.count) && Self.price($0) >= baseFee
    }) {
      block.append(next)
      waiting.removeAll { $0.transaction.nonce <= next.transaction.nonce }
    }
    blocks.append(block)
  }

  /// Transactions of blocks that go may wait again, or be forgotten.
  mutating func reorganise(depth: Int) {
    let gone = blocks.suffix(depth).joined()
    blocks.removeLast(min(depth, blocks.count))
    for transaction in gone where Bool.random(using: &chance) { waiting.append(transaction) }
    for _ in 0..<depth { blocks.append([]) }
  }

  mutating func send(_ transaction: SignedTransaction) -> FlightAnswer {
    let number = transaction.transaction.nonce
    guard number >= nonce else { return FlightAnswer(refusal: "nonce too low: next nonce 9") }
    if waiting.contains(transaction) { return FlightAnswer(refusal: "already known") }
    if let rival = waiting.first(where: { $0.transaction.nonce == number }) {
      guard Self.price(transaction) * 10 >= Self.price(rival) * 11 else {
        return FlightAnswer(refusal: "replacement transaction underpriced")
      }
      waiting.removeAll { $0 == rival }
    }
    waiting.append(transaction)
    return .accepted
  }

  func receipt(_ hash: Bytes32) -> ChainReceipt? {
    for (number, block) in blocks.enumerated() where block.contains(where: { $0.hash == hash }) {
      return ChainReceipt(
        transaction: hash, block: UInt64(number), blockHash: .zero, isSuccess: true, gasUsed: 1,
        contract: nil)
    }
    return nil
  }

  mutating func answer(_ question: FlightQuestion) -> FlightAnswer {
    switch question {
    case .nonce: .number(nonce + UInt64(waiting.count { $0.transaction.nonce >= nonce }))
    case .fees: .fees(ChainFees(base: baseFee, tip: 2))
    case .gas: .number(50_000)
    case .send(let transaction): send(transaction)
    case .receipt(let hash): .receipt(receipt(hash))
    case .head: .number(UInt64(blocks.count) - 1)
    }
  }
}

struct FlightTests {
  private static let confirmations: UInt64 = 6

  private static func key() throws -> EthereumKey {
    try #require(EthereumKey(SecretBytes([UInt8](repeating: 7, count: 32))))
  }

  private struct Story {
    var replaced = 0
    var restarts = 0
    var lost = 0
  }

  private static func run(_ seed: UInt64) throws -> (FakePool, [TransactionOrder], Story) {
    var pool = FakePool(chance: SplitMix(state: seed &* 91))
    var chance = SplitMix(state: seed)
    var story = Story()
    var now = Moment(nanoseconds: 0)
    pool.blocks = [[]]
    let orders = (0..<4 as Range<UInt8>).map {
      TransactionOrder(recipient: .zero, data: [$0])
    }
    for order in orders {
      var flight = TransactionFlight(
        .init(order), key: try key(), chain: 1, confirmations: confirmations)
      var kept = flight.kept
      for step in 0..<3_000 {
        guard let question = flight.question else { break }
        if case .send = question { kept = flight.kept }
        if let moment = flight.resumesAt { now = max(now, moment) }
        let isQuiet = step > 400
        var answer = FlightAnswer.unavailable
        switch isQuiet ? 99 : Int.random(in: 0..<20, using: &chance) {
        case 0: story.lost += 1
        case 1:
          // It happened, and the answer is lost.
          story.lost += 1
          _ = pool.answer(question)
        case 2:
          story.restarts += 1
          flight = TransactionFlight(
            kept, key: try key(), chain: 1, confirmations: confirmations)
          continue
        case _: answer = pool.answer(question)
        }
        flight.take(answer, at: now)
        now = now + .milliseconds(Int64.random(in: 10...4_000, using: &chance))
        switch isQuiet ? 9 : Int.random(in: 0..<12, using: &chance) {
        case 0: pool.waiting = []
        case 1: pool.reorganise(depth: Int.random(in: 1...4, using: &chance))
        case 2: pool.baseFee = pool.baseFee * 9 / 8 + 1
        case _: if Bool.random(using: &chance) { pool.mine() }
        }
      }
      story.replaced += flight.kept.sent.count > 1 ? 1 : 0
      guard case .success? = flight.outcome else {
        Issue.record("seed \(seed): \(String(describing: flight.question))")
        break
      }
    }
    return (pool, orders, story)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `every order happens once, in order, whatever goes wrong on the way`(_ seed: UInt64) throws {
    let (pool, orders, _) = try Self.run(seed)
    #expect(pool.mined.map(\.transaction.data) == orders.map(\.data), "seed \(seed)")
  }

  @Test func `the stories have what they are about`() throws {
    let stories = try (1...100 as ClosedRange<UInt64>).map { try Self.run($0).2 }
    #expect(stories.count { $0.replaced > 0 } > 15)
    #expect(stories.count { $0.restarts > 0 } > 80)
    #expect(stories.count { $0.lost > 0 } > 80)
  }

  @Test func `a nonce that somebody else used is followed by a new one`() throws {
    let key = try Self.key()
    var pool = FakePool(chance: SplitMix(state: 3))
    pool.blocks = [[]]
    var flight = TransactionFlight(
      .init(TransactionOrder(recipient: .zero, data: [1])), key: key, chain: 1)
    var now = Moment(nanoseconds: 0)
    while let question = flight.question {
      if case .send = question, pool.mined.isEmpty {
        // The same key on another machine is faster.
        let other = EthereumTransaction(
          kind: .feeMarket(
            chain: 1, tip: .zero, feeCap: UInt256(UInt64(1_000)), []), nonce: 0, gasLimit: 1,
          recipient: .zero, value: .zero, data: [9])
        pool.waiting = [other.signed(by: key)]
        pool.mine()
      }
      flight.take(pool.answer(question), at: now)
      now = now + .seconds(2)
      pool.mine()
    }
    #expect(pool.mined.map(\.transaction.data) == [[9], [1]])
  }

  @Test func `what a node refuses is told in its own words`() throws {
    var flight = TransactionFlight(
      .init(TransactionOrder(recipient: .zero, data: [1])), key: try Self.key(), chain: 1)
    flight.take(.number(0), at: Moment(nanoseconds: 0))
    flight.take(.fees(ChainFees(base: 1, tip: 1)), at: Moment(nanoseconds: 0))
    flight.take(
      FlightAnswer(refusal: "execution reverted: name taken"), at: Moment(nanoseconds: 0))
    guard case .failure(.refused(let words))? = flight.outcome else {
      Issue.record("not refused: \(flight)")
      return
    }
    #expect(words == "execution reverted: name taken")
  }
}
