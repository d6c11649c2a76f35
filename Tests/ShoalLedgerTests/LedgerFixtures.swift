// Keys, chunks and channels for the tests of settlement.

import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

/// Signs with an Ed25519 key made of one byte.
struct TestSigner: SettlementSigner {
  static let purpose = SigningPurpose("test settlement")
  let identity: PeerIdentity
  var account: LedgerAccount { LedgerAccount(identity.id) }

  init(_ seed: UInt8) throws {
    identity = try #require(PeerIdentity(seed: SecretBytes([UInt8](repeating: seed, count: 32))))
  }

  func sign(_ digest: Bytes32) -> [UInt8] {
    identity.sign(digest.bytes, purpose: Self.purpose).bytes
  }

  static let verification: SettlementVerification = { account, digest, signature in
    guard let signature = Signature(signature) else { return false }
    return signature.isValid(for: digest.bytes, purpose: purpose, by: PeerID(account.raw))
  }
}

func word(_ byte: UInt8) -> Bytes32 { Keccak256.hash([byte]) }

extension SettlementDomain {
  static func test(_ network: UInt8 = 1) -> SettlementDomain {
    SettlementDomain(network: NetworkID(word(network)), verify: TestSigner.verification)
  }
}

extension WorkChunk {
  static func test(_ units: UInt64, output: UInt8 = 4) -> WorkChunk {
    WorkChunk(tokens: 32, workUnits: units, input: word(3), output: word(output))
  }
}

extension WorkSession {
  /// One unit of pay for each multiply-accumulate.
  static func test(_ id: UInt8, price: UInt64 = 1 << 20) -> WorkSession {
    WorkSession(
      id: WorkSessionID(word(id)), manifest: ModelID(word(10)), plan: PlanID(word(11)),
      atoms: word(12), price: WorkPrice(perMebiUnit: price))
  }
}

/// Both sides of one channel, and what passes between them.
struct Pair {
  let payerKey: TestSigner
  let payeeKey: TestSigner
  let domain: SettlementDomain
  let terms: PayeeTerms
  var payer: PayerChannel
  var payee: PayeeChannel

  init(
    payerSeed: UInt8 = 1, window: UInt128 = 100, limit: UInt128 = 1_000, epoch: UInt64 = 0,
    domain: SettlementDomain = .test(), redeemAt: UInt128 = 500, riskLimit: UInt128 = 200
  ) throws {
    payerKey = try TestSigner(payerSeed)
    payeeKey = try TestSigner(2)
    self.domain = domain
    terms = PayeeTerms(
      window: Amount(window), riskLimit: Amount(riskLimit), redeemAt: Amount(redeemAt))
    let id = ChannelID(payer: payerKey.account, payee: payeeKey.account, epoch: epoch)
    payer = PayerChannel(
      id: id, payer: payerKey.account, payee: payeeKey.account, domain: domain,
      budget: Amount(limit))
    payee = PayeeChannel(id: id, payer: payerKey.account, terms: terms, domain: domain)
    payee.adopt(.credit(limit: Amount(limit)))
  }

  var id: ChannelID { payee.id }

  mutating func begin(_ session: WorkSession) throws {
    try payee.begin(session)
    try payer.begin(session)
  }

  /// The payee works and signs; the payer has counted the same, or `counted`.
  mutating func work(
    _ session: WorkSession, _ chunk: WorkChunk, counted: WorkChunk? = nil
  ) throws -> Signed<Receipt> {
    try payer.counted(session.id, counted ?? chunk)
    return try payee.work(session.id, chunk).signed(by: payeeKey, domain)
  }

  /// The payer answers a receipt; the voucher is not told to the payee yet.
  mutating func answer(_ receipt: Signed<Receipt>) throws -> Signed<Voucher> {
    let voucher = try payer.accept(receipt).signed(by: payerKey, domain)
    payer.signed(voucher)
    return voucher
  }

  /// Work, receipt, voucher.
  mutating func pay(_ session: WorkSession, _ chunk: WorkChunk) throws {
    try payee.accept(answer(work(session, chunk)))
  }

  func voucher(_ cumulative: UInt128, by key: TestSigner? = nil) -> Signed<Voucher> {
    Voucher(channel: id, cumulative: Amount(cumulative), receipt: .zero)
      .signed(by: key ?? payerKey, domain)
  }
}
