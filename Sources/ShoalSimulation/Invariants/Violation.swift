// A claim about the mesh that turned out false, with the numbers that show it.

package import ShoalProtocol

/// What must hold at every step of every story. The raw value is its name in reports.
public enum Invariant: String, CaseIterable, Hashable, Sendable {
  case samePlan = "the same view gives the same plan everywhere"
  case liveHolder = "every atom has a live holder while fewer than R of its holders are down"
  case acknowledged = "nothing is dropped before R others have promised to keep it"
  case memory = "no plan fills more than 80 % of a peer's memory"
  case movement = "a join or a leave moves at most twice the ideal"
  case rebalance = "a join or a goodbye is in all plans within 1 s, a crash within 2 s"
  case dissemination = "views are equal within 3 log2(N) gossip ticks"
  case reunion = "views become equal once the faults have ended"
  case replication = "every atom has R holders again once the faults have ended"
  case oneEpoch = "a batch of changes makes at most one epoch"
  case boundedQueues = "every queue stays inside its limit"
  case rest = "a mesh that nothing befalls comes to rest"
  case idleTraffic = "an idle peer sends at most 1 KB/s"
  case forgery = "nobody believes a forged record"
  case sameTrace = "one seed, one story"
  case sameTokens = "tokens equal the one-peer run"
  case jobEnds = "every admitted job ends or errors within its deadline"
  case oneTerm = "a job that nothing befalls needs one term"
  case jobSurvives = "a job outlives the loss of any one peer"
}

/// Where and how an invariant broke.
package struct Violation: Hashable, Sendable {
  package let invariant: Invariant
  package let at: Moment
  /// The peers whom it is about; none: the mesh.
  package let peers: Set<Int>
  package let detail: String

  package init(_ invariant: Invariant, at: Moment, peers: Set<Int> = [], _ detail: String) {
    (self.invariant, self.at, self.peers, self.detail) = (invariant, at, peers, detail)
  }
}
