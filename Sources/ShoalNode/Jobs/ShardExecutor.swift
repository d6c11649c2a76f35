// Serves jobs of others: takes PREPARE, gets ready, and runs one rank until the entry ends the job.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity
private import Synchronization

extension Limits {
  /// Jobs that one peer takes part in at once: each has threads and a cache of its own.
  public static let runningJobs = 4
}

/// What a peer computes with.
public struct ComputeResources: Sendable {
  public let kernels: Kernels
  public let threadsPerJob: Int
  /// The device to be played; nil: as fast as this machine is.
  public let emulated: DeviceProfile?

  public init(kernels: Kernels, threadsPerJob: Int, emulated: DeviceProfile?) {
    self.kernels = kernels
    self.threadsPerJob = threadsPerJob
    self.emulated = emulated
  }
}

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
  private var running = 0
  private var reserved: UInt64 = 0

  init(
    peer: PeerID, resources: ComputeResources, library: ModelLibrary, store: ShardStore,
    membership: Membership, door: StreamDoor, rendezvous: LinkRendezvous, clock: any MeshClock,
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
  }

  /// Serves the job that `entry` drives, until it ends.
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
      let failure = ShardExecutor.failure(error, from: entry.peer)
      if case .peerLost(let lost) = failure, lost != entry.peer {
        await membership.reportUnreachable(lost)
      }
      try? await room.perform { try entry.send(.failed(failure)) }
    }
  }

  private func take(
    _ prepare: Prepare, from entry: any FrameLink, in room: ThreadRoom
  ) async throws {
    guard running < Limits.runningJobs else {
      throw JobFailure.busy(running: running, limit: Limits.runningJobs)
    }
    running += 1
    defer { running -= 1 }
    let (manifest, plan) = try await agree(prepare)
    guard let rank = plan.rank(of: peer) else { throw JobFailure.notInPlan }
    try await reserve(rank.residentBytes)
    defer { reserved -= rank.residentBytes }
    try await fetch(rank.share, manifest, entry, in: room)
    let links = try await connect(prepare, plan, own: rank.number)
    defer { for link in links { link?.shutdown() } }
    let job = RankJob(
      prepare: prepare, manifest: manifest, plan: plan, number: rank.number, share: rank.share,
      links: links, library: library, resources: resources, clock: clock, threads: threads)
    do {
      try await room.perform { try job.run(entry) }
    } catch LibraryError.damaged {
      // Bad bytes on this disk, now in quarantine: others have good ones.
      try await fetch(rank.share, manifest, entry, in: room)
      try await room.perform { try job.run(entry) }
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

  private func reserve(_ bytes: UInt64) async throws {
    let usable = await membership.ownRecord().memory.usable.bytes
    let available = usable / 1_000 * PlacementPlanner.memoryPerMille
    guard bytes <= available, reserved <= available - bytes else {
      throw JobFailure.noMemory(needed: bytes, available: available - min(reserved, available))
    }
    reserved += bytes
  }

  private func fetch(
    _ share: RankShare, _ manifest: ModelManifest, _ entry: any FrameLink, in room: ThreadRoom
  ) async throws {
    let reporter = FetchReporter(entry: entry, clock: clock)
    do {
      try await store.ensure(manifest, share.keys(layers: manifest.shape.layers)) {
        reporter.report(remaining: $0, total: $1)
      }
    } catch FetchError.nobodyHolds(let count) {
      throw JobFailure.missingAtoms(count: count)
    }
  }

  /// Links to all other ranks: opened to those before this one, awaited from those after it.
  private func connect(
    _ prepare: Prepare, _ plan: MeshPlan, own: Int
  ) async throws -> [(any FrameLink)?] {
    var links: [(any FrameLink)?] = []
    do {
      for (number, member) in plan.members.enumerated() {
        if number == own {
          links.append(nil)
        } else if number < own {
          links.append(try await open(prepare, to: member, own: own))
        } else {
          links.append(
            try await rendezvous.take(
              .init(job: prepare.job, term: prepare.term, rank: number), from: member,
              deadline: clock.now() + .seconds(30)))
        }
      }
      return links
    } catch {
      for link in links { link?.shutdown() }
      throw error
    }
  }

  private func open(
    _ prepare: Prepare, to member: PeerID, own: Int
  ) async throws -> any FrameLink {
    let shown = prepare.view.first { $0.author == member }
    guard let record = try await membership.record(of: member) ?? shown?.record() else {
      throw JobFailure.peerLost(member)
    }
    do {
      return try await door.dial(
        record, .partials(prepare.job, prepare.term, rank: own))
    } catch {
      throw JobFailure.peerLost(member)
    }
  }

  static func failure(_ error: any Error, from entry: PeerID) -> JobFailure {
    switch error {
    case let failure as JobFailure: failure
    case LibraryError.damaged(let blob, _): .damagedAtom(blob)
    case ModelError.damagedAtom(let blob, _): .damagedAtom(blob)
    case let wire as WireError: .protocolViolation(entry, wire)
    case is FrameLinkError: .peerLost(entry)
    case is PlanError: .notInPlan
    case _: .missingAtoms(count: 0)
    }
  }
}

extension CapabilityRecord {
  /// Whether a plan from this record and one from `other` would be the same.
  fileprivate func hasFigures(of other: CapabilityRecord) -> Bool {
    DeviceCapacity(self) == DeviceCapacity(other)
  }
}

/// One rank's job with everything that it needs, for the thread that runs it.
private struct RankJob: Sendable {
  let prepare: Prepare
  let manifest: ModelManifest
  let plan: MeshPlan
  let number: Int
  let share: RankShare
  let links: [(any FrameLink)?]
  let library: ModelLibrary
  let resources: ComputeResources
  let clock: any MeshClock
  let threads: any ThreadSource

  func run(_ entry: any FrameLink) throws {
    let model = try RankModel(manifest: manifest, share: share) { try library.atom($0) }
    let workers = try threads.workers(count: resources.threadsPerJob)
    defer { workers.stop() }
    let runner = RankRunner(
      model: model, kernels: resources.kernels, workers: workers,
      session: RankSession(
        job: prepare.job, plan: plan.id, term: prepare.term, context: prepare.context,
        batch: prepare.batch),
      rank: number, links: links, patience: plan.patience,
      pace: resources.emulated.map { DevicePace($0, format: manifest.format) }, clock: clock,
      threads: threads)
    try entry.send(.ready(plan.id))
    try runner.serve(entry)
  }
}

/// Tells the entry of a fetch, a few times a second.
private final class FetchReporter: Sendable {
  private let entry: any FrameLink
  private let clock: any MeshClock
  private let last: Mutex<Moment>

  init(entry: any FrameLink, clock: any MeshClock) {
    self.entry = entry
    self.clock = clock
    last = Mutex(clock.now() + .seconds(-1))
  }

  func report(remaining: UInt64, total: UInt64) {
    let now = clock.now()
    last.withLock { last in
      guard now - last >= .milliseconds(200) || remaining == 0 else { return }
      last = now
      // Sent under the lock: a link has one sender at a time.
      try? entry.send(.fetching(remaining: remaining, total: total))
    }
  }
}
