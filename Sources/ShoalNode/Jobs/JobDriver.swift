// Drives generations from this peer: plans, pins the plan with its ranks, and turns votes into
// text.

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

  /// Plans that are tried before a job is given up: views differ for a moment after a change.
  private static let attempts = 6

  /// What every attempt at one job has in common.
  private struct Order {
    let entry: ModelEntry
    let manifest: ModelManifest
    let tokenizer: Tokenizer
    let prompt: [UInt32]
    let generation: GenerationOrder
    let request: GenerationRequest
  }

  func generate(
    _ entry: ModelEntry, _ request: GenerationRequest,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let order = try await order(entry, request)
    var distrusted: Set<PeerID> = []
    var attempt = 0
    while true {
      attempt += 1
      do {
        return try await run(order, distrusted: distrusted, emit: emit)
      } catch let setback as Setback {
        guard attempt < Self.attempts else { throw NodeError.failed(setback.failure) }
        if let lost = setback.unreachable {
          distrusted.insert(lost)
          await membership.reportUnreachable(lost)
        } else {
          try await clock.sleep(until: clock.now() + .milliseconds(120))
        }
      }
    }
  }

  /// A failure before the first step: nothing has been generated, so another plan may do.
  private struct Setback: Error {
    let failure: JobFailure
    let unreachable: PeerID?
  }

  private func order(
    _ entry: ModelEntry, _ request: GenerationRequest
  ) async throws -> Order {
    let manifest = try await store.manifest(entry.model)
    let tokenizer = try await store.tokenizer(manifest)
    let prompt =
      switch request.prompt {
      case .tokens(let tokens): tokens
      case .text(let text):
        tokenizer.encode(text, addSpecial: true, parseSpecial: false).map { UInt32($0) }
      }
    let generation = try GenerationOrder(
      prompt: prompt, options: request.options, manifest: manifest)
    return Order(
      entry: entry, manifest: manifest, tokenizer: tokenizer, prompt: prompt,
      generation: generation, request: request)
  }

  /// One attempt: a plan, its ranks, all steps.
  private func run(
    _ order: Order, distrusted: Set<PeerID>,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let view = await membership.view()
    let plan = try MeshPlan(
      model: order.entry.model, manifest: order.manifest, records: view.records,
      objective: order.request.objective, context: order.generation.context,
      distrusted: distrusted)
    var generator = RandomSourceGenerator(random)
    let job = JobID.random(using: &generator)
    let prepare = Prepare(
      job: job, term: Term(1), model: order.entry.model, plan: plan.id,
      objective: order.request.objective, context: order.generation.context,
      batch: order.generation.batch, view: await membership.signedRecords(of: view.peers),
      distrusted: distrusted.sorted())
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let links = try await open(job, to: plan.members) { own in
        group.addTask { await executor.serve(own) }
      }
      let room = ThreadRoom(threads.thread(name: "entry"))
      defer {
        for link in links { link.shutdown() }
        room.close()
      }
      return try await withTaskCancellationHandler {
        try await drive(order, plan, prepare, links, in: room, emit: emit)
      } onCancel: {
        for link in links { link.shutdown() }
      }
    }
  }

  /// A link to each rank; to this peer itself one in memory, whose other end is `serveOwn`'s.
  private func open(
    _ job: JobID, to members: [PeerID], serveOwn: (any FrameLink) -> Void
  ) async throws -> [any FrameLink] {
    var links: [any FrameLink] = []
    for member in members {
      if member == peer {
        let (entry, rank) = MemoryLink.pair(left: peer, right: peer) { threads.gate() }
        serveOwn(rank)
        links.append(entry)
        continue
      }
      do {
        guard let record = await membership.record(of: member) else {
          throw DoorError.noAddress(member)
        }
        links.append(try await door.dial(record, .job(job)))
      } catch {
        for link in links { link.shutdown() }
        throw Setback(failure: .peerLost(member), unreachable: member)
      }
    }
    return links
  }

  private func drive(
    _ order: Order, _ plan: MeshPlan, _ prepare: Prepare, _ links: [any FrameLink],
    in room: ThreadRoom, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    let clock = clock
    try await room.perform {
      try PrepareRound(links: links, plan: plan.id, clock: clock).run(prepare, emit: emit)
    } catch: { failure in
      Setback(failure: failure, unreachable: nil)
    }
    let shares = plan.report.members.map {
      JobMember(peer: $0.peer, sharePerMille: $0.sharePerMille)
    }
    emit(
      .started(
        job: prepare.job, model: order.entry, plan: plan.id, members: shares,
        promptTokens: order.prompt))
    let chooser = TokenChooser(
      options: order.request.options, tokenizer: order.tokenizer, promptCount: order.prompt.count
    ) { emit(.token($0)) }
    let blocks = order.manifest.cut.vocabularyBlocks
    do {
      let finish = try await room.perform {
        var session = GenerationSession(
          order: order.generation, plan: plan.id, term: prepare.term, members: plan.members,
          vocabularyBlocks: blocks)
        return try GenerationRunner(links: links, patience: plan.patience, clock: clock)
          .run(&session) { try chooser.choose($0, $1) }
      }
      return GenerationOutcome(
        tokens: chooser.tokens, text: chooser.text, finish: finish, digest: chooser.digest)
    } catch let failure as JobFailure {
      if let lost = failure.lostPeer, lost != peer { await membership.reportUnreachable(lost) }
      try Task.checkCancellation()
      throw NodeError.failed(failure)
    }
  }
}

extension JobFailure {
  /// The peer that a failure says is gone.
  var lostPeer: PeerID? {
    switch self {
    case .peerLost(let peer), .deadline(let peer, _): peer
    case _: nil
    }
  }
}

extension JobID {
  static func random(using generator: inout some RandomNumberGenerator) -> JobID {
    let bytes = (0..<4).flatMap { _ in
      let word = generator.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    return JobID(Bytes32(bytes) ?? .zero)
  }
}

extension ThreadRoom {
  /// Performs `body`; a job failure in it is thrown as `setback` makes it.
  fileprivate func perform(
    _ body: @Sendable () throws -> Void, catch setback: @Sendable (JobFailure) -> any Error
  ) throws {
    do { try body() } catch let failure as JobFailure { throw setback(failure) }
  }
}

/// PREPARE to all ranks and their answers.
private struct PrepareRound: Sendable {
  let links: [any FrameLink]
  let plan: PlanID
  let clock: any MeshClock

  /// A rank that says nothing for that long is lost; one that fetches says so all the time.
  private static let patience = Duration.seconds(8)

  func run(_ prepare: Prepare, emit: @Sendable (GenerationEvent) -> Void) throws {
    for link in links {
      do { try link.send(.prepare(prepare)) } catch { throw JobFailure.peerLost(link.peer) }
    }
    for link in links { try awaitReady(link, emit: emit) }
  }

  private func awaitReady(
    _ link: any FrameLink, emit: @Sendable (GenerationEvent) -> Void
  ) throws {
    while true {
      let message: JobMessage
      do {
        message = try link.receiveJob(deadline: clock.now() + Self.patience)
      } catch {
        throw JobFailure.peerLost(link.peer)
      }
      switch message {
      case .fetching(let remaining, let total):
        emit(.fetching(link.peer, remaining: ByteCount(remaining), total: ByteCount(total)))
      case .ready(let theirs):
        guard theirs == plan else { throw JobFailure.planDiffers(mine: plan, yours: theirs) }
        return
      case .failed(let failure): throw failure
      case .prepare, .step, .finish, .result:
        throw JobFailure.protocolViolation(link.peer, .invalid(field: "answer to PREPARE"))
      }
    }
  }
}
