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
    counters.count { $0.jobs += 1 }
    do {
      let result = try await stream(request, take: take)
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

  private func stream(
    _ request: GenerationRequest, take: (GenerationEvent) async throws -> Void
  ) async throws -> RunResult {
    let (events, continuation) = AsyncThrowingStream.makeStream(
      of: (Moment, GenerationEvent).self, throwing: (any Error).self,
      bufferingPolicy: .bufferingOldest(Self.unreadLimit))
    var record = RunRecord(start: clock.now())
    return try await withThrowingTaskGroup(of: GenerationOutcome.self) { group in
      group.addTask { [node, clock] in
        defer { continuation.finish() }
        return try await node.generate(request) { event in
          if case .dropped = continuation.yield((clock.now(), event)) {
            continuation.finish(
              throwing: RequestError.clientTooSlow(waiting: Self.unreadLimit))
          }
        }
      }
      for try await (moment, event) in events {
        record.note(event, at: moment)
        try await take(event)
      }
      guard let outcome = try await group.next() else { throw CancellationError() }
      return record.result(outcome)
    }
  }
}
