// Ranks inside one process: the same runner, aggregator and frames as between peers, over links in
// memory. One rank is a machine alone; several try out a split.

public import ShoalInference
public import ShoalProtocol

/// What ranks of one process are made of.
public struct LocalRanks: Sendable {
  public let manifest: ModelManifest
  /// Of all ranks; those of one pipeline stage follow each other.
  public let shares: [RankShare]
  /// Threads of each rank.
  public let threadsPerRank: Int
  public let kernels: Kernels
  private let clock: any MeshClock
  private let threads: any ThreadSource

  public init(
    manifest: ModelManifest, shares: [RankShare], threadsPerRank: Int, kernels: Kernels,
    clock: any MeshClock, threads: any ThreadSource
  ) {
    self.manifest = manifest
    self.shares = shares
    self.threadsPerRank = threadsPerRank
    self.kernels = kernels
    self.clock = clock
    self.threads = threads
  }

  /// Runs `order` on all ranks and hands each position's votes to `choose`, on a thread of its own.
  ///
  /// - Parameters:
  ///   - blob: opens one atom; called by all threads of each rank.
  ///   - ready: called when all ranks have their weights and the prompt begins.
  public func run(
    _ order: GenerationOrder, blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob,
    ready: @Sendable () -> Void = {},
    choose: @escaping @Sendable ([VocabularyVote], StepCost) throws -> GenerationRunner.Choice
  ) async throws -> FinishReason {
    let (blocks, stages) = (manifest.cut.vocabularyBlocks, stageSizes.count)
    return try await run(
      context: order.context, batch: order.batch, blob: blob, ready: ready
    ) { runner, peers in
      let session = GenerationSession(
        order: order, plan: PlanID(.zero), term: Term(0), members: peers, vocabularyBlocks: blocks,
        stages: stages)
      return try runner.run(session, batch: order.batch, choose: choose)
    }
  }

  /// Makes the vectors of `order`'s texts, as all ranks have them.
  public func embed(
    _ order: EmbeddingOrder, blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob
  ) async throws -> [TextVector] {
    try await run(context: order.context, batch: order.batch, blob: blob) { runner, peers in
      var session = EmbeddingSession(order: order, term: Term(0), members: peers)
      _ = try runner.run(&session) { _ in }
      return session.vectors
    }
  }

  /// A thread for each rank.
  private func homes() -> [LocalRank] {
    shares.indices.map { LocalRank(thread: threads.thread(name: "rank \($0)")) }
  }

  /// The weights of each rank, read by all ranks at once.
  private func load(
    _ homes: [LocalRank], _ blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob
  ) async throws -> [RankModel] {
    try await withThrowingTaskGroup(of: (Int, RankModel).self) { group in
      for (rank, home) in homes.enumerated() {
        group.addTask(executorPreference: home.thread) {
          (rank, try await home.load(self, shares[rank], blob))
        }
      }
      var models: [(rank: Int, model: RankModel)] = []
      for try await loaded in group { models.append(loaded) }
      return models.sorted { $0.rank < $1.rank }.map(\.model)
    }
  }

