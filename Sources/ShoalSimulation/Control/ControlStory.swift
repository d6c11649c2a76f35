// One seed from beginning to end: a mesh forms, is hurt, heals, rests, and is changed once more.

internal import ShoalProtocol

struct ControlStory {
  private let world: ControlWorld
  private let options: ControlOptions
  private let seed: UInt64
  private var result: SeedResult

  /// - Parameter schedule: nil: what the seed draws.
  static func run(
    _ options: ControlOptions, seed: UInt64, schedule: FaultSchedule? = nil, draws: Bool = false
  ) throws -> (result: SeedResult, schedule: FaultSchedule) {
    let world = try ControlWorld(options, seed: seed, schedule: schedule)
    if draws { world.startTimeline() }
    var story = ControlStory(world: world, options: options, seed: seed)
    story.tell()
    return (story.finish(), world.schedule)
  }

  private init(world: ControlWorld, options: ControlOptions, seed: UInt64) {
    (self.world, self.options, self.seed) = (world, options, seed)
    result = SeedResult(seed: seed)
  }

  private mutating func tell() {
    world.run(until: options.churnStart + options.churn)
    let ends = world.schedule.faults.compactMap { $0.until ?? $0.at }
    world.run(until: max(ends.max() ?? world.now, world.now))
    reunite()
    rest()
    change("join", options.newcomer, comes: true) { $0.start($1) }
    change("leave", steadyPeer(1), comes: false) { world, number in
      world.member(.leave, at: number)
      world.stop(number, as: .left)
    }
    change("crash", steadyPeer(2), comes: false) { $0.stop($1, as: .crashed) }
  }

  // MARK: Phases

  /// The faults have ended: everybody finds everybody, and every atom its holders.
  private mutating func reunite() {
    let limit = Duration.seconds(150)
    let agreed = world.run(atMost: limit) { world.isAgreed }
    guard let agreed else {
      return world.breaks(.reunion, detail: disagreement, after: limit)
    }
    result.reunion = agreed
    guard world.lostAtoms == 0 else {
      // Faults took every holder of an atom: HolderCount has judged whether they might.
      result.lostAtoms = world.lostAtoms
      return
    }
    let replicated = world.run(atMost: .seconds(60)) { world.isReplicated }
    guard replicated != nil else {
      return world.breaks(.replication, detail: shortage, after: .seconds(60))
    }
  }

  /// Nothing happens: copies find their last places, records stop changing, and the last news is
  /// passed on as often as it is to be. What does rest cost? A time in which somebody published
  /// after all was none.
  private mutating func rest() {
    let end = world.now + .seconds(90)
    repeat {
      guard world.violation == nil else { return }
      let settled = world.run(atMost: end - world.now) { world.isAtRest }
      guard settled != nil else {
        return world.breaks(
          .rest, "records, or beliefs about who is there, still change or are told after 90 s")
      }
    } while !watchIdleTraffic()
  }

  /// False where it was not idle: somebody published, or changed its mind.
  private mutating func watchIdleTraffic() -> Bool {
    let (start, bytes) = (world.now, world.network.sentBytes)
    world.run(until: start + .seconds(10))
    guard world.violation == nil, world.lastNews <= start else { return false }
    let rate = (world.network.sentBytes - bytes) / world.running.count / 10
    result.idleBytesPerSecond = rate
    if rate > 1_000, world.running.count <= 256 {
      world.breaks(.idleTraffic, "\(rate) B/s a peer among \(world.running.count)")
    }
    return true
  }

  /// One clean join, goodbye or crash of a settled mesh.
  private mutating func change(
    _ name: String, _ number: Int?, comes: Bool, _ act: (ControlWorld, Int) -> Void
  ) {
    guard world.violation == nil, let number else { return }
    let before = world.running.first.flatMap { world.peers[$0].epochs.standing }
    world.watched = WatchedPeer(
      number: number, id: world.peers[number].id, comes: comes, since: world.now)
    act(world, number)
    let witnesses = world.running.filter { $0 != number }
    let limit = Duration.seconds(60)
    let done = world.run(atMost: limit) { [world] in
      witnesses.allSatisfy { world.watched?.planned[$0] != nil }
    }
    guard done != nil, let watched = world.watched else {
      return world.breaks(.reunion, detail: "after one \(name): \(disagreement)", after: limit)
    }
    world.watched = nil
    measure(name, watched, witnesses)
    _ = world.run(atMost: limit) { world.isAgreed }
    if let before { checkMovement(name, before, number) }
    _ = world.run(atMost: .seconds(60)) { world.isReplicated }
  }

