// What payers and payees say to each other. Each message fits one datagram, and each may be lost,
// doubled or late: amounts are cumulative and receipts are numbered.

public import ShoalProtocol

public enum AccountMessage: Hashable, Sendable {
  /// A payee: this is what I have done.
  case receipt(Signed<Receipt>)
  /// A payer: this is what I owe you in all.
  case voucher(Signed<Voucher>)
  /// A payee, to a voucher that is behind: the newest that you gave me.
  case newest(Signed<Voucher>)
  /// A payee: so much of what you owe me counts as settled.
  case settle(Signed<SettledStatement>)
  /// A payer: I agree.
  case agreed(Signed<SettledStatement>)

  /// First bytes of these messages: a ledger's datagram with another is of a log.
  public static let tags: ClosedRange<UInt8> = 32...36

  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 400)
    switch self {
    case .receipt(let receipt):
      writer.integer(UInt8(32))
      receipt.write(to: &writer)
    case .voucher(let voucher):
      writer.integer(UInt8(33))
      voucher.write(to: &writer)
    case .newest(let voucher):
      writer.integer(UInt8(34))
      voucher.write(to: &writer)
    case .settle(let statement):
      writer.integer(UInt8(35))
      statement.write(to: &writer)
    case .agreed(let statement):
      writer.integer(UInt8(36))
      statement.write(to: &writer)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 32: self = .receipt(try Signed(from: &reader))
    case 33: self = .voucher(try Signed(from: &reader))
    case 34: self = .newest(try Signed(from: &reader))
    case 35: self = .settle(try Signed(from: &reader))
    case 36: self = .agreed(try Signed(from: &reader))
    case _: throw .unknown(field: "account message", value: UInt64(tag))
    }
    try reader.finish()
  }
}
