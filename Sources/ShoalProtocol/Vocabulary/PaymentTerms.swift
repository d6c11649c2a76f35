// What a peer asks for its work, in its record; what a driver pays, in a PREPARE.

/// Where neither says anything, nobody is paid, and nothing of it is on the wire.
public struct PaymentTerms: Hashable, Sendable {
  /// Which ledger: the separator of its signing domain (docs/LEDGER.md).
  public let ledger: Bytes32
  /// Of the peer on that ledger.
  public let account: Bytes32
  /// Units of the ledger's amounts for 2^20 multiply-accumulates.
  public let price: UInt64

  public init(ledger: Bytes32, account: Bytes32, price: UInt64) {
    self.ledger = ledger
    self.account = account
    self.price = price
  }

  func write(to writer: inout ByteWriter) {
    writer.raw(ledger.bytes)
    writer.raw(account.bytes)
    writer.integer(price)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    ledger = try reader.bytes32()
    account = try reader.bytes32()
    price = try reader.integer()
  }

  private static let byteCount = 32 + 32 + 8

  /// The last field of a message: nothing where nobody is paid.
  static func last(of reader: inout ByteReader) throws(WireError) -> PaymentTerms? {
    guard reader.remaining > 0 else { return nil }
    guard reader.remaining >= byteCount else { throw .trailing(bytes: reader.remaining) }
    return try PaymentTerms(from: &reader)
  }
}
