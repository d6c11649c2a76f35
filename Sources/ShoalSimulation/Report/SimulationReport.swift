// What many seeds came to, for machines and for people.

internal import ShoalProtocol

/// The outcome of a simulation. Its JSON form is documented in docs/SIMULATION.md.
public struct SimulationReport: Encodable, Sendable {
  /// A story that broke an invariant.
  public struct Failure: Encodable, Sendable {
    public let seed: UInt64
    public let invariant: String
    public let milliseconds: Int64
    public let detail: String
    /// The fewest faults with which it still breaks.
    public let faults: [String]
    /// The last events before.
    public let trace: [String]
  }

  /// How a duration is spread over seeds, in milliseconds.
  public struct Spread: Encodable, Sendable {
    public let count: Int
    public let p50: Double
    public let p99: Double
    public let most: Double

    init?(_ values: [Double]) {
      let sorted = values.sorted()
      guard let last = sorted.last else { return nil }
      count = sorted.count
      p50 = sorted[(sorted.count - 1) / 2]
      p99 = sorted[Int((Double(sorted.count - 1) * 0.99).rounded(.up))]
      most = last
    }
  }

  public let peers: Int
  public let jobPeers: Int
  public let firstSeed: UInt64
  public let lastSeed: UInt64
  public let faults: [String]
  public let topology: String
  public private(set) var seeds = 0
  public private(set) var events = 0
  public private(set) var datagrams = 0
  public private(set) var epochs = 0
  public private(set) var virtualSeconds = 0.0
  public private(set) var plansCompared = 0
  /// Plans of more than one pipeline stage: of views, and of jobs.
  public private(set) var stagedPlans = 0
  public private(set) var forgeriesRefused = 0
  public private(set) var jobs = 0
  public private(set) var jobsCompleted = 0
  public private(set) var digestsCompared = 0
  public private(set) var tokensCompared = 0
  /// How often a job went on without a peer that it had lost.
  public private(set) var continuations = 0
  /// How often a client went on at a witness after its entry had died.
  public private(set) var resumptions = 0
  /// Seeds in which faults took every holder of some atom at once.
  public private(set) var seedsWithLostAtoms = 0
  /// Copies that peers gave up to make room, each with as many promises as there are to be copies.
  public private(set) var drops = 0
  public private(set) var deepestInbox = 0
  public private(set) var mostIdleBytesPerSecond = 0
  /// Suspicions on a peer's own evidence against one that ran, and views that lacked one: whatever
  /// befell its links.
  public private(set) var falseSuspicions = 0
  public private(set) var falseExclusions = 0
  public private(set) var peerHours = 0.0
  /// From the end of all faults to equal views.
  public private(set) var reunion: Spread?
  /// From an event to the last peer's new plan, by event.
  public private(set) var rebalance: [String: Spread] = [:]
  /// From the first table that knows of an event to the last, by event.
  public private(set) var dissemination: [String: Spread] = [:]
  /// Bytes moved in thousandths of what the change itself needs, by event.
  public private(set) var movementPerMille: [String: Spread] = [:]
  public private(set) var failures: [Failure] = []
  /// Over all stories, in the order of their seeds: equal for equal code and equal seeds.
  public private(set) var traceHash = ""
  /// The first story, drawn.
  public var picture: String? { timeline.map { StoryPicture($0).svg } }

  private var results: [SeedResult] = []
  private var timeline: Timeline?

  private enum CodingKeys: String, CodingKey {
    case peers, jobPeers, firstSeed, lastSeed, faults, topology, seeds, events, datagrams, epochs
    case virtualSeconds, plansCompared, stagedPlans, forgeriesRefused, jobs, jobsCompleted
    case digestsCompared, tokensCompared, continuations, resumptions, seedsWithLostAtoms, drops
    case deepestInbox, mostIdleBytesPerSecond
    case falseSuspicions, falseExclusions, peerHours, reunion
    case rebalance, dissemination, movementPerMille, failures, traceHash
  }

  init(_ simulation: Simulation) {
    peers = simulation.peers
    jobPeers = simulation.jobPeers
    firstSeed = simulation.seeds.lowerBound
    lastSeed = simulation.seeds.upperBound
    faults = simulation.faults.map(\.rawValue).sorted()
    topology = simulation.topology.name
  }

