// Runs one generation for one client: events in order, with back-pressure up to a bound, and an end
// when either side goes.

import ShoalNode
import ShoalProtocol

/// What routes need to serve a generation.
struct Generating: Sendable {
  let node: any NodeService
  let clock: any MeshClock
  /// Generations wait here, and jobs that make vectors.
  let admission: Admission
  let texts: Admission
  let counters: Counters
  let board = JobBoard()
  /// Takes a job's spans when it has ended, as one JSON object.
  var traces: TraceSink?

  /// Events that a client may leave unread. The longest generations seen fit many times over a
  /// pause of a minute at 100 tokens per second.
  static let unreadLimit = 8_192

  /// Throws what makes requests hopeless, before an answer has begun: afterwards no status can be
  /// sent any more. Those that differ in their seeds alone have one prompt.
  func prepare(_ requests: [GenerationRequest]) async throws -> [GenerationRequest] {
    var prepared: [GenerationRequest] = []
    for (index, request) in requests.enumerated() {
      if index > 0, request.prompt == requests[index - 1].prompt {
        var same = request
        same.prompt = prepared[index - 1].prompt
        prepared.append(same)
      } else {
        prepared.append(try await node.prepare(request))
      }
    }
    return prepared
  }

  /// Generates when it is the place's turn, and hands each event to `take` in order. When `take`
  /// throws, or the task is cancelled, the job ends.
  func run(
    _ request: GenerationRequest, _ place: AdmissionPlace,
    take: (GenerationEvent) async throws -> Void
  ) async throws -> RunResult {
    try await counted(model: request.model, hasBeats: false) { emit, number in
      try await turn(place, number)
      return try await node.generate(request.of(place.user), emit: emit)
    } take: { event in
      if let event { try await take(event) }
    }
  }

  /// What a client asks that hears of everything, and may go on elsewhere when it hears nothing.
  enum Asked: Sendable {
    case run(GenerationRequest)
    /// The rest of a job, after its first `shown` tokens.
    case resume(JobID, shown: Int)

    /// Empty where only the job's record says.
    fileprivate var model: String {
      switch self {
      case .run(let request): request.model
      case .resume: ""
      }
    }
  }

  /// As `run`, with a `waiting` where nothing happens for `beatInterval`.
  func told(
    _ asked: Asked, _ place: AdmissionPlace, take: (RunEvent) async throws -> Void
  ) async throws -> RunResult {
    try await counted(model: asked.model, hasBeats: true) { emit, number in
      try await turn(place, number)
      switch asked {
      case .run(let request):
        return try await node.generate(request.of(place.user), emit: emit)
      case .resume(let job, let shown): return try await node.resume(job, shown: shown, emit: emit)
      }
    } take: { event in
      try await take(event.map { RunEvent($0) } ?? .waiting)
    }
  }

  private func turn(_ place: AdmissionPlace, _ number: UInt64) async throws {
    let start = clock.now()
    try await place.turn()
    let now = clock.now()
    board.hasTurn(number, at: now)
    let waited = (now - start).inSeconds
    counters.count { $0.queued.observe(waited) }
  }

  private typealias Job =
    @Sendable (
      _ emit: @escaping @Sendable (GenerationEvent) -> Void, _ number: UInt64
    ) async throws -> GenerationOutcome

  private func counted(
    model: String, hasBeats: Bool, _ job: @escaping Job,
    take: (GenerationEvent?) async throws -> Void
  ) async throws -> RunResult {
    counters.count { $0.jobs += 1 }
    let number = board.open(
      model: model, at: clock.now(), unixMilliseconds: clock.unixMilliseconds())
    var failure: String?
    defer { close(number, failure) }
    do {
      let result = try await stream(number, hasBeats: hasBeats, job, take: take)
      counters.count {
        $0.tokens += result.tokens.count
        $0.promptTokens += result.promptTokens.count
      }
      return result
    } catch {
      counters.count { $0.jobFailures += 1 }
      failure = Refusal(error).facts.message
      throw error
    }
  }

  private func close(_ number: UInt64, _ failure: String?) {
    guard let trace = board.close(number), let traces else { return }
    // A trace that cannot be written is no reason to fail a job.
    if let json = try? trace.json(peer: node.peer, end: clock.now(), failure: failure) {
      traces(json)
    }
  }

  /// A client that misses six of them may take the peer for gone (`GatewayClient.usualSilence`).
  static let beatInterval = Duration.milliseconds(100)

  /// - Parameter take: nil: a beat is due.
  private func stream(
    _ number: UInt64, hasBeats: Bool, _ job: @escaping Job,
    take: (GenerationEvent?) async throws -> Void
  ) async throws -> RunResult {
    let (events, continuation) = AsyncThrowingStream.makeStream(
      of: (Moment, GenerationEvent)?.self, throwing: (any Error).self,
      bufferingPolicy: .bufferingOldest(Self.unreadLimit))
    let start = clock.now()
    var record = RunRecord(start: start)
    var meter = JobMeter(counters, start: start)
    return try await withThrowingTaskGroup(of: GenerationOutcome?.self) { group in
      group.addTask { [clock] in
        defer { continuation.finish() }
        let emit: @Sendable (GenerationEvent) -> Void = { event in
          if case .dropped = continuation.yield((clock.now(), event)) {
            continuation.finish(
              throwing: RequestError.clientTooSlow(waiting: Self.unreadLimit))
          }
        }
        return try await job(emit, number)
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
        if let (moment, event) = told {
          record.note(event, at: moment)
          meter.note(event, at: moment)
          board.note(number, event, at: moment)
        }
        try await take(told?.1)
        if case .token? = told?.1, let chosen = told?.0 {
          let took = (clock.now() - chosen).inSeconds
          counters.count { $0.delivery.observe(took) }
        }
      }
      guard let outcome = try await group.next() ?? nil else { throw CancellationError() }
      group.cancelAll()
      return record.result(outcome)
    }
  }
}

extension GenerationRequest {
  fileprivate func of(_ user: String) -> GenerationRequest {
    var request = self
    request.user = user
    return request
  }
}