  /// All ranks, and `drive` on the entry's thread.
  ///
  /// - Parameter context: positions of all sequences together.
  package func run<Outcome: Sendable>(
    context: Int, batch: Int, blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob,
    ready: @Sendable () -> Void = {},
    drive: @escaping @Sendable (GenerationRunner, [PeerID]) throws -> Outcome
  ) async throws -> Outcome {
    let homes = homes()
    defer { for home in homes { home.stop() } }
    let models = try await load(homes, blob)
    ready()
    let mesh = LocalMesh(ranks: shares.count, threads: threads)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let session = RankSession(
        job: JobID(.zero), plan: PlanID(.zero), term: Term(0), positions: context, batch: batch)
      for (rank, home) in homes.enumerated() {
        // On its own thread from the start: one that waited for a turn would seem to be lost.
        group.addTask(executorPreference: home.thread) {
          try await home.serve(self, rank: rank, models[rank], session, mesh: mesh)
        }
      }
      let entry = LocalEntry(thread: threads.thread(name: "entry"))
      let runner = GenerationRunner(
        links: mesh.toRanks, entry: PeerID(.zero), patience: patience, clock: clock)
      defer {
        entry.stop()
        mesh.shutdown()
      }
      do {
        let outcome = try await entry.run { try drive(runner, mesh.peers) }
        try await group.waitForAll()
        return outcome
      } catch {
        mesh.shutdown()
        throw await Self.cause(in: &group) ?? (error as? TermEnd)?.failure ?? error
      }
    }
  }

  /// What made a rank stop, where it was no other rank and not the entry: a sum out of range says
  /// more than that the entry lost a peer, and so does a message that a rank refused.
  private static func cause(
    in group: inout ThrowingTaskGroup<Void, any Error>
  ) async -> (any Error)? {
    var (cause, refusal): ((any Error)?, JobFailure?)
    while let result = await group.nextResult() {
      guard case .failure(let error) = result else { continue }
      switch error {
      case is FrameLinkError, JobFailure.peerLost: break
      case let failure as JobFailure: refusal = refusal ?? failure
      case _: cause = cause ?? error
      }
    }
    return cause ?? refusal
  }

  fileprivate func runner(
    rank: Int, _ model: RankModel, _ session: RankSession, mesh: LocalMesh, workers: any Workers
  ) -> RankRunner {
    RankRunner(
      model: model, kernels: kernels, workers: workers, session: session,
      route: StageRoute(rank: rank, stageSizes: stageSizes, hidden: manifest.shape.hidden),
      links: mesh.links(of: rank), patience: patience, pace: nil, clock: clock, threads: threads)
  }

  /// Ranks of each stage.
  package var stageSizes: [Int] {
    var sizes: [Int] = []
    var layers: Range<Int>?
    for share in shares {
      if share.layers == layers {
        sizes[sizes.count - 1] += 1
      } else {
        sizes.append(1)
      }
      layers = share.layers
    }
    return sizes
  }

  private var patience: StepPatience {
    // A rank of this process may wait for a core, however quick the last steps were.
    StepPatience(
      tokenEstimate: .seconds(60), linkSlack: .seconds(60), stages: stageSizes.count)
  }

  fileprivate func workers() throws -> any StoppableWorkers {
    try threads.workers(count: threadsPerRank)
  }
}

/// Links between all ranks, and from the entry to each.
private final class LocalMesh: Sendable {
  let peers: [PeerID]
  let toRanks: [MemoryLink]
  let toEntry: [MemoryLink]
  /// (ranks, ranks); nil on the diagonal.
  private let between: [[MemoryLink?]]

  init(ranks: Int, threads: any ThreadSource) {
    peers = (0..<ranks).map { rank in
      PeerID(Bytes32([UInt8](repeating: UInt8(truncatingIfNeeded: rank + 1), count: 32)) ?? .zero)
    }
    let pairs = peers.map { peer in
      MemoryLink.pair(left: PeerID(.zero), right: peer) { threads.gate() }
    }
    toRanks = pairs.map(\.0)
    toEntry = pairs.map(\.1)
    var between = [[MemoryLink?]](repeating: Array(repeating: nil, count: ranks), count: ranks)
    for left in 0..<ranks {
      for right in left + 1..<max(ranks, left + 1) {
        let pair = MemoryLink.pair(left: peers[left], right: peers[right]) { threads.gate() }
        between[left][right] = pair.0
        between[right][left] = pair.1
      }
    }
    self.between = between
  }

  func links(of rank: Int) -> [(any FrameLink)?] { between[rank] }

  func shutdown() {
    for link in toRanks + toEntry + between.flatMap({ $0.compactMap(\.self) }) { link.shutdown() }
  }
}

/// A rank's home: what it loads and computes happens on its thread.
private actor LocalRank {
  nonisolated let thread: any ActorThread
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  init(thread: any ActorThread) { self.thread = thread }

  func load(
    _ ranks: LocalRanks, _ share: RankShare,
    _ blob: @Sendable (AtomEntry) throws -> AtomBlob
  ) throws -> RankModel {
    let workers = try ranks.workers()
    defer { workers.stop() }
    return try RankModel(manifest: ranks.manifest, share: share, workers: workers, blob: blob)
  }

  func serve(
    _ ranks: LocalRanks, rank: Int, _ model: RankModel, _ session: RankSession, mesh: LocalMesh
  ) throws {
    do {
      let workers = try ranks.workers()
      defer { workers.stop() }
      try ranks.runner(rank: rank, model, session, mesh: mesh, workers: workers)
        .serve(mesh.toEntry[rank])
    } catch {
      // Whoever waits for this rank must not wait for ever.
      mesh.shutdown()
      throw error
    }
  }

  nonisolated func stop() { thread.stop() }
}

/// The entry's home.
private actor LocalEntry {
  private let thread: any ActorThread
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  init(thread: any ActorThread) { self.thread = thread }

  func run<Outcome: Sendable>(_ drive: @Sendable () throws -> Outcome) throws -> Outcome {
    try drive()
  }

  nonisolated func stop() { thread.stop() }
}
