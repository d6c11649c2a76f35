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
  let keeper: WitnessKeeper
  let door: StreamDoor
  /// Nil: this peer pays nobody.
  let accounts: Accounts?
  let auditing: Auditing
  let lanes: LaneTable
  let clock: any MeshClock
  let random: any RandomSource
  let threads: any ThreadSource

  func generate(
    _ entry: ModelEntry, _ request: GenerationRequest,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let manifest = try await store.manifest(entry.model)
    try manifest.checkGenerates()
    let tokenizer = try await store.tokenizer(manifest)
    let prompt = try prompt(of: request, entry, manifest, tokenizer)
    var generator = RandomSourceGenerator(random)
    let record = JobRecord(
      job: JobID.random(using: &generator), model: entry.model, objective: request.objective,
      order: try GenerationOrder(prompt: prompt, options: request.options, manifest: manifest),
      options: request.options.bytes)
    let work = try JobInHand(
      record: record, options: request.options, entry: entry, manifest: manifest,
      tokenizer: tokenizer, user: request.user, shown: 0, emit: emit)
    return try await drive(work, from: GenerationJob())
  }

  /// Everything that can be refused before a plan is pinned is refused here.
  func prepare(
    _ entry: ModelEntry, _ request: GenerationRequest
  ) async throws -> GenerationRequest {
    let manifest = try await store.manifest(entry.model)
    try manifest.checkGenerates()
    let tokenizer = try await store.tokenizer(manifest)
    let prompt = try prompt(of: request, entry, manifest, tokenizer)
    let order = try GenerationOrder(prompt: prompt, options: request.options, manifest: manifest)
    do { try request.options.format.check() } catch { throw NodeError.schema(error) }
    let records = await membership.view().records
    _ = try MeshPlan(
      model: entry.model, manifest: manifest, records: records, objective: request.objective,
      context: order.context, distrusted: Set(avoided(records)))
    var prepared = request
    prepared.prompt = .tokens(prompt)
    return prepared
  }

  private func prompt(
    of request: GenerationRequest, _ entry: ModelEntry, _ manifest: ModelManifest,
    _ tokenizer: Tokenizer
  ) throws -> [UInt32] {
    switch request.prompt {
    case .tokens(let tokens): tokens
    case .text(let text):
      tokenizer.encode(text, addSpecial: true, parseSpecial: false).map { UInt32($0) }
    case .chat(let messages):
      try ChatPrompt(
        model: entry.name, template: request.chatTemplate ?? manifest.chatTemplate,
        tokenizer: tokenizer
      ).tokens(
        messages, tools: request.tools, unixSeconds: Int64(clock.unixMilliseconds() / 1_000))
    }
  }

  /// Goes on with a job that another peer drove.
  ///
  /// - Parameters:
  ///   - shown: tokens that the client has heard already.
  ///   - former: who drove it before. Its client has turned away from it, so the first plan does
  ///     without it: it may be stopped, and nobody else may have noticed yet.
  func resume(
    _ record: JobRecord, _ entry: ModelEntry, shown: Int, after former: PeerID?,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let manifest = try await store.manifest(entry.model)
    let tokenizer = try await store.tokenizer(manifest)
    let work = try JobInHand(
      record: record, options: try GenerationOptions(bytes: record.options), entry: entry,
      manifest: manifest, tokenizer: tokenizer, shown: shown, emit: emit)
    if let finish = try work.recall() {
      work.start(record.term, record.plan, [])
      return work.outcome(finish)
    }
    return try await drive(
      work, from: GenerationJob(last: record.term), without: former.map { [$0] } ?? [])
  }

  /// Performs what `job` decides, while witnesses are told. This peer keeps the log as well, for a
  /// client that lost its connection and nothing else.
  private func drive(
    _ work: JobInHand, from job: GenerationJob, without former: [PeerID] = []
  ) async throws -> GenerationOutcome {
    let witnesses = JobWitnesses(driver: self, work: work)
    let result: Result<FinishReason, any Error>
    result = await withTaskGroup(of: Void.self) { group in
      group.addTask { await witnesses.run() }
      defer { group.cancelAll() }
      do {
        return .success(
          try await perform(job, without: former, known: { work.record.log.count }) {
            try await attempt($0, excluding: $1, of: work)
          })
      } catch {
        return .failure(error)
      }
    }
    await keeper.keep(work.record)
    return work.outcome(try result.get())
  }

  /// - Parameters:
  ///   - former: peers that the first plan does without.
  ///   - known: how much has come of the job so far: a term that added to it was fruitful.
  ///   - attempt: one term, over all but the excluded.
  func perform<Outcome: Sendable>(
    _ start: GenerationJob, without former: [PeerID] = [], known: () -> Int,
    attempt: (Term, _ excluded: [PeerID]) async throws -> Outcome
  ) async throws -> Outcome {
    var job = start
    var planError: PlanError?
    var effects = job.handle(
      .begin(suspected: await membership.suspectedHere() + former), at: clock.now())
    while !effects.isEmpty {
      switch effects.removeFirst() {
      case .attempt(let term, let excluded):
        let before = known()
        do {
          return try await attempt(term, excluded)
        } catch let error as PlanError {
          planError = error
          effects += job.handle(.unplannable, at: clock.now())
        } catch is TermMoved {
          effects += job.handle(.moved, at: clock.now())
        } catch let end as TermEnd {
          try Task.checkCancellation()
          if known() > before { _ = job.handle(.sampled, at: clock.now()) }
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

  /// One term: a plan over all but the excluded, a place in its lane, all steps that are left.
  private func attempt(
    _ term: Term, excluding excluded: [PeerID], of work: JobInHand
  ) async throws -> FinishReason {
    let record = work.record
    let laneTerm = try await planLane(of: work, excluding: excluded)
    let plan = laneTerm.plan
    work.attempts(term, plan: plan.id)
    let watch = TermWatch(self, work, plan, distrusted: Set(laneTerm.prepare.distrusted))
    let seat = LaneSeat(
      user: work.user,
      session: GenerationSession(
        order: work.order.replaying(record.log), plan: plan.id, term: term, members: plan.members,
        vocabularyBlocks: work.manifest.cut.vocabularyBlocks, stages: plan.stageSizes.count,
        continuing: record.log),
      began: { work.began(term, plan) }, shared: { work.shared($0) },
      choose: { votes, cost, isAlone in
        let choice = try work.choose(votes, cost)
        if !choice.endsText { try watch.chosen(isAlone: isAlone) }
        return choice
      }, emit: work.emit)
    let (lane, place) = lanes.enter(seat, plan: plan.id, alone: work.isAlone) {
      Lane(laneTerm.following(work.lane), isFound: !work.isAlone)
    }
    work.lane = lane
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await watch.run() }
      defer { group.cancelAll() }
      do {
        return try await lane.outcome(of: place)
      } catch let end as TermEnd {
        // One job's numbers end the lane of all: each goes on by itself, and one of them fails.
        guard case .numericRange = end.failure, lane.hadCompany, !work.isAlone else {
          work.emit(.interrupted(end.failure, blamed: end.blamed))
          throw end
        }
        work.isAlone = true
        throw TermMoved()
      }
    }
  }

  /// The plan of a job's next lane: at a length that jobs have in common, or where that does not
  /// fit, at the job's own.
  private func planLane(
    of work: JobInHand, excluding excluded: [PeerID]
  ) async throws -> JobTerm {
    var generator = RandomSourceGenerator(random)
    let (name, record) = (JobID.random(using: &generator), work.record)
    let needed = record.order.context
    let common = Limits.laneContext(for: needed, model: work.manifest.shape.context)
    let plan = { (context: Int) in
      try await planTerm(
        Term(1), of: name, record.model, work.manifest, objective: record.objective,
        context: context, positions: context * Limits.laneSlots, batch: Limits.laneRows,
        excluding: excluded)
    }
    do {
      return try await plan(common)
    } catch is PlanError where common > needed {
      return try await plan(needed)
    }
  }

  /// A plan from the view of now, and what its ranks are told.
  ///
  /// - Parameter positions: of all sequences together; nil: as many as `context`.
  func planTerm(
    _ term: Term, of job: JobID, _ model: ModelID, _ manifest: ModelManifest,
    objective: PlanObjective, context: Int, positions: Int? = nil, batch: Int,
    excluding excluded: [PeerID]
  ) async throws -> JobTerm {
    let view = await membership.view()
    let excluded = Set(excluded).union(avoided(view.records))
    let plan = try MeshPlan(
      model: model, manifest: manifest, records: view.records, objective: objective,
      context: context, distrusted: excluded)
    let prepare = Prepare(
      job: job, term: term, model: model, plan: plan.id, objective: objective, context: context,
      positions: positions ?? context, batch: batch,
      view: await membership.signedRecords(of: view.peers), distrusted: excluded.sorted(),
      payment: accounts?.offer(plan, view.records))
    return JobTerm(driver: self, plan: plan, prepare: prepare) { [accounts] prepare in
      try await accounts?.hire(prepare, plan, manifest, view.records)
    }
  }

  /// Peers that plans of this one do without: they ask more than it pays, or were wrong.
  func avoided(_ records: [CapabilityRecord]) -> [PeerID] {
    let wrong = auditing.reputation.avoided(among: records.map(\.peer))
    if let accounts { return wrong + accounts.unaffordable(records) }
    return wrong + records.filter { $0.peer != peer && ($0.payment?.price ?? 0) > 0 }.map(\.peer)
  }
}

extension JobTerm {
  /// The same under the name of a lane that has ended, where nobody else took that up: its ranks
  /// give way to those of this term at once.
  fileprivate func following(_ ended: Lane?) -> JobTerm {
    guard let (name, term) = ended?.takeHeir() else { return self }
    return JobTerm(
      driver: driver, plan: plan, prepare: prepare.renamed(name, term), hire: hire)
  }
}

extension Limits {
  /// Lanes are planned for sequences of that length, or twice, four times ... as long: so jobs of
  /// different lengths meet in one.
  package static let laneContext = 2_048

  package static func laneContext(for needed: Int, model: Int) -> Int {
    var context = laneContext
    while context < needed { context *= 2 }
    return max(needed, min(context, model))
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
