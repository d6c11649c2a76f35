// The queue before the node, for the tasks that wait in it.

import Synchronization

final class Admission: Sendable {
  private struct State {
    var queue: AdmissionQueue
    var tickets: UInt64 = 0
    /// Of those that wait for their turn.
    var sleepers: [UInt64: CheckedContinuation<Void, any Error>] = [:]
  }

  private let state: Mutex<State>

  init(_ bounds: AdmissionQueue.Bounds) { state = Mutex(State(queue: AdmissionQueue(bounds))) }

  /// How many run and how many wait.
  var counts: (running: Int, waiting: Int) {
    state.withLock { ($0.queue.running.count, $0.queue.waiting) }
  }

  var isFull: Bool { state.withLock { $0.queue.waiting >= $0.queue.bounds.waiting } }

  /// A place in the queue, which is given back when the last reference to it goes, however the
  /// request ends. Refused at once where there is none, while a status can still be sent.
  func enter(user: String?) throws(RequestError) -> AdmissionPlace {
    let (ticket, answer) = state.withLock { state in
      state.tickets += 1
      return (state.tickets, state.queue.enter(state.tickets, user: user ?? ""))
    }
    switch answer {
    case .runs, .waits: return AdmissionPlace(admission: self, ticket: ticket, user: user ?? "")
    case .tooManyOfOne(let waiting): throw .userBusy(waiting: waiting)
    case .full(let waiting): throw .busy(running: counts.running, waiting: waiting)
    }
  }

  /// Returns when it is the ticket's turn.
  fileprivate func turn(_ ticket: UInt64) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.queue.running.contains(ticket) { return .success(()) }
          state.sleepers[ticket] = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: ticket) }
      sleeper?.resume(throwing: CancellationError())
    }
  }

  fileprivate func leave(_ ticket: UInt64) {
    let woken = state.withLock { state in
      state.queue.leave(ticket).compactMap { state.sleepers.removeValue(forKey: $0) }
    }
    for sleeper in woken { sleeper.resume() }
  }
}

final class AdmissionPlace: Sendable {
  private let admission: Admission
  private let ticket: UInt64
  /// Who asked; empty: nobody said.
  let user: String

  fileprivate init(admission: Admission, ticket: UInt64, user: String) {
    self.admission = admission
    self.ticket = ticket
    self.user = user
  }

  /// Returns when the generation may begin; at once when it has its turn already.
  func turn() async throws { try await admission.turn(ticket) }

  deinit { admission.leave(ticket) }
}
