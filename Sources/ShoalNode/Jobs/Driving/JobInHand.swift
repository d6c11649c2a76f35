// A job as its driver holds it over all terms: what was asked, what was chosen so far.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
private import Synchronization

/// Written by the entry's thread, one term at a time; read by those who keep copies of the log.
final class JobInHand: Sendable {
  let entry: ModelEntry
  let manifest: ModelManifest
  /// Whose it is; empty: nobody said.
  let user: String
  let emit: @Sendable (GenerationEvent) -> Void
  private let chooser: TokenChooser

  private struct Progress {
    var record: JobRecord
    var hasStarted = false
    var lane: Lane?
    var isAlone = false
    /// Of the prompt's positions, those that were there already in its first term.
    var shared: Int?
    /// Of whoever waits for news of the log.
    var alarms: [Alarm] = []
  }
  private let progress: Mutex<Progress>

  /// - Parameters:
  ///   - record: what is known of the job; at its beginning, what was asked.
  ///   - shown: tokens that the client has already, and is not told again.
  init(
    record: JobRecord, options: GenerationOptions, entry: ModelEntry, manifest: ModelManifest,
    tokenizer: Tokenizer, user: String = "", shown: Int,
    emit: @escaping @Sendable (GenerationEvent) -> Void
  ) throws {
    self.entry = entry
    self.manifest = manifest
    self.user = user
    self.emit = emit
    progress = Mutex(Progress(record: record))
    let told = Mutex(0)
    chooser = try TokenChooser(
      options: options, tokenizer: tokenizer, prompt: record.order.prompt
    ) { token in
      let count = told.withLock { count in
        count += 1
        return count
      }
      if count > shown { emit(.token(token)) }
    }
  }

  var record: JobRecord { progress.withLock { $0.record } }
  var job: JobID { record.job }
  var order: GenerationOrder { record.order }
  /// The lane that it is in, or was in last.
  var lane: Lane? {
    get { progress.withLock { $0.lane } }
    set { progress.withLock { $0.lane = newValue } }
  }
  /// Whether it is to meet no other job.
  var isAlone: Bool {
    get { progress.withLock { $0.isAlone } }
    set { progress.withLock { $0.isAlone = newValue } }
  }

  /// Rings at every change of the record from now on.
  func alarm() -> Alarm {
    let alarm = Alarm()
    progress.withLock { $0.alarms.append(alarm) }
    return alarm
  }

  /// Takes in what was chosen before this peer drove the job. The reason where that was the end.
  func recall() throws -> FinishReason? {
    let record = record
    let isEnd = try chooser.recall(record.generated, digest: record.digest)
    if isEnd { return .stop }
    let isFull =
      record.generated.count >= record.order.maximumTokens
      || record.log.count >= record.order.context
    return isFull ? .length : nil
  }

  /// A term is tried.
  func attempts(_ term: Term, plan: PlanID) { change { $0.begin(term, plan: plan) } }

  /// All ranks of a term are ready.
  func began(_ term: Term, _ plan: MeshPlan) {
    start(
      term, plan.id,
      plan.report.members.map { JobMember(peer: $0.peer, sharePerMille: $0.sharePerMille) })
  }

  /// Tells the client once that the job has started, then of each further term.
  func start(_ term: Term, _ plan: PlanID, _ members: [JobMember]) {
    let isFirst = progress.withLock { progress in
      defer { progress.hasStarted = true }
      return !progress.hasStarted
    }
    emit(
      isFirst
        ? .started(
          job: job, model: entry, plan: plan, members: members, promptTokens: order.prompt)
        : .continued(term: term, plan: plan, members: members))
  }

  /// So many of its positions were there already. What later terms find there is no news.
  func shared(_ positions: Int) {
    progress.withLock { progress in
      guard progress.record.generated.isEmpty, progress.shared == nil else { return }
      progress.shared = min(positions, progress.record.order.prompt.count)
    }
  }

  /// Decides on one token, and remembers it.
  func choose(_ votes: [VocabularyVote], _ cost: StepCost) throws -> GenerationRunner.Choice {
    let choice = try chooser.choose(votes, cost)
    let digest = chooser.digest
    change { record in
      if record.order.maximumTokens > 0 { record.append(choice.token, digest: digest) }
    }
    return choice
  }

  private func change(_ edit: (inout JobRecord) -> Void) {
    let alarms = progress.withLock { progress in
      edit(&progress.record)
      return progress.alarms
    }
    for alarm in alarms { alarm.ring() }
  }

  func outcome(_ finish: FinishReason) -> GenerationOutcome {
    GenerationOutcome(
      tokens: chooser.tokens, text: chooser.text, finish: finish, digest: chooser.digest,
      sharedTokens: progress.withLock { $0.shared } ?? 0)
  }
}
