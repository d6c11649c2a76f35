// The receipts of one session, one after the other. Payee and payer each keep a chain and compute
// the same receipt from the same work, so that a claim is checked by equality.

public import ShoalProtocol

/// What a session is about: fixed when it begins.
public struct WorkSession: Hashable, Sendable {
  public let id: WorkSessionID
  public let manifest: ModelID
  public let plan: PlanID
  /// Of the payee's share.
  public let atoms: Bytes32
  public let price: WorkPrice

  public init(
    id: WorkSessionID, manifest: ModelID, plan: PlanID, atoms: Bytes32, price: WorkPrice
  ) {
    self.id = id
    self.manifest = manifest
    self.plan = plan
    self.atoms = atoms
    self.price = price
  }
}

/// Some steps of a session, as either side counted them.
public struct WorkChunk: Hashable, Sendable {
  public let tokens: UInt64
  /// Multiply-accumulates of the payee's share.
  public let workUnits: UInt64
  public let input: Bytes32
  public let output: Bytes32

  public init(tokens: UInt64, workUnits: UInt64, input: Bytes32, output: Bytes32) {
    self.tokens = tokens
    self.workUnits = workUnits
    self.input = input
    self.output = output
  }
}

/// How much more a payer pays for in a session that broke off: what it asked for, and may not have
/// seen the answer of.
public struct WorkAllowance: Hashable, Sendable {
  public var tokens: UInt64
  public var workUnits: UInt64

  public init(tokens: UInt64, workUnits: UInt64) {
    (self.tokens, self.workUnits) = (tokens, workUnits)
  }
}

/// The newest receipt of a session and what led to it.
public struct ReceiptChain: Hashable, Sendable {
  public let channel: ChannelID
  public let session: WorkSession
  public private(set) var newest: Receipt?
  /// Of all receipts.
  public private(set) var workUnits: UInt64 = 0
  public private(set) var tokens: UInt64 = 0

  public init(channel: ChannelID, session: WorkSession) {
    (self.channel, self.session) = (channel, session)
  }

  /// Pay for all of the session so far.
  public var pay: Amount { newest?.cumulative ?? .zero }

  /// The receipt that `chunk` makes next.
  public func receipt(for chunk: WorkChunk) -> Receipt {
    let (units, overflow) = workUnits.addingReportingOverflow(chunk.workUnits)
    return Receipt(
      channel: channel, session: session.id, sequence: (newest?.sequence ?? 0) + 1,
      previous: newest?.hash ?? .zero, manifest: session.manifest, plan: session.plan,
      atoms: session.atoms, tokens: chunk.tokens, workUnits: chunk.workUnits,
      cumulative: session.price.pay(overflow ? .max : units), input: chunk.input,
      output: chunk.output)
  }

  /// Takes the next receipt, which `receipt(for:)` made or equals.
  public mutating func append(_ receipt: Receipt) {
    precondition(
      receipt.sequence == (newest?.sequence ?? 0) + 1,
      "receipt \(receipt.sequence) after \(newest?.sequence ?? 0)")
    newest = receipt
    workUnits = workUnits.addingReportingOverflow(receipt.workUnits).partialValue
    tokens = tokens.addingReportingOverflow(receipt.tokens).partialValue
  }
}

/// Two receipts of one payee for the same slot of the same session: it contradicts itself, and
/// anybody can see that it does.
public struct Equivocation: Hashable, Sendable {
  public let first: Signed<Receipt>
  public let second: Signed<Receipt>

  public init(first: Signed<Receipt>, second: Signed<Receipt>) {
    (self.first, self.second) = (first, second)
  }

  public func proves(against payee: LedgerAccount, _ domain: SettlementDomain) -> Bool {
    let (one, other) = (first.statement, second.statement)
    return one.channel == other.channel && one.session == other.session
      && one.sequence == other.sequence && one != other
      && first.isValid(by: payee, domain) && second.isValid(by: payee, domain)
  }
}
