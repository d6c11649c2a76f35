// One term of a lane, performed: links to its ranks, PREPARE, whatever steps there are, the end.

internal import ShoalProtocol

struct JobTerm: Sendable {
  let driver: JobDriver
  let plan: MeshPlan
  let prepare: Prepare
  /// Begins to pay its ranks; nil: nobody is paid.
  let hire: @Sendable (Prepare) async throws -> TermBill?

  /// Runs `steps` on the entry's thread once all ranks are ready, or throws `TermEnd`.
  ///
  /// - Parameters:
  ///   - emit: told while ranks get ready.
  ///   - steps: is given the positions that all ranks hold keys and values for.
  func run<Outcome: Sendable>(
    emit: @escaping @Sendable (GenerationEvent) -> Void = { _ in },
    _ steps: @escaping @Sendable (GenerationRunner, _ positions: Int) throws -> Outcome
  ) async throws -> Outcome {
    let bill = try await hire(prepare)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let links: [any FrameLink]
      do {
        links = try await open { own in
          group.addTask { await driver.executor.serve(own) }
        }
      } catch {
        bill?.end()
        throw error
      }
      let room = ThreadRoom(driver.threads.thread(name: "entry"))
      let result: Result<Outcome, any Error>
      do {
        result = .success(
          try await withTaskCancellationHandler {
            try await drive(links, bill, in: room, emit: emit, steps)
          } onCancel: {
            for link in links { link.shutdown() }
          })
      } catch {
        result = .failure(error)
      }
      for link in links { link.shutdown() }
      room.close()
      bill?.end()
      // The own rank may be waiting for one that is gone.
      await driver.executor.stop(prepare.job, prepare.term)
      return try result.get()
    }
  }

  /// A link to each rank, all dialled at once; to this peer itself one in memory, whose other end
  /// is `serveOwn`'s.
  private func open(serveOwn: (any FrameLink) -> Void) async throws -> [any FrameLink] {
    let members = plan.members
    var links = [(any FrameLink)?](repeating: nil, count: members.count)
    await withTaskGroup(of: (Int, (any FrameLink)?).self) { group in
      for (rank, member) in members.enumerated() where member != driver.peer {
        group.addTask { (rank, await dial(member)) }
      }
      for await (rank, link) in group { links[rank] = link }
    }
    let lost = members.indices.filter { links[$0] == nil && members[$0] != driver.peer }
    if let first = lost.first {
      for link in links { link?.shutdown() }
      try Task.checkCancellation()
      throw TermEnd(.peerLost(members[first]), blamed: lost.map { members[$0] })
    }
    if let own = members.firstIndex(of: driver.peer) {
      let (entry, rank) = MemoryLink.pair(left: driver.peer, right: driver.peer) {
        driver.threads.gate()
      }
      serveOwn(rank)
      links[own] = entry
    }
    return links.compactMap(\.self)
  }

  private func dial(_ member: PeerID) async -> (any FrameLink)? {
    guard let record = await driver.membership.record(of: member) else { return nil }
    return try? await driver.door.dial(record, .job(prepare.job), within: Limits.rankDial)
  }

  private func drive<Outcome: Sendable>(
    _ links: [any FrameLink], _ bill: TermBill?, in room: ThreadRoom,
    emit: @escaping @Sendable (GenerationEvent) -> Void,
    _ steps: @escaping @Sendable (GenerationRunner, Int) throws -> Outcome
  ) async throws -> Outcome {
    let (plan, prepare, clock) = (plan, prepare, driver.clock)
    let entry = driver.peer
    return try await room.perform {
      let positions = try PrepareRound(links: links, entry: entry, plan: plan.id, clock: clock)
        .run(prepare, emit: emit)
      let runner = GenerationRunner(
        links: links, entry: entry, patience: plan.patience, clock: clock, bill: bill)
      return try steps(runner, positions)
    }
  }
}
