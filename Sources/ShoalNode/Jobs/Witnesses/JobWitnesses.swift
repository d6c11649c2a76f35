// Streams the log of a job to other peers while it runs, so that the job outlives its driver.

internal import ShoalProtocol

/// Chooses witnesses, keeps them up to date, and chooses others for those that are lost.
actor JobWitnesses {
  private let driver: JobDriver
  private let work: JobInHand
  /// Witnesses, and where clients reach them.
  private var chosen: [PeerID: Endpoint?] = [:]
  /// Peers that were lost or did not answer, until all were tried.
  private var failed: Set<PeerID> = []

  /// A witness may be that far behind: what it lacks is computed again, with the same bits.
  private static let interval = Duration.milliseconds(20)
  /// Between two looks for somebody to be a witness.
  private static let patience = Duration.seconds(1)

  init(driver: JobDriver, work: JobInHand) {
    self.driver = driver
    self.work = work
  }

  /// Until cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<Limits.witnesses { group.addTask { await self.lane() } }
    }
  }

  /// One witness after the other. What is sent never waits on the job's own thread.
  private func lane() async {
    let alarm = work.alarm()
    while !Task.isCancelled {
      guard let record = await choose() else {
        failed = []
        try? await driver.clock.sleep(until: driver.clock.now() + Self.patience)
        continue
      }
      if let link = try? await driver.door.dial(
        record, .witness(work.job), within: Limits.rankDial)
      {
        let room = ThreadRoom(driver.threads.thread(name: "witness"))
        await withTaskCancellationHandler {
          await feed(record, link, alarm, in: room)
        } onCancel: {
          link.shutdown()
        }
        link.shutdown()
        room.close()
      }
      chosen[record.peer] = nil
      failed.insert(record.peer)
      if !Task.isCancelled { tell() }
    }
  }

  /// The live peer that comes first for this job, in an order of its own for each job.
  private func choose() async -> CapabilityRecord? {
    let suspected = Set(await driver.membership.suspectedHere())
    let live = await driver.membership.livePeers().filter {
      !suspected.contains($0) && chosen[$0] == nil && !failed.contains($0)
    }
    let key = work.job.raw.prefix64
    guard
      let first = live.min(by: {
        ($0.raw.prefix64 ^ key, $0) < ($1.raw.prefix64 ^ key, $1)
      }), let record = await driver.membership.record(of: first), chosen[first] == nil
    else { return nil }
    chosen[first] = .some(nil)
    return record
  }

  private func feed(
    _ record: CapabilityRecord, _ link: any FrameLink, _ alarm: Alarm, in room: ThreadRoom
  ) async {
    let (known, clock) = (work.record, driver.clock)
    do {
      let answer = try await room.perform {
        try link.send(.witness, WitnessMessage.record(known).bytes)
        return try link.receiveWitness(deadline: clock.now() + Limits.rankDial)
      }
      guard case .witnessing(let api) = answer else { return }
      let own = await driver.membership.ownRecord()
      chosen[record.peer] = api.flatMap { $0.reached(at: record, from: own) }
      tell()
      var (position, term) = (known.log.count, known.term)
      while !Task.isCancelled {
        let beat = clock.now() + Limits.witnessBeat
        if work.record.log.count == position, work.record.term == term {
          await alarm.sleep(until: beat, clock)
        }
        let news = work.record.news(from: position)
        try await room.perform { try link.send(.witness, WitnessMessage.news(news).bytes) }
        (position, term) = (position + news.tokens.count, news.term)
        try await clock.sleep(until: clock.now() + Self.interval)
      }
    } catch {
      // This witness is gone, or the job is done; the lane goes on with another.
    }
  }

  private func tell() {
    work.emit(.witnesses(chosen.values.compactMap(\.self).sorted()))
  }
}

extension Endpoint {
  /// Where a client of the peer `own` reaches this API of the peer `record`; nil: nowhere.
  fileprivate func reached(
    at record: CapabilityRecord, from own: CapabilityRecord
  ) -> Endpoint? {
    if address.allSatisfy({ $0 == 0 }) {
      return record.endpoints.first.flatMap { Endpoint(address: $0.address, port: port) }
    }
    guard isLoopback else { return self }
    // On the machine of this peer, and of nobody else.
    let addresses = Set(own.endpoints.map(\.address))
    return record.endpoints.contains { addresses.contains($0.address) } ? self : nil
  }
}
