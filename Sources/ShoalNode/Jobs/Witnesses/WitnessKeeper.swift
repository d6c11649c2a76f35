// Keeps the logs of jobs that others drive, for whoever comes to continue one.

internal import ShoalProtocol
private import Synchronization

actor WitnessKeeper {
  private let clock: any MeshClock
  private var log = WitnessLog()
  private let alarm = Alarm()
  /// Where clients reach this peer; nil: they do not.
  private let api = Mutex<Endpoint?>(nil)

  init(clock: any MeshClock) { self.clock = clock }

  nonisolated func serves(api endpoint: Endpoint) { api.withLock { $0 = endpoint } }

  /// Forgets what is old, until cancelled.
  func run() async {
    while !Task.isCancelled {
      await alarm.sleep(until: log.nextDeadline, clock)
      log.forget(at: clock.now())
    }
  }

  /// Keeps a job that this peer drove or heard of.
  ///
  /// - Parameter driver: whom it was heard from; nil: this peer drove it.
  func keep(_ record: JobRecord, from driver: PeerID? = nil) {
    log.keep(record, from: driver, at: clock.now())
    alarm.advance(to: log.nextDeadline)
  }

  func record(of job: JobID) -> JobRecord? { log.record(of: job, at: clock.now()) }

  func driver(of job: JobID) -> PeerID? { log.driver(of: job) }

  /// Hears the log of one job from its driver, on the stream's thread, until either ends it.
  func serve(_ link: any FrameLink, of job: JobID, in room: ThreadRoom) async {
    await withTaskCancellationHandler {
      do {
        while !Task.isCancelled {
          let deadline = clock.now() + Limits.witnessBeat * 3
          let message = try await room.perform { try link.receiveWitness(deadline: deadline) }
          guard let answer = try take(message, of: job, from: link.peer) else { continue }
          try await room.perform { try link.send(.witness, answer.bytes) }
        }
      } catch {
        // The driver is done, or gone: the log waits for its client, and is forgotten in time.
      }
    } onCancel: {
      link.shutdown()
    }
    link.shutdown()
  }

  private func take(
    _ message: WitnessMessage, of job: JobID, from driver: PeerID
  ) throws(WireError) -> WitnessMessage? {
    switch message {
    case .record(let record):
      guard record.job == job else { throw .invalid(field: "job") }
      keep(record, from: driver)
      return .witnessing(api: api.withLock { $0 })
    case .news(let news):
      guard try log.extend(job, news, at: clock.now()) else { throw .invalid(field: "job") }
      return nil
    case .witnessing:
      throw .invalid(field: "witness message")
    }
  }
}

extension FrameLink {
  func receiveWitness(deadline: Moment?) throws -> WitnessMessage {
    try WitnessMessage(bytes: receive(.witness, deadline: deadline))
  }
}
