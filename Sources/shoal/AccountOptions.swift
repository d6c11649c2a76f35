// What a peer asks, pays and lends: the flags of `shoal peer` that make it keep accounts.

import ArgumentParser
import ShoalLedger

struct AccountOptions: ParsableArguments {
  @Option(
    help: """
      Credits that this peer asks, and pays at most, for 2^20 multiply-accumulates \
      (default: it keeps no accounts). 0 asks nothing.
      """)
  var price: UInt64?
  @Option(help: "Credits that it pays at most for the same (default: as --price).")
  var pays: UInt64?
  @Option(help: "Credits that it lends to each payer, beyond what is settled.")
  var credit: UInt64?
  @Option(help: "Credits that it is ready to owe to each payee, beyond what is settled.")
  var budget: UInt64?
  @Option(help: "Credits of work that may wait for a voucher.") var window: UInt64?

  /// Nil: no accounts.
  func terms() throws -> AccountTerms? {
    guard let price = price ?? pays.map({ _ in 0 }) else {
      guard credit == nil, budget == nil, window == nil else {
        throw ValidationError("--credit, --budget and --window need --price or --pays")
      }
      return nil
    }
    let dearest = max(price, pays ?? 0)
    var terms = AccountTerms(price: WorkPrice(perMebiUnit: dearest))
    terms.asks = WorkPrice(perMebiUnit: price)
    terms.pays = WorkPrice(perMebiUnit: pays ?? price)
    if let credit { terms.credit = Amount(UInt128(credit)) }
    if let budget { terms.budget = Amount(UInt128(budget)) }
    if let window { terms.window = Amount(UInt128(window)) }
    return terms
  }
}
