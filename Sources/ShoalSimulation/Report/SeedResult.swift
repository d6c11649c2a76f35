// What one seed came to.

internal import ShoalProtocol

package struct SeedResult: Sendable {
  package let seed: UInt64
  package var violation: Violation?
  /// The last of the story, in words, where it went wrong.
  package var trace: [String] = []
  /// The fewest faults with which it still goes wrong.
  package var shortest: [String] = []
  package var traceHash: UInt64 = 0
  package var events = 0
  package var epochs = 0
  package var datagrams = 0
  package var virtualTime = Duration.zero
  /// Plans that a second peer computed from its own records.
  package var plansCompared = 0
  /// Plans of more than one pipeline stage: of views, and of jobs.
  package var stagedPlans = 0
  package var deepestInbox = 0
  package var refusedRecords = 0
  package var lostAtoms = 0
  /// Copies that were given up to make room.
  package var drops = 0
  /// From the end of the faults to equal views.
  package var reunion: Duration?
  /// By event: from it to the last peer's new plan.
  package var rebalance: [String: Duration] = [:]
  /// By event: from the first table that knew to the last.
  package var dissemination: [String: Duration] = [:]
  package var movementPerMille: [String: Int] = [:]
  /// Suspicions raised, and members left out of views, although they ran.
  package var falseSuspicions = 0
  package var falseExclusions = 0
  /// Time that peers of the control plane lived, summed up.
  package var peerSeconds = 0.0
  package var idleBytesPerSecond: Int?
  package var jobs = 0
  package var jobsCompleted = 0
  /// Jobs whose digest of all logits was compared with the one-peer run's.
  package var digestsCompared = 0
  package var tokensCompared = 0
  /// How often a job went on without a peer that it had lost.
  package var continuations = 0
  /// How often a client went on at a witness after its entry had died.
  package var resumptions = 0
  /// Where a picture is wanted.
  package var timeline: Timeline?

  package init(seed: UInt64) { self.seed = seed }

  /// What the whole nodes of the same seed came to.
  mutating func add(_ nodes: SeedResult) {
    violation = violation ?? nodes.violation
    trace += nodes.trace
    traceHash = SeededGenerator.mixed(traceHash ^ nodes.traceHash)
    events += nodes.events
    datagrams += nodes.datagrams
    drops += nodes.drops
    virtualTime += nodes.virtualTime
    stagedPlans += nodes.stagedPlans
    jobs += nodes.jobs
    jobsCompleted += nodes.jobsCompleted
    digestsCompared += nodes.digestsCompared
    tokensCompared += nodes.tokensCompared
    continuations += nodes.continuations
    resumptions += nodes.resumptions
  }
}
