// A job as its driver holds it over all terms: what was asked, what was chosen so far.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
private import Synchronization

/// Written by the entry's thread, one term at a time; read by whoever keeps a copy of the log.
final class JobInHand: Sendable {
  let entry: ModelEntry
  let manifest: ModelManifest
  let order: GenerationOrder
  let objective: PlanObjective
  let job: JobID
  let emit: @Sendable (GenerationEvent) -> Void
  private let chooser: TokenChooser

  private struct Progress {
    /// Prompt, then what was chosen.
    var log: [UInt32]
    var hasStarted = false
  }
  private let progress: Mutex<Progress>

  init(
    entry: ModelEntry, manifest: ModelManifest, tokenizer: Tokenizer, job: JobID,
    order: GenerationOrder, objective: PlanObjective, options: GenerationOptions,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) {
    self.entry = entry
    self.manifest = manifest
    self.order = order
    self.objective = objective
    self.job = job
    self.emit = emit
    progress = Mutex(Progress(log: order.prompt))
    chooser = TokenChooser(
      options: options, tokenizer: tokenizer, promptCount: order.prompt.count
    ) { emit(.token($0)) }
  }

  var log: [UInt32] { progress.withLock { $0.log } }

  /// All ranks of a term are ready.
  func began(_ term: Term, _ plan: MeshPlan) {
    let members = plan.report.members.map {
      JobMember(peer: $0.peer, sharePerMille: $0.sharePerMille)
    }
    let isFirst = progress.withLock { progress in
      defer { progress.hasStarted = true }
      return !progress.hasStarted
    }
    emit(
      isFirst
        ? .started(
          job: job, model: entry, plan: plan.id, members: members, promptTokens: order.prompt)
        : .continued(term: term, plan: plan.id, members: members))
  }

  /// Decides on one token, and remembers it.
  func choose(_ votes: [VocabularyVote], _ cost: StepCost) throws -> GenerationRunner.Choice {
    let choice = try chooser.choose(votes, cost)
    if order.maximumTokens > 0 { progress.withLock { $0.log.append(choice.token) } }
    return choice
  }

  func outcome(_ finish: FinishReason) -> GenerationOutcome {
    GenerationOutcome(
      tokens: chooser.tokens, text: chooser.text, finish: finish, digest: chooser.digest)
  }
}
