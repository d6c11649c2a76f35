// When a running job goes over to another plan.

import ShoalProtocol
import Testing

@Suite struct TermMoveTests {
  private static func after(_ milliseconds: [Int64]) -> TermMove {
    var move = TermMove(estimate: .milliseconds(10))
    for each in milliseconds { for _ in 0..<16 { move.note(.milliseconds(each)) } }
    return move
  }

  private static func plan(
    _ milliseconds: Int64, missing: UInt64 = 0, known: Int = 100, coming: Int = 400
  ) -> TermMove.Prospect {
    TermMove.Prospect(
      estimate: .milliseconds(milliseconds), missingBytes: missing, known: known, coming: coming)
  }

  @Test func `a plan that is quicker than what tokens take now is worth a move`() {
    #expect(Self.after([10, 40]).pays(Self.plan(12)))
  }

  /// Everything takes three times what was estimated: that is no reason to go anywhere.
  @Test func `estimates that are off alike are no reason`() {
    #expect(!Self.after([30, 30]).pays(Self.plan(10)))
    #expect(Self.after([30, 90]).pays(Self.plan(10)))
  }

  @Test func `nothing is decided before it was measured`() {
    #expect(!Self.after([]).pays(Self.plan(1)))
  }

  @Test func `few tokens to come, much to read again or to fetch are reasons to stay`() {
    let move = Self.after([10, 40])
    #expect(!move.pays(Self.plan(12, coming: 20)))
    #expect(!move.pays(Self.plan(12, known: 100_000)))
    #expect(!move.pays(Self.plan(12, missing: 1 << 30)))
  }

  @Test func `a tenth is no reason`() {
    #expect(!Self.after([10, 10]).pays(Self.plan(9, coming: 1_000_000)))
  }
}