  private mutating func measure(_ name: String, _ watched: WatchedPeer, _ witnesses: [Int]) {
    let planned = witnesses.compactMap { watched.planned[$0] }.max() ?? watched.since
    result.rebalance[name] = planned - watched.since
    checkRebalance(name, planned - watched.since)
    let known = witnesses.compactMap { watched.known[$0] }
    guard let first = known.min(), let last = known.max() else { return }
    result.dissemination[name] = last - first
    let ticks = 3 * bits(world.running.count)
    let bound = MembershipConfiguration().gossipInterval * ticks
    // A link's own delay is no matter of gossip: each tick may wait for one.
    let slack = world.network.topology.longest(peers: world.peers.count) * ticks
    if last - first > bound + slack {
      world.breaks(
        .dissemination,
        "a \(name) took \((last - first).inSeconds) s from the first table to the last; the bound"
          + " is \(bound.inSeconds) s")
    }
  }

  /// On a LAN; links slower than that are waited for several times.
  private func checkRebalance(_ name: String, _ took: Duration) {
    let bound = Duration.seconds(name == "crash" ? 2 : 1)
    let slack = world.network.topology.longest(peers: world.peers.count) * 20
    guard took > bound + slack else { return }
    world.breaks(.rebalance, "a \(name) took \(took.inSeconds) s until all planned anew")
  }

  private mutating func checkMovement(_ name: String, _ before: MeshView, _ number: Int) {
    guard let first = world.running.first, let after = world.peers[first].epochs.standing,
      let old = world.plans.plan(before), let new = world.plans.plan(after),
      let (moved, ideal) = world.plans.movement(from: old, to: new), ideal > 0
    else { return }
    let perMille = Int(moved * 1_000 / ideal)
    result.movementPerMille[name] = perMille
    // A model of a few dozen atoms cannot be dealt in fractions: one atom more is rounding.
    if moved > 2 * ideal + 2 * (world.model.sizes.max() ?? 0) {
      world.breaks(
        .movement, peers: [number], "a \(name) moves \(moved) bytes, the ideal is \(ideal)")
    }
  }

  // MARK: Words

  /// A peer that runs, is no twin and no importer.
  private func steadyPeer(_ nth: Int) -> Int? {
    world.running.filter { !world.peers[$0].isTwin && $0 != options.newcomer }.dropFirst(nth).first
  }

  private func bits(_ count: Int) -> Int { Int.bitWidth - max(1, count - 1).leadingZeroBitCount }

  private var disagreement: String {
    let running = world.running
    let expected = Set(running.map { world.peers[$0].id })
    let off = running.filter {
      Set(world.peers[$0].epochs.standing?.peers ?? []) != expected
    }
    guard let worst = off.first else { return "views differ in versions of records" }
    let held = Set(world.peers[worst].epochs.standing?.peers ?? [])
    return "\(off.count) of \(running.count) peers stand on other members; peer \(worst) lacks"
      + " \(expected.subtracting(held).count) and has \(held.subtracting(expected).count) too many"
  }

  private var shortage: String {
    let short = world.holders.live.indices.filter { world.holders.live[$0] < 2 }
    return "\(short.count) of \(world.holders.live.count) atoms have fewer than 2 holders"
      + " among \(world.running.count) peers; the first is \(short.first ?? 0)"
  }

  private func finish() -> SeedResult {
    var result = result
    result.timeline = world.timeline
    result.virtualTime = world.now - Moment(nanoseconds: 0)
    result.traceHash = world.trace.hash
    result.events = world.counts.events
    result.plansCompared = world.plans.compared
    result.stagedPlans = world.plans.staged
    result.epochs = world.counts.epochs
    result.datagrams = world.network.sent
    result.deepestInbox = world.counts.deepestInbox
    result.falseSuspicions = world.counts.falseSuspicions
    result.falseExclusions = world.counts.falseExclusions
    result.peerSeconds = result.virtualTime.inSeconds * Double(options.peers)
    result.drops = world.counts.drops
    result.refusedRecords = world.counts.refusedRecords
    if let violation = world.violation {
      result.violation = violation
      result.trace = world.trace.latest(60, about: violation.peers).map(\.description)
    }
    return result
  }
}

extension ControlWorld {
  fileprivate func breaks(_ invariant: Invariant, detail: String, after limit: Duration) {
    breaks(invariant, "\(detail), \(limit.inSeconds) s later")
  }
}
