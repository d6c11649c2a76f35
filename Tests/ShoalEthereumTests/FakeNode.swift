// A chain's node as a client sees it: bytes of JSON-RPC over a line that drops, delays and refuses,
// in front of a chain that reorganises.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import Synchronization

struct LineBroke: Error {}

/// One node over one chain.
final class FakeNode: RPCTransport {
  struct State {
    var chain: FakeChain
    var chance: SplitMix
    let rangeLimit: UInt64
    /// The line and the chain behave.
    var isQuiet = false
    var faults = 0
    /// Given, in order, to whatever is asked.
    var script: [RPCReply] = []
    var asked: [RPCValue] = []
  }

  let state: Mutex<State>

  init(seed: UInt64) {
    var chance = SplitMix(state: seed &* 31)
    var chain = FakeChain(seed: seed)
    chain.grow(Int.random(in: 0...80, using: &chance))
    let limit = UInt64.random(in: 1...20, using: &chance)
    state = Mutex(State(chain: chain, chance: chance, rangeLimit: limit))
  }

  func post(_ body: [UInt8]) async throws -> RPCReply {
    try state.withLock { state in
      let question = try RPCValue(json: body)
      state.asked.append(question)
      if !state.script.isEmpty { return state.script.removeFirst() }
      if !state.isQuiet {
        switch Int.random(in: 0..<24, using: &state.chance) {
        case 0: state.chain.grow(Int.random(in: 1...4, using: &state.chance))
        case 1: state.chain.reorganise(depth: Int.random(in: 1..<6, using: &state.chance))
        case 2:
          state.faults += 1
          throw LineBroke()
        case 3:
          state.faults += 1
          return RPCReply(status: 429, body: [], retryAfter: 1)
        case 4:
          state.faults += 1
          return RPCReply(status: 503, body: Array("down".utf8))
        case 5:
          state.faults += 1
          return RPCReply(status: 200, body: Array("<html>".utf8))
        case _: break
        }
      }
      return RPCReply(status: 200, body: try Self.answer(question, &state))
    }
  }

  private static func answer(_ question: RPCValue, _ state: inout State) throws -> [UInt8] {
    let parameters = question["params"]?.elements ?? []
    switch question["method"]?.text {
    case "eth_chainId": return try result(.quantity(1_337))
    case "eth_blockNumber": return try result(.quantity(state.chain.head))
    case "eth_getBlockByNumber":
      guard let number = parameters.first?.number64, number <= state.chain.head else {
        return try result(.null)
      }
      let block = state.chain.blocks[Int(number)]
      return try result(
        .object([
          "number": .quantity(block.number), "hash": .data(block.hash.bytes),
          "parentHash": .data(block.parent.bytes),
        ]))
    case "eth_getLogs":
      let criteria = parameters.first ?? .null
      if let hash = criteria["blockHash"]?.word {
        return try logs(state.chain.answer(.logsOf(hash), rangeLimit: 0))
      }
      guard let first = criteria["fromBlock"]?.number64, let last = criteria["toBlock"]?.number64
      else { return try error(-32_602, "invalid params") }
      return try logs(state.chain.answer(.logs(first...last), rangeLimit: state.rangeLimit))
    case _: return try error(-32_601, "no such method")
    }
  }

  private static func logs(_ answer: ChainAnswer) throws -> [UInt8] {
    guard case .logs(let logs) = answer else {
      return try error(-32_005, "query exceeds max block range")
    }
    return try result(.list(logs.map { json(of: $0) }))
  }

  static func json(of log: ChainLog) -> RPCValue {
    .object([
      "address": .address(log.address), "topics": .list(log.topics.map { .data($0.bytes) }),
      "data": .data(log.data), "blockNumber": .quantity(log.block),
      "blockHash": .data(log.blockHash.bytes), "transactionHash": .data(log.transaction.bytes),
      "logIndex": .quantity(log.index),
    ])
  }

  static func result(_ value: RPCValue) throws -> [UInt8] {
    try RPCValue.object(["jsonrpc": .string("2.0"), "id": .integer(1), "result": value]).json
  }

  static func error(_ code: Int64, _ message: String) throws -> [UInt8] {
    try RPCValue.object([
      "jsonrpc": .string("2.0"), "id": .integer(1),
      "error": .object(["code": .integer(code), "message": .string(message)]),
    ]).json
  }
}
