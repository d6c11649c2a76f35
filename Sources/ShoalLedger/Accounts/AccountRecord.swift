// What is kept of one channel: durably, and before anything is said that depends on it.

public import ShoalProtocol

/// The other side of a channel: who it is on the mesh, and on the ledger.
public struct AccountParty: Hashable, Sendable {
  public let peer: PeerID
  public let account: LedgerAccount

  public init(peer: PeerID, account: LedgerAccount) { (self.peer, self.account) = (peer, account) }

  /// On the embedded ledger a peer is its own account.
  public init(_ peer: PeerID) { self.init(peer: peer, account: LedgerAccount(peer)) }
}

/// What was done with one model, and for how much.
public struct ModelWork: Hashable, Sendable {
  public let model: ModelID
  public var tokens: UInt64
  /// Multiply-accumulates.
  public var workUnits: UInt64
  public var pay: Amount

  public init(model: ModelID, tokens: UInt64, workUnits: UInt64, pay: Amount) {
    self.model = model
    self.tokens = tokens
    self.workUnits = workUnits
    self.pay = pay
  }
}

public struct AccountRecord: Hashable, Sendable {
  /// Which side of the channel this peer is.
  public enum Side: UInt8, Hashable, Sendable {
    case payee = 1
    case payer = 2
  }

  public let channel: ChannelID
  public let side: Side
  public let other: AccountParty
  /// Pay for all work so far. A payer's own count: what it promised.
  public var earned: Amount
  public var voucher: Signed<Voucher>?
  /// Of what was promised: what counts as settled.
  public var settled: Amount
  /// The other side's word for that, on the embedded ledger.
  public var agreement: Signed<SettledStatement>?
  /// By model; at most `modelLimit`.
  public private(set) var work: [ModelWork]

  /// Models beyond these are counted together, under a name of zeros.
  public static let modelLimit = 256

  public init(channel: ChannelID, side: Side, other: AccountParty) {
    self.channel = channel
    self.side = side
    self.other = other
    earned = .zero
    settled = .zero
    work = []
  }

  public var promised: Amount { voucher?.statement.cumulative ?? .zero }
  /// Worked for and not promised.
  public var owed: Amount { earned - promised }

  /// Adds work that was done, or paid for.
  public mutating func add(_ more: ModelWork) {
    let known = work.firstIndex { $0.model == more.model }
    if known == nil, work.count < Self.modelLimit - 1 { return work.append(more) }
    let rest = work.firstIndex { $0.model == ModelID(.zero) }
    guard let index = known ?? rest else {
      return work.append(
        ModelWork(
          model: ModelID(.zero), tokens: more.tokens, workUnits: more.workUnits, pay: more.pay))
    }
    work[index].tokens &+= more.tokens
    work[index].workUnits &+= more.workUnits
    work[index].pay = work[index].pay + more.pay
  }

  // MARK: On disk

  private static let format: UInt8 = 1

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(Self.format)
    writer.id(channel)
    writer.integer(side.rawValue)
    writer.id(other.peer)
    writer.id(other.account)
    writer.integer(earned.units)
    writer.integer(settled.units)
    writer.flag(voucher != nil)
    voucher?.write(to: &writer)
    writer.flag(agreement != nil)
    agreement?.write(to: &writer)
    writer.list(work) { writer, work in
      writer.id(work.model)
      writer.integer(work.tokens)
      writer.integer(work.workUnits)
      writer.integer(work.pay.units)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let format = try reader.integer(UInt8.self)
    guard format == Self.format else {
      throw .unknown(field: "account format", value: UInt64(format))
    }
    channel = try reader.id()
    let code = try reader.integer(UInt8.self)
    guard let side = Side(rawValue: code) else {
      throw .unknown(field: "side", value: UInt64(code))
    }
    self.side = side
    other = AccountParty(peer: try reader.id(), account: try reader.id())
    earned = Amount(try reader.integer())
    settled = Amount(try reader.integer())
    voucher = try reader.flag("voucher") ? try Signed(from: &reader) : nil
    agreement = try reader.flag("agreement") ? try Signed(from: &reader) : nil
    work = try reader.list("work", limit: Self.modelLimit) { reader throws(WireError) in
      ModelWork(
        model: try reader.id(), tokens: try reader.integer(), workUnits: try reader.integer(),
        pay: Amount(try reader.integer()))
    }
    try reader.finish()
  }
}