  mutating func add(_ result: SeedResult) {
    results.append(result)
    seeds += 1
    events += result.events
    datagrams += result.datagrams
    epochs += result.epochs
    virtualSeconds += result.virtualTime.inSeconds
    plansCompared += result.plansCompared
    stagedPlans += result.stagedPlans
    forgeriesRefused += result.refusedRecords
    jobs += result.jobs
    jobsCompleted += result.jobsCompleted
    digestsCompared += result.digestsCompared
    tokensCompared += result.tokensCompared
    continuations += result.continuations
    resumptions += result.resumptions
    seedsWithLostAtoms += result.lostAtoms > 0 ? 1 : 0
    drops += result.drops
    deepestInbox = max(deepestInbox, result.deepestInbox)
    mostIdleBytesPerSecond = max(mostIdleBytesPerSecond, result.idleBytesPerSecond ?? 0)
    falseSuspicions += result.falseSuspicions
    falseExclusions += result.falseExclusions
    peerHours += result.peerSeconds / 3_600
    timeline = timeline ?? result.timeline
  }

  /// Sorts by seed, so that the order in which stories ended leaves no trace.
  mutating func finish() {
    results.sort { $0.seed < $1.seed }
    let milliseconds = { (value: Duration) in value.inSeconds * 1_000 }
    reunion = Spread(results.compactMap(\.reunion).map(milliseconds))
    for event in Set(results.flatMap(\.rebalance.keys)).sorted() {
      rebalance[event] = Spread(results.compactMap { $0.rebalance[event] }.map(milliseconds))
      dissemination[event] = Spread(
        results.compactMap { $0.dissemination[event] }.map(milliseconds))
      movementPerMille[event] = Spread(
        results.compactMap { $0.movementPerMille[event] }.map { Double($0) })
    }
    var hash: UInt64 = 0
    for result in results { hash = SeededGenerator.mixed(hash ^ result.traceHash) }
    traceHash = String(hash, radix: 16)
    failures = results.compactMap { result in
      result.violation.map { violation in
        Failure(
          seed: result.seed, invariant: violation.invariant.rawValue,
          milliseconds: violation.at.nanoseconds / 1_000_000, detail: violation.detail,
          faults: result.shortest, trace: result.trace)
      }
    }
    results = []
  }
}

extension SimulationReport {
  /// For people: one line a fact.
  public var lines: [String] {
    var lines = [
      "\(seeds) seeds of \(peers) peers: \(events) events, \(datagrams) datagrams,"
        + " \(epochs) epochs in \(Int(virtualSeconds)) virtual seconds; trace \(traceHash)",
      "plans computed twice and equal: \(plansCompared), with pipeline stages: \(stagedPlans);"
        + " forged records refused: \(forgeriesRefused); deepest inbox \(deepestInbox)",
    ]
    if jobs > 0 {
      lines.append(
        "jobs: \(jobs), completed \(jobsCompleted), gone on without a lost peer"
          + " \(continuations) times, at a witness \(resumptions) times; digests compared"
          + " \(digestsCompared), tokens \(tokensCompared)")
    }
    if let reunion { lines.append("equal views after the faults: \(Self.words(reunion))") }
    for event in rebalance.keys.sorted() {
      let spread = rebalance[event].map(Self.words) ?? ""
      let moved = movementPerMille[event].map { ", moved \(Self.times($0))" } ?? ""
      lines.append("new plan everywhere after a \(event): \(spread)\(moved)")
    }
    lines.append("copies given up to make room: \(drops)")
    lines.append("idle: at most \(mostIdleBytesPerSecond) B/s a peer")
    let hours = (peerHours * 100).rounded() / 100
    lines.append(
      "in \(hours) hours of peers: \(falseSuspicions) suspicions of peers that ran, left out of"
        + " a view \(falseExclusions) times")
    if seedsWithLostAtoms > 0 {
      lines.append("in \(seedsWithLostAtoms) seeds the faults took all holders of an atom at once")
    }
    return lines + [
      failures.isEmpty ? "no invariant broke" : "\(failures.count) seeds broke an invariant"
    ]
  }

  private static func words(_ spread: Spread) -> String {
    "p50 \(Int(spread.p50)) ms, p99 \(Int(spread.p99)) ms, most \(Int(spread.most)) ms"
  }

  private static func times(_ spread: Spread) -> String {
    let times = { (perMille: Double) in "\(Int(perMille) / 1_000).\(Int(perMille) % 1_000 / 100)" }
    return "p50 \(times(spread.p50)), most \(times(spread.most)) times the ideal"
  }
}
