// The contract PaymentChannels: transactions of payers and payees, what it answers, and its logs.

public import ShoalLedger

/// A channel as the contract has it.
public struct ContractChannel: Hashable, Sendable {
  public let payer: EthereumAddress
  public let payee: EthereumAddress
  public let signer: EthereumAddress
  public let deposit: Amount
  public let redeemed: Amount
  /// Seconds since 1970 when anybody may close it; nil: nobody asked.
  public let closesAt: UInt64?

  /// As the accounts see it.
  public var state: ChannelState {
    ChannelState(
      ceiling: deposit, settled: redeemed, isClosing: closesAt != nil, isOpen: true)
  }
}

public enum ChannelContract {
  private static let claim = SolidityType.tuple([
    .bytes32, .uint256, .bytes32, .uint(bits: 8), .bytes32, .bytes32,
  ])
  private static let open = ContractFunction(
    "open", [.array(of: .address), .array(of: .uint256), .address])
  private static let redeemMany = ContractFunction("redeemMany", [.array(of: claim)])
  private static let requestClose = ContractFunction("requestClose", [.bytes32])
  private static let cancelClose = ContractFunction("cancelClose", [.bytes32])
  private static let close = ContractFunction("close", [.bytes32])
  private static let epochOf = ContractFunction("epochOf", [.address, .address])
  private static let channels = ContractFunction("channels", [.bytes32])
  private static let challenge = ContractFunction("challengeSeconds", [])

  /// Payees of one transaction, and claims of one.
  public static let batchLimit = 32

  // MARK: Transactions

  /// Opens a channel to each payee, or adds to it, in the chain's own coin.
  public static func open(
    _ contract: EthereumAddress, _ payees: [(account: EthereumAddress, amount: Amount)]
  ) throws(ABIError) -> TransactionOrder {
    let total = payees.reduce(Amount.zero) { $0 + $1.amount }
    return TransactionOrder(
      recipient: contract, value: UInt256(total.units),
      data: try open.data([
        .list(payees.map { .address($0.account) }),
        .list(payees.map { .integer(UInt256($0.amount.units)) }), .address(.zero),
      ]))
  }

  /// Anybody may send it: the payees are paid. Vouchers whose signature has another form are left
  /// out.
  public static func redeem(
    _ contract: EthereumAddress, _ vouchers: [Signed<Voucher>]
  ) throws(ABIError) -> TransactionOrder {
    let claims = vouchers.compactMap { voucher -> SolidityValue? in
      guard let signature = EthereumSignature(voucher.signature) else { return nil }
      return .list([
        .word(voucher.statement.channel.raw),
        .integer(UInt256(voucher.statement.cumulative.units)), .word(voucher.statement.receipt),
        .integer(UInt64(signature.isOdd ? 28 : 27)), .word(signature.r), .word(signature.s),
      ])
    }
    return TransactionOrder(recipient: contract, data: try redeemMany.data([.list(claims)]))
  }

  /// What a payer can do to close a channel, and what anybody can when the time is over.
  public enum Closing: Sendable { case request, cancel, finish }

  public static func close(
    _ contract: EthereumAddress, _ channel: ChannelID, _ closing: Closing
  ) throws(ABIError) -> TransactionOrder {
    let function =
      switch closing {
      case .request: requestClose
      case .cancel: cancelClose
      case .finish: close
      }
    return TransactionOrder(recipient: contract, data: try function.data([.word(channel.raw)]))
  }

  // MARK: Questions

  /// The channel that a pair has now; its epoch counts those that were closed.
  public static func channel(
    _ node: ChainNode, _ contract: EthereumAddress, payer: EthereumAddress, payee: EthereumAddress
  ) async throws -> (id: ChannelID, epoch: UInt64, ContractChannel?) {
    let answer = try await node.call(
      contract, epochOf.data([.address(payer), .address(payee)]))
    guard let epoch = try ABI.decode([.uint256], answer).first?.number64 else {
      throw RPCError.malformed("epochOf")
    }
    let id = ChannelID(
      payer: LedgerAccount(payer), payee: LedgerAccount(payee), epoch: epoch)
    return (id, epoch, try await channel(node, contract, id))
  }

  /// Nil: there is none.
  public static func channel(
    _ node: ChainNode, _ contract: EthereumAddress, _ id: ChannelID
  ) async throws -> ContractChannel? {
    let answer = try await node.call(contract, channels.data([.word(id.raw)]))
    let types: [SolidityType] = [.address, .address, .address, .uint256, .uint256, .uint256]
    let values = try ABI.decode(types, answer)
    guard let payer = values[0].account, let payee = values[1].account,
      let signer = values[2].account, let deposit = values[3].amount,
      let redeemed = values[4].amount, let closesAt = values[5].number64
    else { throw RPCError.malformed("channels") }
    guard payer != .zero else { return nil }
    return ContractChannel(
      payer: payer, payee: payee, signer: signer, deposit: deposit, redeemed: redeemed,
      closesAt: closesAt == 0 ? nil : closesAt)
  }

  public static func challengeSeconds(
    _ node: ChainNode, _ contract: EthereumAddress
  ) async throws -> UInt64 {
    let answer = try await node.call(contract, challenge.data([]))
    guard let seconds = try ABI.decode([.uint256], answer).first?.number64 else {
      throw RPCError.malformed("challengeSeconds")
    }
    return seconds
  }
}
