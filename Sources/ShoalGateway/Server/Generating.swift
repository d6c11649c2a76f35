// Runs one generation for one client: events in order, with back-pressure up to a bound, and an end
// when either side goes.

import ShoalNode
import ShoalProtocol

/// What routes need to serve a generation.
struct Generating: Sendable {
  let node: any NodeService
  let clock: any MeshClock
  let slots: StreamSlots
  let counters: Counters

  /// Events that a client may leave unread. The longest generations seen fit many times over a
  /// pause of a minute at 100 tokens per second.
  static let unreadLimit = 8_192

  /// Throws what makes `request` hopeless, before an answer has begun: afterwards no status can be
  /// sent any more. One position is the least that any job needs.
  func check(_ request: GenerationRequest) async throws {
    _ = try await node.plan(model: request.model, objective: request.objective, context: 1)
  }

  /// Generates and hands each event to `take` in order. When `take` throws, or the task is
  /// cancelled, the job ends.
  func run(
    _ request: GenerationRequest, take: (GenerationEvent) async throws -> Void
  ) async throws -> RunResult {
    try await counted(hasBeats: false) { [node] in
      try await node.generate(request, emit: $0)
    } take: { event in
      if let event { try await take(event) }
    }
  }

  /// What a client asks that hears of everything, and may go on elsewhere when it hears nothing.
  enum Asked: Sendable {
    case run(GenerationRequest)
    /// The rest of a job, after its first `shown` tokens.
    case resume(JobID, shown: Int)
  }

  /// As `run`, with a `waiting` where nothing happens for `beatInterval`.
  func told(
    _ asked: Asked, take: (RunEvent) async throws -> Void
  ) async throws -> RunResult {
    try await counted(hasBeats: true) { [node] emit in
      switch asked {
      case .run(let request): try await node.generate(request, emit: emit)
      case .resume(let job, let shown): try await node.resume(job, shown: shown, emit: emit)
      }
    } take: { event in
      try await take(event.map { RunEvent($0) } ?? .waiting)
    }
  }

  private typealias Job =
    @Sendable (@escaping @Sendable (GenerationEvent) -> Void) async throws -> GenerationOutcome

  private func counted(
    hasBeats: Bool, _ job: @escaping Job, take: (GenerationEvent?) async throws -> Void
  ) async throws -> RunResult {
    counters.count { $0.jobs += 1 }
    do {
      let result = try await stream(hasBeats: hasBeats, job, take: take)
      counters.count {
        $0.tokens += result.tokens.count
        $0.promptTokens += result.promptTokens.count
      }
      return result
    } catch {
      counters.count { $0.jobFailures += 1 }
      throw error
    }
  }

  /// A client that hears nothing for five of them may take the peer for gone.
  static let beatInterval = Duration.milliseconds(200)

  /// - Parameter take: nil: a beat is due.
  private func stream(
    hasBeats: Bool, _ job: @escaping Job, take: (GenerationEvent?) async throws -> Void
  ) async throws -> RunResult {
    let (events, continuation) = AsyncThrowingStream.makeStream(
      of: (Moment, GenerationEvent)?.self, throwing: (any Error).self,
      bufferingPolicy: .bufferingOldest(Self.unreadLimit))
    var record = RunRecord(start: clock.now())
    return try await withThrowingTaskGroup(of: GenerationOutcome?.self) { group in
      group.addTask { [clock] in
        defer { continuation.finish() }
        return try await job { event in
          if case .dropped = continuation.yield((clock.now(), event)) {
            continuation.finish(
              throwing: RequestError.clientTooSlow(waiting: Self.unreadLimit))
          }
        }
      }
      if hasBeats {
        group.addTask {
          while true {
            try await Task.sleep(for: Self.beatInterval)
            continuation.yield(nil)
          }
        }
      }
      for try await told in events {
        if let (moment, event) = told { record.note(event, at: moment) }
        try await take(told?.1)
      }
      guard let outcome = try await group.next() ?? nil else { throw CancellationError() }
      group.cancelAll()
      return record.result(outcome)
    }
  }
}
