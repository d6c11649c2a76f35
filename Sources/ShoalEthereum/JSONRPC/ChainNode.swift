// What this program asks a node of an Ethereum-compatible chain (execution-apis, "eth" namespace).

public import ShoalLedger
public import ShoalProtocol

/// Where a transaction ended up.
public struct ChainReceipt: Hashable, Sendable {
  public let transaction: Bytes32
  public let block: UInt64
  public let blockHash: Bytes32
  /// False: it was mined, and reverted.
  public let isSuccess: Bool
  public let gasUsed: UInt64
  /// The contract that it made.
  public let contract: EthereumAddress?

  public init(
    transaction: Bytes32, block: UInt64, blockHash: Bytes32, isSuccess: Bool, gasUsed: UInt64,
    contract: EthereumAddress?
  ) {
    self.transaction = transaction
    self.block = block
    self.blockHash = blockHash
    self.isSuccess = isSuccess
    self.gasUsed = gasUsed
    self.contract = contract
  }
}

/// Wei per unit of gas.
public struct ChainFees: Hashable, Sendable {
  public let base: UInt128
  public let tip: UInt128

  public init(base: UInt128, tip: UInt128) { (self.base, self.tip) = (base, tip) }

  /// Pays through six full blocks, each of which raises the base fee by an eighth (EIP-1559).
  public var cap: UInt128 { base * 2 + tip }
}

public struct ChainNode: Sendable {
  private let client: RPCClient

  public init(_ client: RPCClient) { self.client = client }

  // MARK: The chain

  public func chain() async throws -> UInt64 { try await number("eth_chainId") }
  public func head() async throws -> UInt64 { try await number("eth_blockNumber") }

  public func block(_ number: UInt64) async throws -> ChainBlock? {
    let answer = try await client.call("eth_getBlockByNumber", [.quantity(number), .bool(false)])
    if answer == .null { return nil }
    guard let number = answer["number"]?.number64, let hash = answer["hash"]?.word,
      let parent = answer["parentHash"]?.word
    else { throw RPCError.malformed("eth_getBlockByNumber") }
    return ChainBlock(number: number, hash: hash, parent: parent)
  }

  private func logs(
    _ place: [String: RPCValue], of contracts: [EthereumAddress]
  ) async throws -> [ChainLog] {
    var criteria = place
    criteria["address"] = .list(contracts.map { .address($0) })
    let answer = try await client.call("eth_getLogs", [.object(criteria)])
    guard let entries = answer.elements else { throw RPCError.malformed("eth_getLogs") }
    return try entries.map { entry in
      guard let log = ChainLog(entry) else { throw RPCError.malformed("a log") }
      return log
    }
  }

  /// The answer that a listener takes, whatever goes wrong.
  public func answer(
    _ question: ChainQuestion, contracts: [EthereumAddress]
  ) async -> ChainAnswer {
    do {
      switch question {
      case .head: return .head(try await head())
      case .block(let number): return .block(try await block(number))
      case .logs(let range):
        return .logs(
          try await logs(
            ["fromBlock": .quantity(range.lowerBound), "toBlock": .quantity(range.upperBound)],
            of: contracts))
      case .logsOf(let hash):
        return .logs(try await logs(["blockHash": .data(hash.bytes)], of: contracts))
      }
    } catch RPCError.refused {
      // Nodes word it in many ways: too many blocks, too many logs, a block that is gone.
      switch question {
      case .logs: return .rangeTooLong
      case .logsOf: return .unknownBlock
      case .head, .block: return .unavailable
      }
    } catch {
      return .unavailable
    }
  }

  // MARK: Accounts and calls

  /// Transactions of an account, those that wait included.
  public func nonce(of account: EthereumAddress) async throws -> UInt64 {
    try await number("eth_getTransactionCount", [.address(account), .string("pending")])
  }

  public func balance(of account: EthereumAddress) async throws -> UInt256 {
    try await quantity("eth_getBalance", [.address(account), .string("latest")])
  }

  public func code(of account: EthereumAddress) async throws -> [UInt8] {
    let answer = try await client.call("eth_getCode", [.address(account), .string("latest")])
    guard let code = answer.data else { throw RPCError.malformed("eth_getCode") }
    return code
  }

  public func fees() async throws -> ChainFees {
    let newest = try await client.call(
      "eth_getBlockByNumber", [.string("latest"), .bool(false)])
    guard let base = newest["baseFeePerGas"]?.quantity?.narrow else {
      throw RPCError.malformed("a block without a base fee")
    }
    let tip = try await quantity("eth_maxPriorityFeePerGas").narrow
    return ChainFees(base: min(base, .max / 4), tip: min(tip ?? 0, .max / 4))
  }

  /// What a function of a contract returns.
  public func call(_ contract: EthereumAddress, _ data: [UInt8]) async throws -> [UInt8] {
    let asked: RPCValue = .object(["to": .address(contract), "data": .data(data)])
    guard let bytes = try await client.call("eth_call", [asked, .string("latest")]).data else {
      throw RPCError.malformed("eth_call")
    }
    return bytes
  }

  public func gas(_ order: TransactionOrder, from sender: EthereumAddress) async throws -> UInt64 {
    var asked: [String: RPCValue] = [
      "from": .address(sender), "data": .data(order.data),
      "value": .string(order.value.quantity),
    ]
    if let recipient = order.recipient { asked["to"] = .address(recipient) }
    return try await number("eth_estimateGas", [.object(asked)])
  }

  // MARK: Transactions

  public func send(_ transaction: SignedTransaction) async throws {
    _ = try await client.call("eth_sendRawTransaction", [.data(transaction.bytes)])
  }

  public func receipt(_ transaction: Bytes32) async throws -> ChainReceipt? {
    let answer = try await client.call(
      "eth_getTransactionReceipt", [.data(transaction.bytes)])
    if answer == .null { return nil }
    guard let block = answer["blockNumber"]?.number64, let hash = answer["blockHash"]?.word,
      let status = answer["status"]?.number64, let gas = answer["gasUsed"]?.number64
    else { throw RPCError.malformed("eth_getTransactionReceipt") }
    return ChainReceipt(
      transaction: transaction, block: block, blockHash: hash, isSuccess: status == 1,
      gasUsed: gas, contract: answer["contractAddress"]?.address)
  }

  // MARK: Parts

  private func number(_ method: String, _ parameters: [RPCValue] = []) async throws -> UInt64 {
    guard let value = try await client.call(method, parameters).number64 else {
      throw RPCError.malformed(method)
    }
    return value
  }

  private func quantity(_ method: String, _ parameters: [RPCValue] = []) async throws -> UInt256 {
    guard let value = try await client.call(method, parameters).quantity else {
      throw RPCError.malformed(method)
    }
    return value
  }
}

extension ChainLog {
  /// Nil where something is missing.
  init?(_ value: RPCValue) {
    guard let address = value["address"]?.address, let topics = value["topics"]?.elements,
      let data = value["data"]?.data, let block = value["blockNumber"]?.number64,
      let hash = value["blockHash"]?.word, let transaction = value["transactionHash"]?.word,
      let index = value["logIndex"]?.number64
    else { return nil }
    let words = topics.compactMap(\.word)
    guard words.count == topics.count else { return nil }
    self.init(
      address: address, topics: words, data: data, block: block, blockHash: hash,
      transaction: transaction, index: index)
  }
}
