// One rank of a lane with everything that it needs, for the thread that runs it.

internal import ShoalInference
internal import ShoalProtocol

struct RankJob: Sendable {
  let prepare: Prepare
  let plan: MeshPlan
  let route: StageRoute
  let residentBytes: UInt64
  /// That keys and values are reserved for.
  let positions: Int
  let model: RankModel
  /// Its atoms stay on the disk until whoever runs the job ends this.
  let lease: AtomLease
  /// Counts what this rank is paid for; nil: nobody pays.
  let served: ServedRank?
  /// What it audits of the others' work; nil: nothing.
  let audit: AuditBench?
  let resources: ComputeResources
  let life: RankLife
  let throughput: Throughput
  let clock: any MeshClock
  let threads: any ThreadSource

  /// Serves steps until the entry ends the job. Blocks.
  ///
  /// - Parameter links: by rank, to those that this one meets; nil for all others.
  func run(_ entry: any FrameLink, links: [(any FrameLink)?]) throws {
    let workers = try threads.workers(count: resources.threadsPerJob)
    defer { workers.stop() }
    let (life, throughput, served, clock) = (life, throughput, served, clock)
    let share = model.share
    let kind = StepKind(
      model: prepare.model, units: share.units.count, blocks: share.blocks.count,
      vocabulary: share.vocabulary.count)
    let runner = RankRunner(
      model: model, kernels: resources.kernels, workers: workers,
      session: RankSession(
        job: prepare.job, plan: plan.id, term: prepare.term, positions: positions,
        batch: prepare.batch),
      route: route, links: links, patience: plan.patience,
      pace: resources.emulated.map { DevicePace($0, format: model.manifest.format) },
      distant: plan.distant(from: route.rank),
      clock: clock, threads: threads,
      interruption: {
        life.interruption ?? served?.interruption(clock)
      },
      rests: { life.rests($0, at: clock.now()) },
      told: { throughput.note(kind, bytes: $0, took: $1) })
    runner.served = served
    runner.auditor = audit.map {
      RankAuditor($0, kernels: resources.kernels, workers: workers)
    }
    defer { audit?.end() }
    try runner.serve(entry)
  }
}
