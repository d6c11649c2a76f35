// The answer of `GET /api/credits` and the body of `POST /api/credits/settle`.

import ShoalLedger
public import ShoalNode
import ShoalProtocol

/// Who did what, and what it earned. Amounts are decimal numbers as text: they have up to 128 bits.
public struct CreditsFacts: Codable, Sendable, Hashable {
  /// 64 hexadecimal digits.
  public let peer: String
  /// What this peer asks, and pays at most, for 2^20 multiply-accumulates.
  public let asks: UInt64
  public let pays: UInt64
  /// What it lends to each payer, and what may be owed to it before it waits for a voucher.
  public let credit: String
  public let window: String
  /// Promised to this peer, and by it.
  public let earned: String
  public let spent: String
  public let accounts: [Account]
  /// Peers that were caught: neither hired nor worked for.
  public let barred: [String]
  /// Why accounts cannot be kept at the moment; nil: they can.
  public let trouble: String?

  public struct Account: Codable, Sendable, Hashable {
    public enum Side: String, Codable, Sendable { case earns, pays }

    /// Who is at the other end.
    public let peer: String
    public let channel: String
    /// Whether this peer earns on it, or pays.
    public let side: Side
    /// By vouchers.
    public let promised: String
    /// Worked for, and not promised.
    public let owed: String
    /// Of what was promised: what both agreed is settled.
    public let settled: String
    public let work: [Work]
  }

  public struct Work: Codable, Sendable, Hashable {
    /// 64 hexadecimal digits.
    public let model: String
    public let tokens: UInt64
    /// Multiply-accumulates.
    public let workUnits: UInt64
    public let pay: String
  }

  public init(_ report: CreditsReport) {
    peer = report.own.raw.hex
    asks = report.terms.asks.perMebiUnit
    pays = report.terms.pays.perMebiUnit
    credit = "\(report.terms.credit)"
    window = "\(report.terms.window)"
    earned = "\(report.earned)"
    spent = "\(report.spent)"
    accounts = report.accounts.map { Account($0) }
    barred = report.barred.map(\.raw.hex)
    trouble = report.trouble
  }
}

extension CreditsFacts.Account {
  init(_ record: AccountRecord) {
    peer = record.other.peer.raw.hex
    channel = record.channel.raw.hex
    side =
      switch record.side {
      case .payee: .earns
      case .payer: .pays
      }
    promised = "\(record.promised)"
    owed = "\(record.owed)"
    settled = "\(record.settled)"
    work = record.work.map {
      CreditsFacts.Work(
        model: $0.model.raw.hex, tokens: $0.tokens, workUnits: $0.workUnits, pay: "\($0.pay)")
    }
  }
}

/// Whom to ask to agree that what it promised is settled.
public struct SettleRequest: Codable, Sendable, Hashable {
  /// 64 hexadecimal digits; nil: everybody who promised anything.
  public var peer: String?
  public init(peer: String?) { self.peer = peer }
}

public struct SettleFacts: Codable, Sendable, Hashable {
  /// How many payers were asked.
  public let asked: Int
  public init(asked: Int) { self.asked = asked }
}
