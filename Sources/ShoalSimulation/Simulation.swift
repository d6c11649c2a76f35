// The way in: many seeds of one kind of story, several at a time, and what came of them.

internal import ShoalProtocol

/// What to simulate. Every seed is a story of its own: a control plane of `peers`, and where
/// `jobPeers` is not zero, that many whole nodes that run real jobs.
public struct Simulation: Sendable {
  public var peers: Int
  public var jobPeers: Int
  public var seeds: ClosedRange<UInt64>
  public var faults: Set<FaultKind>
  public var topology: LinkTopology
  /// Stories told at the same time.
  public var parallel: Int

  public init(
    peers: Int, jobPeers: Int, seeds: ClosedRange<UInt64>, faults: Set<FaultKind> = FaultKind.all,
    topology: LinkTopology = .lan, parallel: Int = 1
  ) {
    self.peers = peers
    self.jobPeers = jobPeers
    self.seeds = seeds
    self.faults = faults
    self.topology = topology
    self.parallel = max(1, parallel)
  }

  /// Tells all stories. Neither their order nor `parallel` changes any of them.
  ///
  /// How far a run has come: one more seed is done.
  public struct Progress: Sendable {
    public let seed: UInt64
    /// The invariant that broke, and how; nil: none did.
    public let broke: String?
    public let virtualSeconds: Double
    public let done: Int
    public let total: Int
  }

  /// - Parameter progress: told of each seed as it is done, in whatever order that is.
  public func run(progress: @escaping @Sendable (Progress) -> Void) async throws
    -> SimulationReport
  {
    var report = SimulationReport(self)
    try await withThrowingTaskGroup(of: SeedResult.self) { group in
      var next = seeds.lowerBound
      var isOut = false
      func begin() {
        guard !isOut else { return }
        let seed = next
        group.addTask { try await self.story(seed: seed) }
        (next, isOut) = seed == seeds.upperBound ? (seed, true) : (seed + 1, false)
      }
      for _ in 0..<parallel { begin() }
      var done = 0
      while let result = try await group.next() {
        report.add(result)
        done += 1
        let broke = result.violation.map { "\($0.invariant.rawValue): \($0.detail)" }
        progress(
          Progress(
            seed: result.seed, broke: broke, virtualSeconds: result.virtualTime.inSeconds,
            done: done, total: seeds.count))
        begin()
      }
    }
    report.finish()
    return report
  }

  /// One seed.
  @concurrent
  package func story(seed: UInt64) async throws -> SeedResult {
    let control = ControlSimulation(
      peers: peers, faults: faults, topology: topology, draws: seed == seeds.lowerBound)
    var result = try control.run(seed: seed)
    guard jobPeers > 0, result.violation == nil else { return result }
    result.add(
      try await NodeStory.run(
        peers: jobPeers, faults: faults, topology: topology, seed: seed))
    return result
  }
}
