// Drives generations from this peer: performs what GenerationJob decides, term after term.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
internal import ShoalSecurity

struct JobDriver: Sendable {
  let peer: PeerID
  let store: ShardStore
  let executor: ShardExecutor
  let membership: Membership
  let door: StreamDoor
  let clock: any MeshClock
  let random: any RandomSource
  let threads: any ThreadSource

  func generate(
    _ entry: ModelEntry, _ request: GenerationRequest,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let manifest = try await store.manifest(entry.model)
    let tokenizer = try await store.tokenizer(manifest)
    let prompt =
      switch request.prompt {
      case .tokens(let tokens): tokens
      case .text(let text):
        tokenizer.encode(text, addSpecial: true, parseSpecial: false).map { UInt32($0) }
      }
    var generator = RandomSourceGenerator(random)
    let work = JobInHand(
      entry: entry, manifest: manifest, tokenizer: tokenizer,
      job: JobID.random(using: &generator),
      order: try GenerationOrder(prompt: prompt, options: request.options, manifest: manifest),
      objective: request.objective, options: request.options, emit: emit)
    return try await drive(work, from: GenerationJob())
  }

  private func drive(
    _ work: JobInHand, from start: GenerationJob
  ) async throws -> GenerationOutcome {
    var job = start
    var planError: PlanError?
    var effects = job.handle(
      .begin(suspected: await membership.suspectedHere()), at: clock.now())
    while !effects.isEmpty {
      switch effects.removeFirst() {
      case .attempt(let term, let excluded):
        let known = work.log.count
        do {
          let finish = try await attempt(term, excluding: excluded, of: work)
          return work.outcome(finish)
        } catch let error as PlanError {
          planError = error
          effects += job.handle(.unplannable, at: clock.now())
        } catch let end as TermEnd {
          try Task.checkCancellation()
          if work.log.count > known { _ = job.handle(.sampled, at: clock.now()) }
          effects += job.handle(.ended(end), at: clock.now())
        }
      case .suspect(let lost):
        await membership.reportUnreachable(lost)
      case .wait(let moment):
        try await clock.sleep(until: moment)
        effects += job.handle(.waited, at: clock.now())
      case .failed(let failure):
        throw NodeError.failed(failure)
      case .unplannable:
        throw planError ?? .noPeer(excluded: [])
      }
    }
    preconditionFailure("a job that neither ended nor asked for anything")
  }

  /// One term: a plan over all but the excluded, its ranks, all steps that are left.
  private func attempt(
    _ term: Term, excluding excluded: [PeerID], of work: JobInHand
  ) async throws -> FinishReason {
    let view = await membership.view()
    let plan = try MeshPlan(
      model: work.entry.model, manifest: work.manifest, records: view.records,
      objective: work.objective, context: work.order.context, distrusted: Set(excluded))
    let prepare = Prepare(
      job: work.job, term: term, model: work.entry.model, plan: plan.id,
      objective: work.objective, context: work.order.context,
      batch: work.order.replaying(work.log).batch,
      view: await membership.signedRecords(of: view.peers), distrusted: excluded)
    return try await JobTerm(driver: self, work: work, plan: plan, prepare: prepare).run()
  }
}

extension JobID {
  /// 256 bits: whoever names a job may continue it, so nobody may guess one.
  static func random(using generator: inout some RandomNumberGenerator) -> JobID {
    let bytes = (0..<4).flatMap { _ in
      let word = generator.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    return JobID(Bytes32(bytes) ?? .zero)
  }
}
