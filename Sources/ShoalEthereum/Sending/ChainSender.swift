// Sends transactions of one account, one after the other: performs what a flight asks.

public import ShoalLedger
public import ShoalProtocol

public actor ChainSender {
  private let node: ChainNode
  private let key: EthereumKey
  private let chain: UInt64
  private let confirmations: UInt64
  private let interval: Duration
  private let now: @Sendable () -> Moment
  /// Keeps the flight under way, durably; nil: there is none.
  private let keep: @Sendable (TransactionFlight.Kept?) throws -> Void
  private var isBusy = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  public nonisolated var account: EthereumAddress { key.address }

  public init(
    _ node: ChainNode, key: EthereumKey, chain: UInt64, confirmations: UInt64 = 0,
    interval: Duration = .milliseconds(500), now: @escaping @Sendable () -> Moment,
    keep: @escaping @Sendable (TransactionFlight.Kept?) throws -> Void = { _ in }
  ) {
    self.node = node
    self.key = key
    self.chain = chain
    self.confirmations = confirmations
    self.interval = interval
    self.now = now
    self.keep = keep
  }

  /// Returns when the transaction is in a block that `confirmations` follow. Throws `FlightError`.
  public func send(_ order: TransactionOrder) async throws -> ChainReceipt {
    try await resume(TransactionFlight.Kept(order))
  }

  /// Goes on with a flight that a restart broke off.
  public func resume(_ kept: TransactionFlight.Kept) async throws -> ChainReceipt {
    await enter()
    defer { leave() }
    var flight = TransactionFlight(
      kept, key: key, chain: chain, confirmations: confirmations, interval: interval)
    while let question = flight.question {
      if let moment = flight.resumesAt, moment > now() { try await Task.sleep(for: moment - now()) }
      if case .send = question { try keep(flight.kept) }
      let answer = await answer(question)
      try Task.checkCancellation()
      flight.take(answer, at: now())
    }
    try keep(nil)
    guard let outcome = flight.outcome else { preconditionFailure("a flight without an end") }
    return try outcome.get()
  }

  private func answer(_ question: FlightQuestion) async -> FlightAnswer {
    do {
      switch question {
      case .nonce: return .number(try await node.nonce(of: key.address))
      case .fees: return .fees(try await node.fees())
      case .gas(let order): return .number(try await node.gas(order, from: key.address))
      case .send(let transaction):
        try await node.send(transaction)
        return .accepted
      case .receipt(let hash): return .receipt(try await node.receipt(hash))
      case .head: return .number(try await node.head())
      }
    } catch RPCError.refused(_, let message, _) {
      return FlightAnswer(refusal: message)
    } catch {
      return .unavailable
    }
  }

  // MARK: One at a time

  private func enter() async {
    guard isBusy else {
      isBusy = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func leave() {
    guard !waiting.isEmpty else {
      isBusy = false
      return
    }
    waiting.removeFirst().resume()
  }
}

extension FlightAnswer {
  /// What a node means that refuses a transaction: there is no code for it, and geth's words are
  /// what others imitate.
  public init(refusal message: String) {
    let words = message.lowercased()
    if words.contains("already known") || words.contains("already imported") {
      self = .accepted
    } else if words.contains("nonce too low") {
      self = .nonceUsed
    } else if words.contains("underpriced") || words.contains("fee too low") {
      self = .underpriced
    } else if words.contains("nonce too high") {
      self = .unavailable
    } else {
      self = .refused(message)
    }
  }
}
