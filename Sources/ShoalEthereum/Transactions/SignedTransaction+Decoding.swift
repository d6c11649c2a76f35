// Reads signed transactions: the mirror of EthereumTransaction, for bytes that anybody sent.

internal import ShoalLedger
internal import ShoalProtocol

/// Why bytes are no signed transaction.
public enum TransactionError: Error, Hashable, Sendable {
  case encoding(RLPError)
  case unknownType(UInt8)
  case invalid(field: String)
}

extension SignedTransaction {
  /// Reads one transaction and nothing after it. Whether the signature holds is `sender`'s to say.
  public init(decoding bytes: [UInt8]) throws(TransactionError) {
    guard let first = bytes.first else {
      throw .encoding(.truncated(offset: 0, need: 1, have: 0))
    }
    do {
      switch first {
      case 0xc0...: self = try .legacy(RLPItem(decoding: bytes).items(9))
      case 1: self = try .accessList(RLPItem(decoding: Array(bytes.dropFirst())).items(11))
      case 2: self = try .feeMarket(RLPItem(decoding: Array(bytes.dropFirst())).items(12))
      case _: throw TransactionError.unknownType(first)
      }
    } catch let error as RLPError {
      throw .encoding(error)
    } catch let error as TransactionError {
      throw error
    } catch {
      throw .invalid(field: "transaction")
    }
  }

  private static func legacy(_ items: [RLPItem]) throws -> SignedTransaction {
    let mark = try items[6].number()
    let (chain, isOdd) = try origin(mark)
    let kind = TransactionKind.legacy(chain: chain, gasPrice: try items[1].number())
    return SignedTransaction(
      transaction: try body(kind, nonce: items[0], Array(items[2..<6])),
      signature: try signature(items[7], items[8], isOdd: isOdd))
  }

  /// The chain and the parity that v of a legacy transaction stands for (EIP-155).
  private static func origin(_ mark: UInt256) throws -> (chain: UInt64?, isOdd: Bool) {
    guard mark.high == 0 else { throw TransactionError.invalid(field: "v") }
    if mark.low == 27 || mark.low == 28 { return (nil, mark.low == 28) }
    guard mark.low >= 35, let chain = UInt64(exactly: (mark.low - 35) / 2) else {
      throw TransactionError.invalid(field: "v")
    }
    return (chain, (mark.low - 35) % 2 == 1)
  }

  private static func accessList(_ items: [RLPItem]) throws -> SignedTransaction {
    let kind = TransactionKind.accessList(
      chain: try items[0].number64(), gasPrice: try items[2].number(), try accesses(items[7]))
    return SignedTransaction(
      transaction: try body(kind, nonce: items[1], Array(items[3..<7])),
      signature: try signature(items[9], items[10], isOdd: try parity(items[8])))
  }

  private static func feeMarket(_ items: [RLPItem]) throws -> SignedTransaction {
    let kind = TransactionKind.feeMarket(
      chain: try items[0].number64(), tip: try items[2].number(), feeCap: try items[3].number(),
      try accesses(items[8]))
    return SignedTransaction(
      transaction: try body(kind, nonce: items[1], Array(items[4..<8])),
      signature: try signature(items[10], items[11], isOdd: try parity(items[9])))
  }

  /// - Parameter items: gas limit, recipient, value, data.
  private static func body(
    _ kind: TransactionKind, nonce: RLPItem, _ items: [RLPItem]
  ) throws -> EthereumTransaction {
    let target = try items[1].string()
    let recipient = EthereumAddress(target)
    guard recipient != nil || target.isEmpty else {
      throw TransactionError.invalid(field: "recipient")
    }
    return EthereumTransaction(
      kind: kind, nonce: try nonce.number64(), gasLimit: try items[0].number64(),
      recipient: recipient, value: try items[2].number(), data: try items[3].string())
  }

  private static func accesses(_ item: RLPItem) throws -> [AccessEntry] {
    try item.items().map { entry in
      let parts = try entry.items(2)
      guard let address = EthereumAddress(try parts[0].string()) else {
        throw TransactionError.invalid(field: "access list")
      }
      let keys = try parts[1].items().map { key in
        guard let word = Bytes32(try key.string()) else {
          throw TransactionError.invalid(field: "access list")
        }
        return word
      }
      return AccessEntry(address: address, keys: keys)
    }
  }

  private static func parity(_ item: RLPItem) throws -> Bool {
    let number = try item.number64()
    guard number <= 1 else { throw TransactionError.invalid(field: "parity") }
    return number == 1
  }

  private static func signature(
    _ r: RLPItem, _ s: RLPItem, isOdd: Bool
  ) throws -> EthereumSignature {
    EthereumSignature(r: try r.number().word, s: try s.number().word, isOdd: isOdd)
  }
}
