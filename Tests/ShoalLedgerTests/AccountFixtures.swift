// Two books, and a line between them that loses, doubles and reorders what they say.

import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

extension AccountTerms {
  /// A unit of pay for each multiply-accumulate.
  static func test(window: UInt128 = 1_000, credit: UInt128 = 1_000_000) -> AccountTerms {
    var terms = AccountTerms(price: WorkPrice(perMebiUnit: 1 << 20))
    terms.window = Amount(window)
    terms.credit = Amount(credit)
    terms.strangersLimit = Amount(.max)
    return terms
  }
}

/// A payer and a payee with their disks.
struct Household {
  let payerKey: TestSigner
  let payeeKey: TestSigner
  let terms: AccountTerms
  var payer: AccountBook
  var payee: AccountBook
  var payerDisk: [ChannelID: AccountRecord] = [:]
  var payeeDisk: [ChannelID: AccountRecord] = [:]
  /// On their way: to the payer, to the payee.
  var toPayer: [AccountMessage] = []
  var toPayee: [AccountMessage] = []
  var now = Moment(nanoseconds: 0)
  var caught: [AccountFault] = []

  init(_ terms: AccountTerms = .test()) throws {
    self.terms = terms
    payerKey = try TestSigner(1)
    payeeKey = try TestSigner(2)
    payer = AccountBook(signer: payerKey, domain: .test(), terms: terms, lends: true)
    payee = AccountBook(signer: payeeKey, domain: .test(), terms: terms, lends: true)
  }

  var payeeParty: AccountParty { AccountParty(payeeKey.identity.id) }
  var payerParty: AccountParty { AccountParty(payerKey.identity.id) }
  var channel: ChannelID {
    ChannelID(payer: payerKey.account, payee: payeeKey.account, epoch: 0)
  }

  mutating func begin(_ session: WorkSession) throws {
    _ = try payee.serve(session, for: payerParty)
    try payer.hire(session, of: payeeParty)
  }

  /// The payee does a chunk, and the payer sees it.
  mutating func work(_ session: WorkSession, _ chunk: WorkChunk, seen: WorkChunk? = nil) {
    perform(payee.worked(session.id, chunk, at: now), ofPayee: true)
    perform(payer.counted(session.id, seen ?? chunk, at: now), ofPayee: false)
  }

  mutating func perform(_ effects: [AccountEffect], ofPayee: Bool) {
    for effect in effects {
      switch effect {
      case .keep(let record):
        if ofPayee {
          payeeDisk[record.channel] = record
        } else {
          payerDisk[record.channel] = record
        }
      case .send(let message, _):
        if ofPayee { toPayer.append(message) } else { toPayee.append(message) }
      case .service: break
      case .caught(let fault): caught.append(fault)
      }
    }
  }

  /// Delivers everything, answers included.
  mutating func deliver() throws {
    while !toPayer.isEmpty || !toPayee.isEmpty { try deliverOne(toPayerFirst: true) }
  }

  mutating func deliverOne(toPayerFirst: Bool) throws {
    if !toPayer.isEmpty, toPayerFirst || toPayee.isEmpty {
      // Over the wire and back.
      let message = try AccountMessage(bytes: toPayer.removeFirst().bytes)
      perform(
        payer.receive(message, from: payeeKey.identity.id, at: now), ofPayee: false)
    } else if !toPayee.isEmpty {
      let message = try AccountMessage(bytes: toPayee.removeFirst().bytes)
      perform(
        payee.receive(message, from: payerKey.identity.id, at: now), ofPayee: true)
    }
  }

  mutating func wait(_ duration: Duration) {
    now = now + duration
    perform(payee.wake(at: now), ofPayee: true)
    perform(payer.wake(at: now), ofPayee: false)
  }

  /// Both sides, begun anew from what they kept.
  mutating func restart() {
    payer = AccountBook(
      signer: payerKey, domain: .test(), terms: terms, lends: true,
      kept: Array(payerDisk.values))
    payee = AccountBook(
      signer: payeeKey, domain: .test(), terms: terms, lends: true,
      kept: Array(payeeDisk.values))
    (toPayer, toPayee) = ([], [])
  }
}
