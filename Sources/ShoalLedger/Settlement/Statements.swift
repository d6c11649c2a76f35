// What payees and payers sign: receipts for work, vouchers that pay for it, and the statement by
// which both agree that vouchers are settled. Each is a structure of EIP-712.

public import ShoalProtocol

/// Something that is signed.
public protocol SettlementStatement: Hashable, Sendable {
  static var structure: TypedStructure { get }
  /// The fields' values, in the structure's order.
  var values: [SolidityValue] { get }
  func write(to writer: inout ByteWriter)
  init(from reader: inout ByteReader) throws(WireError)
}

extension SettlementStatement {
  /// EIP-712's `hashStruct`: how other statements refer to this one.
  public var hash: Bytes32 {
    // Cannot fail: a statement's values are made for its own structure.
    (try? TypedSchema([Self.structure]).hash(Self.structure.name, values)) ?? .zero
  }

  public func digest(_ domain: SettlementDomain) -> Bytes32 {
    TypedDomain.digest(separator: domain.separator, hash)
  }

  public func signed(by signer: some SettlementSigner, _ domain: SettlementDomain) -> Signed<Self> {
    Signed(statement: self, signature: signer.sign(digest(domain)))
  }
}

/// A statement with a signature. Whether it holds is `isValid`'s to say.
public struct Signed<Statement: SettlementStatement>: Hashable, Sendable {
  public let statement: Statement
  public let signature: [UInt8]

  /// Bytes: 64 of Ed25519, 65 of secp256k1.
  public static var signatureLimit: Int { 65 }

  public init(statement: Statement, signature: [UInt8]) {
    (self.statement, self.signature) = (statement, signature)
  }

  public func isValid(by account: LedgerAccount, _ domain: SettlementDomain) -> Bool {
    domain.verify(account, statement.digest(domain), signature)
  }

  public func write(to writer: inout ByteWriter) {
    statement.write(to: &writer)
    writer.blob(signature)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    statement = try Statement(from: &reader)
    signature = try reader.blob("signature", limit: Self.signatureLimit)
  }
}

/// A payee says what it computed: one link in a session's chain.
public struct Receipt: SettlementStatement {
  public let channel: ChannelID
  public let session: WorkSessionID
  /// Counts the receipts of the session from 1.
  public let sequence: UInt64
  /// The hash of the receipt before; zero for the first.
  public let previous: Bytes32
  public let manifest: ModelID
  public let plan: PlanID
  /// Of the atoms that the payee held for it.
  public let atoms: Bytes32
  /// Of this chunk.
  public let tokens: UInt64
  /// Multiply-accumulates of this chunk.
  public let workUnits: UInt64
  /// Pay for all of the session so far.
  public let cumulative: Amount
  /// Of the tokens that came in.
  public let input: Bytes32
  /// Of the results that went out.
  public let output: Bytes32

  public init(
    channel: ChannelID, session: WorkSessionID, sequence: UInt64, previous: Bytes32,
    manifest: ModelID, plan: PlanID, atoms: Bytes32, tokens: UInt64, workUnits: UInt64,
    cumulative: Amount, input: Bytes32, output: Bytes32
  ) {
    self.channel = channel
    self.session = session
    self.sequence = sequence
    self.previous = previous
    self.manifest = manifest
    self.plan = plan
    self.atoms = atoms
    self.tokens = tokens
    self.workUnits = workUnits
    self.cumulative = cumulative
    self.input = input
    self.output = output
  }

  public static let structure = TypedStructure(
    "Receipt",
    [
      .init("channelId", .bytes32), .init("session", .bytes32), .init("sequence", .uint64),
      .init("previous", .bytes32), .init("manifestHash", .bytes32), .init("planHash", .bytes32),
      .init("atoms", .bytes32), .init("tokens", .uint64), .init("workUnits", .uint64),
      .init("cumulative", .uint256), .init("inputHash", .bytes32), .init("outputHash", .bytes32),
    ])

  public var values: [SolidityValue] {
    [
      .word(channel.raw), .word(session.raw), .integer(sequence), .word(previous),
      .word(manifest.raw), .word(plan.raw), .word(atoms), .integer(tokens), .integer(workUnits),
      .integer(UInt256(cumulative.units)), .word(input), .word(output),
    ]
  }

  public func write(to writer: inout ByteWriter) {
    writer.id(channel)
    writer.id(session)
    writer.integer(sequence)
    writer.raw(previous.bytes)
    writer.id(manifest)
    writer.id(plan)
    writer.raw(atoms.bytes)
    writer.integer(tokens)
    writer.integer(workUnits)
    writer.integer(cumulative.units)
    writer.raw(input.bytes)
    writer.raw(output.bytes)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    channel = try reader.id()
    session = try reader.id()
    sequence = try reader.integer()
    previous = try reader.bytes32()
    manifest = try reader.id()
    plan = try reader.id()
    atoms = try reader.bytes32()
    tokens = try reader.integer()
    workUnits = try reader.integer()
    cumulative = Amount(try reader.integer())
    input = try reader.bytes32()
    output = try reader.bytes32()
  }
}

/// A payer promises all that a channel owes so far. Only the largest counts.
public struct Voucher: SettlementStatement {
  public let channel: ChannelID
  public let cumulative: Amount
  /// The hash of the receipt that it answers.
  public let receipt: Bytes32

  public init(channel: ChannelID, cumulative: Amount, receipt: Bytes32) {
    self.channel = channel
    self.cumulative = cumulative
    self.receipt = receipt
  }

  public static let structure = TypedStructure(
    "Voucher",
    [
      .init("channelId", .bytes32), .init("cumulative", .uint256), .init("receipt", .bytes32),
    ])

  public var values: [SolidityValue] {
    [.word(channel.raw), .integer(UInt256(cumulative.units)), .word(receipt)]
  }

  public func write(to writer: inout ByteWriter) {
    writer.id(channel)
    writer.integer(cumulative.units)
    writer.raw(receipt.bytes)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    channel = try reader.id()
    cumulative = Amount(try reader.integer())
    receipt = try reader.bytes32()
  }
}

/// Payer and payee agree that a channel's vouchers are settled up to here, however they did it: by
/// work the other way, by money, by goodwill. Signed by both, it is what redeeming is on the
/// embedded ledger.
public struct SettledStatement: SettlementStatement {
  public let channel: ChannelID
  public let settled: Amount

  public init(channel: ChannelID, settled: Amount) {
    (self.channel, self.settled) = (channel, settled)
  }

  public static let structure = TypedStructure(
    "Settled", [.init("channelId", .bytes32), .init("settled", .uint256)])

  public var values: [SolidityValue] {
    [.word(channel.raw), .integer(UInt256(settled.units))]
  }

  public func write(to writer: inout ByteWriter) {
    writer.id(channel)
    writer.integer(settled.units)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    channel = try reader.id()
    settled = Amount(try reader.integer())
  }
}
