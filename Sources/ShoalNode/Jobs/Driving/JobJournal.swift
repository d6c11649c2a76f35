// Tells the journal of one job, by what its client is told.

internal import ShoalLedger
internal import ShoalProtocol
internal import Synchronization

/// Stands between a job and its client.
final class JobJournal: Sendable {
  private let journal: Journal
  private let emit: @Sendable (GenerationEvent) -> Void
  /// The first digits of the job's id.
  private let job = Mutex("")

  init(_ journal: @escaping Journal, _ emit: @escaping @Sendable (GenerationEvent) -> Void) {
    self.journal = journal
    self.emit = emit
  }

  /// What `body` does, with its beginning and its end written down.
  func noting(
    _ body: (_ emit: @escaping @Sendable (GenerationEvent) -> Void) async throws
      -> GenerationOutcome
  ) async throws -> GenerationOutcome {
    do {
      let outcome = try await body { self.note($0) }
      journal(.job(.ended(name, tokens: outcome.tokens.count, outcome.finish)))
      return outcome
    } catch {
      journal(.job(.failed(name, JobTrouble(error))))
      throw error
    }
  }

  private var name: String { job.withLock { $0 } }

  private func note(_ event: GenerationEvent) {
    switch event {
    case .started(let id, let model, _, let members, let prompt):
      job.withLock { $0 = id.short }
      journal(
        .job(
          .started(
            id.short, model: model.model.short, peers: members.count, promptTokens: prompt.count)))
    case .continued(let term, _, let members):
      journal(.job(.continued(name, term: term.value, peers: members.count)))
    case .interrupted(let failure, let blamed):
      journal(.job(.interrupted(name, failure, blamed: blamed)))
    case .fetching, .token, .witnesses: break
    }
    emit(event)
  }
}

extension JobTrouble {
  init(_ error: any Error) {
    switch error {
    case is CancellationError: self = .cancelled
    case let error as PlanError: self = .plan(error)
    case NodeError.failed(let failure): self = .failure(failure)
    case _: self = .refused
    }
  }
}
