// One transaction from its order to a block that stays: nonce, gas, fee, sending again, paying
// more, and a reorganisation that takes it back. Decides what to ask; somebody else asks.

public import ShoalLedger
public import ShoalProtocol

/// What is to happen on the chain.
public struct TransactionOrder: Hashable, Sendable {
  /// Nil makes a contract of `data`.
  public let recipient: EthereumAddress?
  /// In wei.
  public let value: UInt256
  public let data: [UInt8]

  public init(recipient: EthereumAddress?, value: UInt256 = .zero, data: [UInt8]) {
    (self.recipient, self.value, self.data) = (recipient, value, data)
  }
}

public enum FlightQuestion: Hashable, Sendable {
  case nonce
  case fees
  case gas(TransactionOrder)
  case send(SignedTransaction)
  case receipt(Bytes32)
  case head
}

public enum FlightAnswer: Hashable, Sendable {
  /// To `nonce`, `gas` and `head`.
  case number(UInt64)
  case fees(ChainFees)
  /// To `send`: it is there, perhaps from before.
  case accepted
  /// The account has already used this nonce.
  case nonceUsed
  /// Another transaction with this nonce waits, and pays nearly as much.
  case underpriced
  case receipt(ChainReceipt?)
  /// The node will not have it, and says why.
  case refused(String)
  /// It did not answer: whatever was asked may have happened.
  case unavailable
}

public enum FlightError: Error, Hashable, Sendable {
  /// The node says that it would revert, or that it is not to be had.
  case refused(String)
  /// It was mined, and reverted.
  case reverted(ChainReceipt)
}

extension FlightError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(let reason): "the chain refuses the transaction: \(reason)"
    case .reverted(let receipt):
      "the transaction 0x\(receipt.transaction.hex) was mined in block \(receipt.block), and it"
        + " reverted"
    }
  }
}

public struct TransactionFlight: Sendable {
  /// What survives a restart: kept before anything is sent.
  public struct Kept: Hashable, Sendable {
    public let order: TransactionOrder
    public fileprivate(set) var gasLimit: UInt64?
    /// Every version that may have been sent, oldest first, all with one nonce.
    public fileprivate(set) var sent: [SignedTransaction] = []

    public init(_ order: TransactionOrder) { self.order = order }
  }

  private enum Step: Hashable, Sendable {
    case nonce
    case fees
    case gas
    case send
    case receipt(Int)
    case head(ChainReceipt)
    case done(ChainReceipt)
    case failed(FlightError)
  }

  /// Nobody's node mines a block more often.
  public static let interval = Duration.seconds(1)
  /// Not in a block after so long: it pays more.
  public static let patience = Duration.seconds(30)
  /// Versions of one transaction, each an eighth dearer than the one before.
  public static let versionLimit = 24
  /// Looks for receipts before a used nonce counts as used by somebody else.
  private static let lookLimit = 3

  public private(set) var kept: Kept
  /// Nothing is asked before.
  public private(set) var resumesAt: Moment?
  private let key: EthereumKey
  private let chain: UInt64
  private let confirmations: UInt64
  private let interval: Duration
  private var step: Step
  private var nonce: UInt64?
  private var fees: ChainFees?
  private var sentAt: Moment?
  private var looksInVain = 0
  private var isNonceUsed = false

  /// - Parameters:
  ///   - kept: of a flight that a restart broke off; or a new order.
  ///   - confirmations: blocks that follow its own before it counts.
  ///   - interval: between two looks.
  public init(
    _ kept: Kept, key: EthereumKey, chain: UInt64, confirmations: UInt64 = 0,
    interval: Duration = TransactionFlight.interval
  ) {
    self.kept = kept
    self.key = key
    self.chain = chain
    self.confirmations = confirmations
    self.interval = interval
    nonce = kept.sent.last?.transaction.nonce
    step = kept.sent.isEmpty ? .nonce : .receipt(0)
  }

