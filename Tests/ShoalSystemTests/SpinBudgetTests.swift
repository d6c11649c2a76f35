// How long a receive looks again before it sleeps.

import ShoalSystem
import Testing

@Suite struct SpinBudgetTests {
  @Test func waitsWithinTheCapAreSpunOut() {
    var budget = SpinBudget(adaptive: true)
    let wait = SpinBudget.cap / 2
    for _ in 0..<100 { budget.ended(after: wait, spinning: true) }
    #expect(budget.nanoseconds > wait)
    #expect(budget.nanoseconds <= SpinBudget.cap)
  }

  @Test func waitsBeyondTheCapEndSpinningUntilTheNextTrial() {
    var budget = SpinBudget(adaptive: true)
    for _ in 0..<SpinBudget.patience {
      #expect(budget.nanoseconds > 0)
      budget.ended(after: 2 * SpinBudget.cap, spinning: true)
    }
    var spun = 0
    for _ in 0..<10 * SpinBudget.probe {
      let spins = budget.nanoseconds > 0
      if spins { spun += 1 }
      budget.ended(after: 2 * SpinBudget.cap, spinning: spins)
    }
    #expect(spun == 10)
    // A wait that would have paid brings it back.
    budget.ended(after: 1_000, spinning: false)
    #expect(budget.nanoseconds > 0)
  }

  @Test func whoeverIsToSleepNeverSpins() {
    var budget = SpinBudget(adaptive: false)
    budget.ended(after: 1_000, spinning: false)
    #expect(budget.nanoseconds == 0)
  }
}
