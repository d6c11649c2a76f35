// One seed of whole nodes: they find each other, take a model, and answer while they are hurt.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol

package struct NodeStory {
  private let world: NodeWorld
  private let faults: Set<FaultKind>
  private var result: SeedResult
  private var references: ReferenceRuns
  private static let modelName = "oracle"
  private static let jobs = 4
  /// An admitted job has ended after that long, whatever has happened to it.
  private static let deadline = Duration.seconds(120)
  /// Between jobs: long enough that atoms are read from the disk again.
  private static let lull = Duration.seconds(6)

  package static func run(
    peers: Int, faults: Set<FaultKind>, topology: LinkTopology, seed: UInt64
  ) async throws -> SeedResult {
    let loop = VirtualLoop()
    loop.start()
    defer { loop.stop() }
    let director = LoopOwner(loop: loop, number: peers)
    return try await withTaskExecutorPreference(director) {
      loop.isTelling = true
      defer { loop.isTelling = false }
      let world = try NodeWorld(
        peers: peers, faults: faults, topology: topology, seed: seed, loop: loop)
      return try await world.live {
        var story = NodeStory(world: world, faults: faults, seed: seed, director: director)
        try await story.tell()
        return story.finish()
      }
    }
  }

  private init(world: NodeWorld, faults: Set<FaultKind>, seed: UInt64, director: LoopOwner) {
    self.world = world
    self.faults = faults
    result = SeedResult(seed: seed)
    references = ReferenceRuns(world: world, director: director)
  }

  private mutating func tell() async throws {
    for number in world.places.indices { try world.start(number) }
    guard let importer = world.node(0) else { return }
    _ = try await importer.importModel(path: "oracle.gguf", name: Self.modelName) { _, _ in }
    guard try await settle("at the beginning") else { return }
    for job in 0..<Self.jobs where result.violation == nil {
      try await hurtWhileAnswering(job)
      try await heal()
      guard try await settle("after job \(job)") else { return }
      try await world.loop.sleep(until: world.loop.now + Self.lull)
      // Whatever has been, the next one gets its answer.
      try await answer(job: 100 + job, draw(), amid: nil)
    }
  }

  // MARK: Jobs

  private struct Ask: Sendable {
    let request: GenerationRequest
    let entry: Int
  }

  private mutating func draw() -> Ask {
    let count = Int.random(in: 1...12, using: &world.random)
    let prompt = (0..<count).map { _ in
      UInt32.random(in: 3..<UInt32(OracleModel.vocabulary), using: &world.random)
    }
    var sampling = SamplingOptions.greedy
    if world.random.happens(perMille: 500) {
      sampling = SamplingOptions()
      sampling.seed = world.random.next()
    }
    let objective: PlanObjective = world.random.happens(perMille: 800) ? .spread : .latency
    let tokens = Int.random(in: 4...20, using: &world.random)
    return Ask(
      request: GenerationRequest(
        model: Self.modelName, prompt: .tokens(prompt),
        options: GenerationOptions(maximumTokens: tokens, sampling: sampling),
        objective: objective),
      entry: world.running.randomElement(using: &world.random) ?? 0)
  }

  private mutating func hurtWhileAnswering(_ job: Int) async throws {
    let ask = draw()
    let coming = NodeTrouble(world: world, kinds: faults).schedule()
    try await answer(job: job, ask, amid: coming)
    for timer in coming.timers { timer.cancel() }
    try await farewell(amid: coming)
  }

  /// Whoever is leaving may end that; then it is gone, and others hold what it held.
  private mutating func farewell(amid trouble: NodeTrouble.Coming) async throws {
    for number in world.places.indices {
      guard let process = world.places[number].process, process.isLeaving else { continue }
      process.owner.thaw()
      guard try await world.until(.seconds(120), { process.unplaced != nil }) else {
        return breaks(.jobEnds, "peer \(number) has not left after 120 s")
      }
      if process.unplaced == 0, trouble.isOnlyGoodbye,
        let lone = world.blobs(of: number).first(where: {
          world.copies(of: $0, without: number) < 1
        })
      {
        breaks(.liveHolder, "peer \(number) left, and nobody else has \(lone)")
      }
      world.kill(number, sayingSo: true)
    }
  }

  /// One job at one entry, compared with the one-peer run as far as it came.
  ///
  /// - Parameter trouble: what befalls the mesh meanwhile; nil: nothing.
  private mutating func answer(
    job: Int, _ ask: Ask, amid trouble: NodeTrouble.Coming?
  ) async throws {
    guard let process = world.places[ask.entry].process else { return }
    let expected = try await references.run(ask.request)
    result.jobs += 1
    let planned = try? await process.node.plan(
      model: Self.modelName, objective: ask.request.objective, context: nil)
    if let planned, planned.report.plan.stages.count > 1 { result.stagedPlans += 1 }
    let start = world.loop.now
    world.mesh.trace.add(.job, peer: ask.entry, UInt64(job), 0, at: start)
    let said = SaidTokens()
    var outcome = await Self.generate(process, said) {
      try await process.node.generate(ask.request, emit: $0)
    }
    // The entry is gone: its client turns to a peer that keeps the job's log.
    var mustComplete = trouble.map { $0.onlyLoss.map { $0 != ask.entry } ?? false } ?? true
    if case .failure = outcome, world.places[ask.entry].process !== process,
      let name = said.job, let witness = await world.keeper(of: name)
    {
      result.resumptions += 1
      mustComplete = trouble?.onlyLoss == ask.entry
      let shown = said.tokens.count
      outcome = await Self.generate(witness, said) {
        try await witness.node.resume(name, shown: shown, emit: $0)
      }
    }
    let took = world.loop.now - start
    result.continuations += said.continuations
    if took > Self.deadline {
      breaks(.jobEnds, "job \(job) took \(took.inSeconds) s")
    }
    if trouble == nil, said.continuations > 0 {
      breaks(.oneTerm, "job \(job) went on \(said.continuations) times")
    }
    judge(job, at: ask.entry, outcome, expected, mustComplete: mustComplete, amid: trouble)
    // What was shown before an error is the beginning of what one peer says.
    guard expected.all.starts(with: said.tokens) else {
      return breaks(.sameTokens, "job \(job) showed \(said.tokens) for \(expected.all)")
    }
  }

  private mutating func judge(
    _ job: Int, at entry: Int, _ outcome: Result<GenerationOutcome, any Error>,
    _ expected: ReferenceRuns.Said, mustComplete: Bool, amid trouble: NodeTrouble.Coming?
  ) {
    switch outcome {
    case .success(let text):
      result.jobsCompleted += 1
      result.digestsCompared += 1
      result.tokensCompared += text.tokens.count
      world.mesh.trace.add(
        .job, peer: entry, UInt64(job), text.digest.prefix64, at: world.loop.now)
      if text.digest != expected.digest || text.tokens != expected.tokens {
        breaks(.sameTokens, "job \(job) at \(entry): \(text.tokens) for \(expected.tokens)")
      }
    case .failure(let error):
      world.mesh.trace.add(.job, peer: entry, UInt64(job), 1, at: world.loop.now)
      guard mustComplete else { return }
      if let lost = trouble?.onlyLoss {
        breaks(.jobSurvives, "job \(job) at \(entry) without \(lost): \(error)")
      } else {
        breaks(.jobEnds, "job \(job) in a healed mesh: \(error)")
      }
    }
  }

  /// Touched only by whoever has the turn.
  private final class SaidTokens: @unchecked Sendable {
    var tokens: [UInt32] = []
    var job: JobID?
    /// How often others took up the part of a peer that was lost.
    var continuations = 0
  }

  /// A job at the node of `process`, on its own loop, noting what is said.
  private static func generate(
    _ process: NodeProcess, _ said: SaidTokens,
    _ perform:
      @escaping @Sendable (
        _ emit: @escaping @Sendable (GenerationEvent) -> Void
      ) async throws -> GenerationOutcome
  ) async -> Result<GenerationOutcome, any Error> {
    await withTaskGroup(of: Result<GenerationOutcome, any Error>.self) { group in
      group.addTask(executorPreference: process.owner) {
        do {
          return .success(
            try await perform { event in
              switch event {
              case .token(let token): said.tokens.append(token.token)
              case .continued: said.continuations += 1
              case .started(let job, _, _, _, _): said.job = job
              case .fetching, .witnesses, .interrupted: break
              }
            })
        } catch {
          return .failure(error)
        }
      }
      return await group.next() ?? .failure(CancellationError())
    }
  }

  // MARK: Order

  /// All faults end, and whoever is gone comes back.
  private mutating func heal() async throws {
    world.mesh.network.weather = NetworkWeather()
    for cut in 0..<8 { world.mesh.network.mend(cut) }
    for number in world.places.indices {
      world.places[number].process?.owner.thaw()
      try world.start(number)
    }
  }

  private mutating func settle(_ when: String) async throws -> Bool {
    let world = world
    guard try await world.until(.seconds(150), { try await world.isSettled() }) else {
      breaks(.reunion, "nodes disagree on who lives, 150 s \(when)")
      return false
    }
    let blobs = Set(world.places.flatMap { $0.process?.disk.list() ?? [] }).sorted()
    guard try await world.until(.seconds(60), { world.isReplicated(blobs) }) else {
      breaks(.replication, "a blob lies on one disk, 60 s \(when)")
      return false
    }
    return true
  }

  private mutating func breaks(_ invariant: Invariant, _ detail: String) {
    result.violation =
      result.violation ?? Violation(invariant, at: world.loop.now, detail)
  }

  private func finish() -> SeedResult {
    var result = result
    result.traceHash = world.mesh.trace.hash
    result.events = world.loop.turns
    result.datagrams = world.mesh.network.sent
    result.virtualTime = world.loop.now - Moment(nanoseconds: 0)
    result.drops = world.dropped
    if result.violation != nil {
      result.trace = world.mesh.trace.latest(60, about: []).map(\.description)
    }
    return result
  }
}
