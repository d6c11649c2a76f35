// One rank of one job, on a thread of its own: a step comes in, a forward pass runs from sum to
// sum, votes go out.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// How long the ranks of a job may take: from the plan's own estimate, so that a slow mesh is given
/// time and a dead peer is not.
public struct StepPatience: Sendable, Hashable {
  /// What the plan says a token takes.
  public let tokenEstimate: Duration
  /// What the slowest link of the plan may take, by its prior: 10 ms desktop, 50 ms mobile.
  public let linkSlack: Duration
  /// Sums of one step.
  public let sums: Int

  public init(tokenEstimate: Duration, linkSlack: Duration = .zero, sums: Int = 0) {
    self.tokenEstimate = tokenEstimate
    self.linkSlack = linkSlack
    self.sums = sums
  }

  /// For one sum of a step of `tokens`. Ranks notice a silent one sooner than the entry does.
  public func forSum(tokens: Int) -> Duration {
    .milliseconds(1_200) + tokenEstimate * (3 * tokens) + linkSlack
  }
  /// For the whole step, as the entry waits for it.
  public func forStep(tokens: Int) -> Duration {
    .milliseconds(1_600) + tokenEstimate * (4 * tokens) + linkSlack * sums
  }
}

/// Runs the steps of one job. Everything it needs is there before the first step.
public final class RankRunner {
  private let pass: ForwardPass
  private let kernels: Kernels
  private let share: RankShare
  private let vocabulary: [Range<Int>]
  private let aggregator: Aggregator
  private var session: RankSession
  private var pacer: Pacer
  private let patience: StepPatience
  private let clock: any MeshClock
  private let vocabularySize: Int
  private let layers: Int

  /// - Parameters:
  ///   - rank: this peer's place among `links`.
  ///   - links: to every rank of the job, nil for this one.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, session: RankSession, rank: Int,
    links: [(any FrameLink)?], patience: StepPatience, pace: DevicePace?, clock: any MeshClock,
    threads: any ThreadSource
  ) {
    self.kernels = kernels
    self.session = session
    self.patience = patience
    self.clock = clock
    share = model.share
    vocabulary = model.share.vocabulary.map { model.manifest.cut.vocabularyRows($0) }
    vocabularySize = model.manifest.shape.vocabulary
    layers = model.manifest.shape.layers
    pacer = Pacer(pace: pace, clock: clock, threads: threads)
    aggregator = Aggregator(rank: rank, links: links, clock: clock, pacer: pacer)
    pass = ForwardPass(
      model: model, kernels: kernels, workers: workers, batch: session.batch,
      context: session.context)
  }

  /// Serves steps until the entry ends the job. A failure is told to the entry, then thrown.
  public func serve(_ entry: any FrameLink) throws {
    do {
      while true {
        switch try entry.receiveJob(deadline: nil) {
        case .step(let step):
          let (votes, cost) = try run(step, from: entry.peer)
          try entry.send(.result(sequence: step.sequence, votes: votes, cost: cost))
        case .finish:
          return
        case .prepare, .fetching, .ready, .result, .failed:
          throw JobFailure.protocolViolation(entry.peer, .invalid(field: "job message"))
        }
      }
    } catch let failure as JobFailure {
      try? entry.send(.failed(failure))
      throw failure
    } catch let error as WireError {
      let failure = JobFailure.protocolViolation(entry.peer, error)
      try? entry.send(.failed(failure))
      throw failure
    }
  }

  private func run(
    _ step: Step, from entry: PeerID
  ) throws(JobFailure) -> ([VocabularyVote], StepCost) {
    try session.accept(step, vocabulary: vocabularySize, from: entry)
    let start = clock.now()
    let deadline = patience.forSum(tokens: step.tokens.count)
    pass.begin(tokens: step.tokens, at: step.position, logits: step.logits)
    var isDone = false
    while !isDone {
      switch try advance() {
      case .sum(let index):
        try unsafe aggregator.reduce(
          pass.partial, binding: session.binding, sequence: step.sequence, index: index,
          deadline: clock.now() + deadline)
      case .finished:
        isDone = true
      }
    }
    let votes = try votes(step)
    var cost = aggregator.takeCost()
    cost.compute =
      UInt64((clock.now() - start).nanoseconds)
      - min(
        cost.exchange + cost.wait, UInt64((clock.now() - start).nanoseconds))
    return (votes, cost)
  }

  private func advance() throws(JobFailure) -> ForwardPass.Need {
    let start = clock.now()
    do {
      let need = try pass.advance()
      pacer.finish(pass.work, since: start)
      return need
    } catch {
      switch error {
      case .notFinite(let layer), .outOfRange(let layer): throw .numericRange(layer: layer)
      }
    }
  }

  // MARK: Votes

  /// What each vocabulary block of this rank says. Of all blocks together only the rank's best
  /// candidates travel: no other can be among the best of the mesh.
  private func votes(_ step: Step) throws(JobFailure) -> [VocabularyVote] {
    var votes: [VocabularyVote] = []
    for row in 0..<pass.logitRows {
      var summaries: [VocabularySummary] = []
      for index in vocabulary.indices {
        do {
          summaries.append(
            try unsafe VocabularySummary(
              logits: pass.logits(row: row, block: index),
              firstToken: vocabulary[index].lowerBound, keeping: step.candidates,
              kernels: kernels))
        } catch {
          throw .numericRange(layer: layers)
        }
      }
      let kept = Set(
        summaries.flatMap(\.candidates)
          .sorted { ($1.logit, $0.token) < ($0.logit, $1.token) }
          .prefix(step.candidates).map(\.token))
      for (index, summary) in summaries.enumerated() {
        votes.append(vote(step, row: row, index: index, summary: summary, kept: kept))
      }
    }
    return votes
  }

  private func vote(
    _ step: Step, row: Int, index: Int, summary: VocabularySummary, kept: Set<Int>
  ) -> VocabularyVote {
    let logits = unsafe pass.logits(row: row, block: index)
    return VocabularyVote(
      block: share.vocabulary[index], row: row, maximum: summary.maximum,
      exponentials: summary.sumOfExponentials,
      hash: unsafe BLAKE2b.hash(UnsafeRawBufferPointer(logits)),
      candidates: summary.candidates.filter { kept.contains($0.token) }.map {
        TokenCandidate(token: UInt32($0.token), logit: $0.logit)
      },
      slice: step.slices ? unsafe Array(logits) : [])
  }
}
