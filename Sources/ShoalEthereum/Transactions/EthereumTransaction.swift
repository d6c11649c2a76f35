// Transactions of three kinds: legacy with EIP-155, with an access list (EIP-2930), with a fee
// market (EIP-1559).

public import ShoalLedger
public import ShoalProtocol

/// Storage that a transaction says it will touch (EIP-2930).
public struct AccessEntry: Hashable, Sendable {
  public let address: EthereumAddress
  public let keys: [Bytes32]
  public init(address: EthereumAddress, keys: [Bytes32]) {
    (self.address, self.keys) = (address, keys)
  }
}

/// The envelope, with what it says of fees. Prices are in wei per unit of gas.
public enum TransactionKind: Hashable, Sendable {
  /// Without a chain, any chain takes it: only to be read, never to be sent.
  case legacy(chain: UInt64?, gasPrice: UInt256)
  case accessList(chain: UInt64, gasPrice: UInt256, [AccessEntry])
  case feeMarket(chain: UInt64, tip: UInt256, feeCap: UInt256, [AccessEntry])

  /// The first byte of the envelope; a legacy transaction has none.
  var type: UInt8? {
    switch self {
    case .legacy: nil
    case .accessList: 1
    case .feeMarket: 2
    }
  }
}

public struct EthereumTransaction: Hashable, Sendable {
  public var kind: TransactionKind
  public var nonce: UInt64
  public var gasLimit: UInt64
  /// Nil makes a contract of `data`.
  public var recipient: EthereumAddress?
  /// In wei.
  public var value: UInt256
  public var data: [UInt8]

  public init(
    kind: TransactionKind, nonce: UInt64, gasLimit: UInt64, recipient: EthereumAddress?,
    value: UInt256, data: [UInt8]
  ) {
    self.kind = kind
    self.nonce = nonce
    self.gasLimit = gasLimit
    self.recipient = recipient
    self.value = value
    self.data = data
  }

  private var target: RLPItem { .bytes(recipient?.bytes ?? []) }

  private var fields: [RLPItem] {
    switch kind {
    case .legacy(_, let gasPrice):
      [
        .integer(nonce), .integer(gasPrice), .integer(gasLimit), target, .integer(value),
        .bytes(data),
      ]
    case .accessList(let chain, let gasPrice, let list):
      [
        .integer(chain), .integer(nonce), .integer(gasPrice), .integer(gasLimit), target,
        .integer(value), .bytes(data), EthereumTransaction.item(list),
      ]
    case .feeMarket(let chain, let tip, let feeCap, let list):
      [
        .integer(chain), .integer(nonce), .integer(tip), .integer(feeCap), .integer(gasLimit),
        target, .integer(value), .bytes(data), EthereumTransaction.item(list),
      ]
    }
  }

  private static func item(_ list: [AccessEntry]) -> RLPItem {
    .list(
      list.map { entry in
        .list([.bytes(entry.address.bytes), .list(entry.keys.map { .bytes($0.bytes) })])
      })
  }

  private func envelope(_ fields: [RLPItem]) -> [UInt8] {
    let body = RLPItem.list(fields).encoded
    return kind.type.map { [$0] + body } ?? body
  }

  /// What is hashed and signed.
  public var unsignedBytes: [UInt8] {
    guard case .legacy(let chain?, _) = kind else { return envelope(fields) }
    return envelope(fields + [.integer(chain), .bytes([]), .bytes([])])
  }

  public var signingDigest: Bytes32 { Keccak256.hash(unsignedBytes) }

  public func signed(by key: EthereumKey) -> SignedTransaction {
    SignedTransaction(transaction: self, signature: key.sign(signingDigest))
  }

  /// The fields with the signature's.
  fileprivate func bytes(_ signature: EthereumSignature) -> [UInt8] {
    let parity = UInt256(UInt64(signature.isOdd ? 1 : 0))
    let mark: UInt256
    switch kind {
    case .legacy(nil, _): mark = UInt256(UInt128(27) + parity.low)
    case .legacy(let chain?, _): mark = UInt256(UInt128(chain) * 2 + 35 + parity.low)
    case .accessList, .feeMarket: mark = parity
    }
    return envelope(
      fields + [
        .integer(mark), .integer(UInt256(signature.r)), .integer(UInt256(signature.s)),
      ])
  }

  /// Where `sender`'s transaction with `nonce` puts the contract that it makes.
  public static func contract(from sender: EthereumAddress, nonce: UInt64) -> EthereumAddress {
    let origin = RLPItem.list([.bytes(sender.bytes), .integer(nonce)])
    return EthereumAddress(hash: Keccak256.hash(origin.encoded))
  }
}

/// A transaction as it is sent.
public struct SignedTransaction: Hashable, Sendable {
  public let transaction: EthereumTransaction
  public let signature: EthereumSignature

  public init(transaction: EthereumTransaction, signature: EthereumSignature) {
    (self.transaction, self.signature) = (transaction, signature)
  }

  public var bytes: [UInt8] { transaction.bytes(signature) }

  /// The name of the transaction on its chain, known before it is sent.
  public var hash: Bytes32 { Keccak256.hash(bytes) }

  /// Nil where no key can have signed it.
  public var sender: EthereumAddress? { signature.signer(of: transaction.signingDigest) }
}