  /// Nil: it is over.
  public var question: FlightQuestion? {
    switch step {
    case .nonce: .nonce
    case .fees: .fees
    case .gas: .gas(kept.order)
    case .send: kept.sent.last.map { .send($0) }
    case .receipt(let index): .receipt(kept.sent[index].hash)
    case .head: .head
    case .done, .failed: nil
    }
  }

  /// How it ended; nil: it flies.
  public var outcome: Result<ChainReceipt, FlightError>? {
    switch step {
    case .done(let receipt): receipt.isSuccess ? .success(receipt) : .failure(.reverted(receipt))
    case .failed(let error): .failure(error)
    case .nonce, .fees, .gas, .send, .receipt, .head: nil
    }
  }

  /// Takes the answer to `question`. `kept` is to be kept before the next is asked.
  public mutating func take(_ answer: FlightAnswer, at now: Moment) {
    resumesAt = nil
    switch (step, answer) {
    case (.nonce, .number(let number)):
      nonce = number
      step = .fees
    case (.fees, .fees(let now)):
      fees = now
      step = .gas
      if kept.gasLimit != nil { sign() }
    case (.gas, .number(let gas)):
      // What a block before it changes may cost a little more.
      kept.gasLimit = gas + gas / 5
      sign()
    case (.gas, .refused(let reason)), (.send, .refused(let reason)):
      // A version of before may be on the chain all the same.
      if kept.sent.count > 1 { look(at: now) } else { step = .failed(.refused(reason)) }
    case (.send, .accepted):
      sentAt = sentAt ?? now
      step = .receipt(0)
    case (.send, .nonceUsed):
      isNonceUsed = true
      step = .receipt(0)
    case (.send, .underpriced):
      if kept.sent.count < Self.versionLimit { step = .fees } else { look(at: now) }
    case (.receipt(let index), .receipt(let receipt)):
      take(receipt, of: index, at: now)
    case (.head(let receipt), .number(let head)):
      if head >= receipt.block + confirmations { step = .done(receipt) } else { look(at: now) }
    case _:
      // Asked again: every question may be.
      resumesAt = now + interval
    }
  }

  private mutating func take(_ receipt: ChainReceipt?, of index: Int, at now: Moment) {
    if let receipt {
      looksInVain = 0
      step = .head(receipt)
    } else if index + 1 < kept.sent.count {
      step = .receipt(index + 1)
    } else if isNonceUsed {
      isNonceUsed = false
      looksInVain += 1
      if looksInVain >= Self.lookLimit { startAnew() } else { again(at: now) }
    } else if let sentAt, sentAt + Self.patience <= now, kept.sent.count < Self.versionLimit {
      step = .fees
    } else {
      again(at: now)
    }
  }

  /// Another transaction of this account took the nonce: a new one is needed.
  private mutating func startAnew() {
    kept.sent = []
    (nonce, sentAt, looksInVain) = (nil, nil, 0)
    step = .nonce
  }

  /// After a pause it is sent again: nodes forget, and blocks are taken back.
  private mutating func again(at now: Moment) {
    step = .send
    resumesAt = now + interval
  }

  private mutating func look(at now: Moment) {
    step = .receipt(0)
    resumesAt = now + interval
  }

  private mutating func sign() {
    guard let nonce, let fees, let gasLimit = kept.gasLimit else { return }
    var (tip, cap) = (fees.tip, fees.cap)
    if case .feeMarket(_, let lastTip, let lastCap, _)? = kept.sent.last?.transaction.kind {
      tip = max(tip, dearer(lastTip))
      cap = max(cap, dearer(lastCap), tip)
    }
    let transaction = EthereumTransaction(
      kind: .feeMarket(chain: chain, tip: UInt256(tip), feeCap: UInt256(cap), []), nonce: nonce,
      gasLimit: gasLimit, recipient: kept.order.recipient, value: kept.order.value,
      data: kept.order.data)
    kept.sent.append(transaction.signed(by: key))
    sentAt = nil
    step = .send
  }

  /// An eighth more and one: nodes want a tenth.
  private func dearer(_ price: UInt256) -> UInt128 {
    let price = min(price.narrow ?? .max, .max / 4)
    return price + price / 8 + 1
  }
}
