// Jobs that were asked for at this peer and run on one plan: they come and go while the lane's
// thread drives the ranks for all of them.

internal import ShoalProtocol
private import Synchronization

/// What a job brings to a lane, and hears from it on the lane's thread.
struct LaneSeat: Sendable {
  /// Fairness is between users.
  let user: String
  let session: GenerationSession
  let began: @Sendable () -> Void
  let shared: @Sendable (_ positions: Int) -> Void
  /// `isAlone`: no other job was in the step.
  let choose:
    @Sendable (_ votes: [VocabularyVote], _ cost: StepCost, _ isAlone: Bool) throws
      -> GenerationRunner.Choice
  /// What is told while ranks get ready.
  let emit: @Sendable (GenerationEvent) -> Void
}

final class Lane: Sendable {
  private struct Entry {
    let seat: LaneSeat
    var waiter: CheckedContinuation<FinishReason, any Error>?
    var result: Result<FinishReason, any Error>?
  }

  private struct State {
    var entries: [SeatID: Entry] = [:]
    var news: [BatchSession.Event] = []
    var numbers: UInt64 = 0
    var isClosed = false
    /// Its thread waits for a job.
    var isResting = false
    /// It ends with its last job: nobody is to come any more.
    var isRetired = false
    /// Its ranks are done.
    var hasEnded = false
    var hasHeir = false
    var hadCompany = false
  }

  /// What its ranks are told: the name of the lane, its term, its plan.
  let term: JobTerm
  private let state: Mutex<State>
  /// Wakes the lane's thread while it rests.
  private let bell: any ThreadGate

  /// - Parameter isFound: whether jobs other than the first may come.
  init(_ term: JobTerm, isFound: Bool) {
    self.term = term
    bell = term.driver.threads.gate()
    state = Mutex(State(isRetired: !isFound))
  }

  /// Takes a job in; nil: the lane has ended.
  func enter(_ seat: LaneSeat) -> SeatID? {
    let entered = state.withLock { state -> (SeatID, wakes: Bool)? in
      guard !state.isClosed else { return nil }
      state.numbers += 1
      let id = SeatID(state.numbers)
      if !state.entries.isEmpty { state.hadCompany = true }
      state.entries[id] = Entry(seat: seat)
      state.news.append(.joined(id, seat.session, user: seat.user))
      return (id, state.isResting)
    }
    if entered?.wakes == true { bell.signal() }
    return entered?.0
  }

  /// Returns when the job has ended. Throws `TermEnd` where the lane went first, and what the job's
  /// `choose` threw. A task that is cancelled leaves at once.
  func outcome(of id: SeatID) async throws -> FinishReason {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let early: Result<FinishReason, any Error>? = state.withLock { state in
          guard let entry = state.entries[id] else { return .failure(CancellationError()) }
          if let result = entry.result {
            state.entries[id] = nil
            return result
          }
          state.entries[id]?.waiter = continuation
          return nil
        }
        if let early { continuation.resume(with: early) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.news.append(.left(id))
        return state.entries.removeValue(forKey: id)?.waiter
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  /// Whether jobs have met here: one of them may have ended the lane for all.
  var hadCompany: Bool { state.withLock { $0.hadCompany } }

  /// The name under which ranks follow this lane's, once: they end those of the term before.
  func takeHeir() -> (JobID, Term)? {
    let isFirst = state.withLock { state in
      defer { state.hasHeir = true }
      return state.isClosed && !state.hasHeir
    }
    return isFirst ? (term.prepare.job, Term(term.prepare.term.value + 1)) : nil
  }

  /// Drives the ranks until no job is left and none has come for a while, or until the lane breaks.
  func run() async {
    do {
      try await withTaskCancellationHandler {
        try await term.run(emit: { self.emit($0) }) { runner, positions in
          var session = BatchSession(self.terms(positions: positions))
          var jobs = self
          try runner.run(&session, &jobs)
        }
      } onCancel: {
        retire()
      }
      fail(CancellationError())
    } catch {
      fail(error)
    }
    state.withLock { $0.hasEnded = true }
  }

  /// Whether it is open without a job.
  var isResting: Bool { state.withLock { $0.isResting } }

  /// Ends the lane with its last job: at once where it rests.
  func retire() {
    let wakes = state.withLock { state in
      state.isRetired = true
      return state.isResting
    }
    if wakes { bell.signal() }
  }

  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Nobody drives it, or no longer.
  func abandon() { fail(CancellationError()) }

  private func terms(positions: Int) -> LaneTerms {
    LaneTerms(
      plan: term.plan.id, term: term.prepare.term, members: term.plan.members,
      stages: term.plan.stageSizes.count, positions: positions, batch: term.prepare.batch,
      sharing: term.plan.sharing)
  }

  /// Ends all jobs that are still here.
  private func fail(_ error: any Error) {
    let waiters = state.withLock { state in
      state.isClosed = true
      let entries = state.entries
      state.entries = entries.filter { $0.value.waiter == nil }
        .mapValues { Entry(seat: $0.seat, result: $0.result ?? .failure(error)) }
      return entries.values.compactMap(\.waiter)
    }
    for waiter in waiters { waiter.resume(throwing: error) }
  }

  private func end(_ id: SeatID, _ result: Result<FinishReason, any Error>) {
    let waiter = state.withLock { state in
      guard let waiter = state.entries[id]?.waiter else {
        state.entries[id]?.result = result
        return CheckedContinuation<FinishReason, any Error>?.none
      }
      state.entries[id] = nil
      return waiter
    }
    waiter?.resume(with: result)
  }

  private func seat(_ id: SeatID) -> LaneSeat? { state.withLock { $0.entries[id]?.seat } }

  /// Tells all jobs.
  func emit(_ event: GenerationEvent) {
    for entry in state.withLock({ $0.entries }).values { entry.seat.emit(event) }
  }
}

extension Lane: LaneJobs {
  func news() -> [BatchSession.Event] {
    state.withLock { state in
      defer { state.news.removeAll(keepingCapacity: true) }
      return state.news
    }
  }

  func began(_ id: SeatID) { seat(id)?.began() }

  func shared(_ id: SeatID, positions: Int) { seat(id)?.shared(positions) }

  func choose(
    _ id: SeatID, _ votes: [VocabularyVote], _ cost: StepCost, rows: Int
  ) -> GenerationRunner.Choice? {
    guard let seat = seat(id) else { return nil }
    do {
      return try seat.choose(votes, cost, rows == 1)
    } catch {
      end(id, .failure(error))
      return nil
    }
  }

  func finished(_ id: SeatID, _ reason: FinishReason) { end(id, .success(reason)) }

  func rest(until deadline: Moment) {
    while isExpecting(), bell.wait(until: deadline) {}
    state.withLock { $0.isResting = false }
  }

  private func isExpecting() -> Bool {
    state.withLock { state in
      state.isResting = state.news.isEmpty && !state.isRetired
      return state.isResting
    }
  }

  func close() -> Bool {
    state.withLock { state in
      if state.news.isEmpty { state.isClosed = true }
      return state.isClosed
    }
  }
}
