// Integer arithmetic for plans: it saturates where it would overflow, so that no figure a stranger
// announces can trap a peer, and it rounds one way, so that every peer gets the same plan.

package enum Saturating {
  package static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (value, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : value
  }

  package static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (value, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : value
  }

  /// Zero where `right` is the larger.
  package static func difference(_ left: UInt64, _ right: UInt64) -> UInt64 {
    left > right ? left - right : 0
  }

  /// `value * numerator / denominator`, rounded down, with a 128-bit product; the remainder beside
  /// it. A zero denominator counts as an infinite quotient.
  package static func ratio(
    _ value: UInt64, times numerator: UInt64, over denominator: UInt64
  ) -> (quotient: UInt64, remainder: UInt64) {
    let product = value.multipliedFullWidth(by: numerator)
    guard product.high < denominator else { return (.max, 0) }
    return denominator.dividingFullWidth(product)
  }
}
