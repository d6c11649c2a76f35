// Serves jobs of others: takes PREPARE, gets ready, and runs one rank until the entry ends the job.

internal import ShoalInference
internal import ShoalProtocol
internal import ShoalSecurity

actor ShardExecutor {
  private let peer: PeerID
  private let resources: ComputeResources
  private let library: ModelLibrary
  private let store: ShardStore
  private let membership: Membership
  private let door: StreamDoor
  private let rendezvous: LinkRendezvous
  private let clock: any MeshClock
  private let threads: any ThreadSource
  private let atoms: AtomCache
  private let throughput: Throughput
  /// Nil: this peer works for nothing.
  private let accounts: Accounts?
  private let auditing: Auditing
  private var terms = RankTerms()
  /// The latest term of each job that runs here.
  private var lives: [JobID: RankLife] = [:]
  private var running = 0
  private var reserved: UInt64 = 0
  private(set) var isLeaving = false

  init(
    peer: PeerID, resources: ComputeResources, library: ModelLibrary, store: ShardStore,
    membership: Membership, door: StreamDoor, rendezvous: LinkRendezvous,
    throughput: Throughput, accounts: Accounts?, auditing: Auditing, clock: any MeshClock,
    threads: any ThreadSource
  ) {
    self.peer = peer
    self.resources = resources
    self.library = library
    self.store = store
    self.membership = membership
    self.door = door
    self.rendezvous = rendezvous
    self.clock = clock
    self.threads = threads
    self.throughput = throughput
    self.accounts = accounts
    self.auditing = auditing
    atoms = AtomCache(library: library)
  }

  /// Serves the term of a job that `entry` drives, until it ends.
  func serve(_ entry: any FrameLink) async {
    let room = ThreadRoom(threads.thread(name: "rank"))
    defer {
      entry.shutdown()
      room.close()
    }
    let clock = clock
    let first = try? await room.perform {
      try entry.receiveJob(deadline: clock.now() + .seconds(5))
    }
    guard case .prepare(let prepare)? = first else { return }
    do {
      try await take(prepare, from: entry, in: room)
    } catch {
      await say(error, to: entry, in: room)
    }
  }

  /// Tells the entry why this rank cannot go on.
  private func say(_ error: any Error, to entry: any FrameLink, in room: ThreadRoom) async {
    let failure = JobFailure(error, of: peer, entry: entry.peer)
    try? await room.perform { try entry.send(.failed(failure)) }
  }

  /// Ends the rank of this term here, if it still runs.
  func stop(_ job: JobID, _ term: Term) {
    if let life = lives[job], life.term == term { life.stop() }
  }

  /// A peer is gone from the mesh: the jobs that it drove end here, also where its connection
  /// does not say so.
  func lost(_ entry: PeerID) {
    for life in lives.values where life.entry == entry { life.stop() }
  }

  /// Takes no further job, and ends those that others drive at their next step: their drivers go
  /// on with other peers at once. Returns when they have ended, or after `Limits.drain`.
  func leave() async {
    isLeaving = true
    let deadline = clock.now() + Limits.drain
    while clock.now() < deadline {
      let others = lives.values.filter { $0.entry != peer }
      if others.isEmpty { return }
      for life in others { life.leave() }
      try? await clock.sleep(until: clock.now() + .milliseconds(5))
    }
  }

  private func take(
    _ prepare: Prepare, from entry: any FrameLink, in room: ThreadRoom
  ) async throws {
    guard !isLeaving else { throw JobFailure.leaving }
    try terms.admit(prepare.job, prepare.term, at: clock.now())
    let life = RankLife(term: prepare.term, entry: entry)
    let earlier = lives.updateValue(life, forKey: prepare.job)
    defer {
      life.end()
      if lives[prepare.job] === life { lives[prepare.job] = nil }
    }
    // The rank of an earlier term stops where it is; this one takes its place.
    earlier?.stop()
    do {
      try await withTaskCancellationHandler {
        try await run(prepare, life, entry, after: earlier, in: room)
      } onCancel: {
        life.stop()
      }
    } catch {
      // Said before the end of the rank's life shuts its links.
      await say(error, to: entry, in: room)
    }
  }

  private func run(
    _ prepare: Prepare, _ life: RankLife, _ entry: any FrameLink, after earlier: RankLife?,
    in room: ThreadRoom
  ) async throws {
    atoms.enter(at: clock.now())
    var hasPlace = false
    defer {
      if hasPlace { running -= 1 }
      atoms.leave(at: clock.now())
    }
    let reporter = PrepareReporter(entry: entry, clock: clock)
    let job: RankJob
    do {
      job = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await reporter.run() }
        defer { group.cancelAll() }
        await earlier?.untilEnded(clock)
        await endResting { running < Limits.runningJobs }
        guard running < Limits.runningJobs else {
          throw JobFailure.busy(running: running, limit: Limits.runningJobs)
        }
        running += 1
        hasPlace = true
        return try await ready(prepare, life, reporter, in: room)
      }
    } catch {
      reporter.finish()
      throw error
    }
    reporter.finish()
    defer {
      reserved -= job.residentBytes
      job.lease.end()
      job.served?.end()
    }
    let (name, term) = (prepare.job, prepare.term)
    await rendezvous.open(name, term, ranks: job.plan.members.count)
    let patience = clock.now() + Limits.connectSilence
    do {
      let mayConnect = try await room.perform {
        try entry.send(.ready(job.plan.id, positions: job.positions))
        return try entry.receiveJob(deadline: patience) == .connect
      }
      if mayConnect {
        let links = try await connect(prepare, job)
        try await compute(job, entry, links, in: room)
      }
      await rendezvous.close(name, term)
    } catch {
      await rendezvous.close(name, term)
      throw error
    }
  }

  /// Runs the rank; beside it what it audits next is opened.
  private func compute(
    _ job: RankJob, _ entry: any FrameLink, _ links: [(any FrameLink)?], in room: ThreadRoom
  ) async throws {
    guard let audit = job.audit else {
      return try await room.perform { try job.run(entry, links: links) }
    }
    let beside = ThreadRoom(threads.thread(name: "audit"))
    defer { beside.close() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await audit.run(in: beside) }
      defer { group.cancelAll() }
      try await room.perform { try job.run(entry, links: links) }
    }
  }

  /// Everything that the rank needs before it can compute: the plan, memory, atoms.
  private func ready(
    _ prepare: Prepare, _ life: RankLife, _ reporter: PrepareReporter, in room: ThreadRoom
  ) async throws -> RankJob {
    let (manifest, plan) = try await agree(prepare)
    guard let rank = plan.rank(of: peer) else { throw JobFailure.notInPlan }
    let served = try await accounts?.serve(prepare, for: life.entry, rank.share, manifest)
    do {
      return try await loaded(prepare, rank, plan, manifest, served, life, reporter, in: room)
    } catch {
      served?.end()
      throw error
    }
  }

  private func loaded(
    _ prepare: Prepare, _ rank: MeshPlan.Rank, _ plan: MeshPlan, _ manifest: ModelManifest,
    _ served: ServedRank?, _ life: RankLife, _ reporter: PrepareReporter, in room: ThreadRoom
  ) async throws -> RankJob {
    let (bytes, positions) = try await reserve(
      rank.residentBytes, prepare, perPosition: manifest.cacheBytesPerPosition(rank.share))
    let lease = store.lease(manifest, rank.share.keys(manifest.cut))
    do {
      try await fetch(rank.share, manifest, prepare.distrusted, reporter)
      let model: RankModel
      do {
        model = try await load(rank.share, manifest, in: room)
      } catch LibraryError.damaged {
        // Bad bytes on this disk: all that are bad go to quarantine, and others have good ones.
        try await setDamagedAside(rank.share, manifest, in: room)
        try await fetch(rank.share, manifest, prepare.distrusted, reporter)
        model = try await load(rank.share, manifest, in: room)
      }
      let (auditing, library, clock) = (auditing, library, clock)
      let audit = try await room.perform {
        auditing.bench(
          AuditBench.Scene(
            job: prepare.job, term: prepare.term, model: prepare.model, manifest: manifest),
          own: rank.share, others: plan.subjects(of: rank), in: library, clock: clock)
      }
      return RankJob(
        prepare: prepare, plan: plan, route: rank.route, residentBytes: bytes,
        positions: positions, model: model, lease: lease, served: served, audit: audit,
        resources: resources, life: life,
        throughput: throughput, clock: clock, threads: threads)
    } catch {
      lease.end()
      reserved -= bytes
      throw error
    }
  }

  private func load(
    _ share: RankShare, _ manifest: ModelManifest, in room: ThreadRoom
  ) async throws -> RankModel {
    let (atoms, threads, count) = (atoms, threads, resources.threadsPerJob)
    return try await room.perform {
      let workers = try threads.workers(count: count)
      defer { workers.stop() }
      return try RankModel(manifest: manifest, share: share, workers: workers) {
        try atoms.atom($0)
      }
    }
  }

  /// Damage seldom comes alone, and loading stops at the first.
  private func setDamagedAside(
    _ share: RankShare, _ manifest: ModelManifest, in room: ThreadRoom
  ) async throws {
    let wanted = Set(share.keys(manifest.cut))
    let atoms = atoms
    try await room.perform {
      for entry in manifest.atoms where wanted.contains(entry.key) {
        do { _ = try atoms.atom(entry) } catch LibraryError.damaged {
        } catch BlobStoreError.missing {
        }
      }
    }
  }

  /// The plan, computed here from the records that the entry shows; the same or none.
  private func agree(_ prepare: Prepare) async throws -> (ModelManifest, MeshPlan) {
    var records: [CapabilityRecord] = []
    for signed in prepare.view {
      guard Membership.verification(signed), let record = try? signed.record() else {
        throw JobFailure.recordRefused(signed.author)
      }
      records.append(record)
    }
    let own = await membership.ownRecord()
    // An older record of this peer may promise what it no longer has.
    guard let shown = records.first(where: { $0.peer == peer }), shown.hasFigures(of: own) else {
      throw JobFailure.recordRefused(peer)
    }
    let manifest: ModelManifest
    do {
      manifest = try await store.manifest(prepare.model)
    } catch {
      throw JobFailure.unknownModel(prepare.model)
    }
    let plan = try MeshPlan(
      model: prepare.model, manifest: manifest, records: records, objective: prepare.objective,
      context: prepare.context, distrusted: Set(prepare.distrusted))
    guard plan.id == prepare.plan else {
      throw JobFailure.planDiffers(mine: plan.id, yours: prepare.plan)
    }
    return (manifest, plan)
  }

  /// Takes what one sequence of the plan's length needs, and for further ones up to half of what is
  /// left. Returns the bytes, and positions of all sequences together.
  private func reserve(
    _ bytes: UInt64, _ prepare: Prepare, perPosition: UInt64
  ) async throws -> (bytes: UInt64, positions: Int) {
    let usable = await membership.ownRecord().memory.usable.bytes
    let available = usable / 1_000 * PlacementPlanner.memoryPerMille
    if bytes <= available { await endResting { reserved <= available - bytes } }
    guard bytes <= available, reserved <= available - bytes else {
      throw JobFailure.noMemory(needed: bytes, available: available - min(reserved, available))
    }
    let wanted = UInt64(prepare.positions - prepare.context)
    let fitting = perPosition == 0 ? wanted : (available - bytes - reserved) / 2 / perPosition
    // Each sequence may leave a part of a chunk unused.
    let spared = UInt64(Limits.laneSlots * KVCache.chunkPositions)
    let further = fitting >= wanted ? wanted : fitting - min(fitting, spared)
    let whole = bytes + further * perPosition
    reserved += whole
    return (whole, prepare.context + Int(further))
  }

  /// Ends lanes that rest, the one that has rested longest first, until there is room or none is
  /// left.
  private func endResting(until hasRoom: () -> Bool) async {
    while !hasRoom(), !Task.isCancelled {
      let resting = lives.values.compactMap { life in life.restingSince.map { (life, $0) } }
      guard let (life, _) = resting.min(by: { $0.1 < $1.1 }) else { return }
      life.giveWay()
      // Its thread wakes from its wait for the entry; what it holds is free when it has ended.
      while life.restingSince != nil, !Task.isCancelled {
        try? await clock.sleep(until: clock.now() + .milliseconds(1))
      }
    }
  }

  private func fetch(
    _ share: RankShare, _ manifest: ModelManifest, _ distrusted: [PeerID],
    _ reporter: PrepareReporter
  ) async throws {
    try await store.ensure(manifest, share.keys(manifest.cut), distrusted: Set(distrusted)) {
      reporter.note(remaining: $0, total: $1)
    }
  }

  /// Links to the ranks that this one meets, all at once: opened to those before it, awaited from
  /// those after it.
  private func connect(
    _ prepare: Prepare, _ job: RankJob
  ) async throws -> [(any FrameLink)?] {
    let deadline = clock.now() + job.plan.patience.forConnecting
    let members = job.plan.members
    let own = job.route.rank
    var links = [(any FrameLink)?](repeating: nil, count: members.count)
    try await withThrowingTaskGroup(of: (Int, any FrameLink).self) { group in
      for number in job.route.neighbours {
        let member = members[number]
        group.addTask {
          if number < own {
            return (number, try await self.open(prepare, job.plan, to: member, own: own))
          }
          let key = LinkRendezvous.Key(job: prepare.job, term: prepare.term, rank: number)
          return (
            number, try await self.rendezvous.take(key, from: member, deadline: deadline)
          )
        }
      }
      for try await (number, link) in group {
        links[number] = link
        guard job.life.add(link) else { throw CancellationError() }
      }
    }
    return links
  }

  private func open(
    _ prepare: Prepare, _ plan: MeshPlan, to member: PeerID, own: Int
  ) async throws -> any FrameLink {
    let shown = prepare.view.first { $0.author == member }
    guard let record = try await membership.record(of: member) ?? shown?.record() else {
      throw JobFailure.peerLost(member)
    }
    do {
      return try await door.dial(
        record, .partials(prepare.job, prepare.term, rank: own),
        within: plan.patience.forConnecting)
    } catch {
      throw JobFailure.peerLost(member)
    }
  }
}

extension MeshPlan {
  /// The other ranks of a rank's stage, as it audits them.
  fileprivate func subjects(of rank: Rank) -> [AuditBench.Subject] {
    let members = members
    return rank.route.group.filter { $0 != rank.route.rank }.compactMap { number in
      self.rank(of: members[number]).map {
        AuditBench.Subject(
          rank: number - rank.route.group.lowerBound, peer: members[number], share: $0.share)
      }
    }
  }
}

extension ModelManifest {
  /// Bytes of keys and values that a share holds for one position.
  fileprivate func cacheBytesPerPosition(_ share: RankShare) -> UInt64 {
    guard shape.recurrent == nil else { return 0 }
    let chunk = KVCache.byteCount(
      headDim: shape.attention.headDimension, type: shape.attention.keyValueType,
      positions: KVCache.chunkPositions)
    return UInt64(
      share.groups(cut).count * share.layers.count * chunk / KVCache.chunkPositions)
  }
}

extension CapabilityRecord {
  /// Whether a plan from this record and one from `other` would be the same.
  fileprivate func hasFigures(of other: CapabilityRecord) -> Bool {
    DeviceCapacity(self) == DeviceCapacity(other)
  }
}
