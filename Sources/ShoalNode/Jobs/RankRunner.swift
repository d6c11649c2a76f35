// One rank of one lane, on a thread of its own: a step comes in, a forward pass runs from sum to
// sum and from stage to stage, votes go out.

public import ShoalInference
public import ShoalProtocol

/// Runs the steps of one lane. Everything it needs is there before the first step.
public final class RankRunner {
  private let pass: ForwardPass
  private var sequences: SequencePool
  /// What texts share, where vectors are asked for.
  private var texts: SequenceCache?
  private var votes: VoteWriter
  private let aggregator: Aggregator
  private let relay: StageRelay
  private let route: StageRoute
  private var session: RankSession
  private var pacer: Pacer
  private var patience: StepPatience
  private let clock: any MeshClock
  private let vocabularySize: Int
  private let tokenTypes: Int
  /// The bytes of the last message and the last step: the next are read into the same memory.
  private var inbox: [UInt8] = []
  private var step = BatchStep()
  private var spans: [PassSpan] = []
  /// Counts what this rank is paid for; nil: nobody pays.
  var served: ServedRank?
  /// Recomputes some of what others say; nil: nothing.
  package var auditor: RankAuditor?
  private let interruption: @Sendable () -> JobFailure?
  private let rests: @Sendable (Bool) -> Void
  private let told: @Sendable (_ bytes: UInt64, _ took: Duration) -> Void
  /// Bytes of weights and cache that the step under way has read.
  private var bytesRead: UInt64 = 0

  /// - Parameters:
  ///   - route: this rank's place in the plan.
  ///   - links: by rank, to those that it meets on its route; nil for all others.
  ///   - distant: ranks of other cliques, which an emulated device's links are slower to.
  ///   - interruption: asked before each step; a failure is said instead of taking it.
  ///   - rests: told when the lane has no jobs for a while, and when it has some again.
  ///   - told: what computing a step of one token read and took.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, session: RankSession,
    route: StageRoute, links: [(any FrameLink)?], patience: StepPatience, pace: DevicePace?,
    distant: Set<Int> = [], clock: any MeshClock, threads: any ThreadSource,
    interruption: @escaping @Sendable () -> JobFailure? = { nil },
    rests: @escaping @Sendable (Bool) -> Void = { _ in },
    told: @escaping @Sendable (_ bytes: UInt64, _ took: Duration) -> Void = { _, _ in }
  ) {
    self.interruption = interruption
    self.rests = rests
    self.told = told
    self.session = session
    self.patience = patience
    self.clock = clock
    votes = VoteWriter(model, kernels: kernels)
    vocabularySize = model.manifest.shape.vocabulary
    tokenTypes = model.manifest.shape.embedding.tokenTypes
    let pacer = { Pacer(pace: pace, distant: $0, clock: clock, threads: threads) }
    self.pacer = pacer([])
    self.route = route
    let near = distant.filter { route.group.contains($0) }.map { $0 - route.group.lowerBound }
    aggregator = Aggregator(
      rank: route.rank - route.group.lowerBound, links: Array(links[route.group]), clock: clock,
      pacer: pacer(Set(near)))
    relay = StageRelay(route: route, links: links, clock: clock, pacer: pacer(distant))
    pass = ForwardPass(
      model: model, kernels: kernels, workers: workers, batch: session.batch)
    sequences = SequencePool(pass, slots: Limits.laneSlots, positions: session.positions)
  }

  /// Serves steps until the entry ends the job. A failure is told to the entry, then thrown.
  public func serve(_ entry: any FrameLink) throws {
    do {
      var isResting = false
      while true {
        let silence = isResting ? Limits.laneRest + Limits.stepSilence : Limits.stepSilence
        let frame = try entry.receive(deadline: clock.now() + silence)
        if isResting { rests(false) }
        isResting = false
        guard frame.type == .job else { throw FrameLinkError.unexpected(frame.type) }
        inbox.removeAll(keepingCapacity: true)
        unsafe inbox.append(contentsOf: frame.payload)
        if try step.read(message: inbox) {
          if let failure = interruption() { throw failure }
          try answer(entry)
          continue
        }
        switch try JobMessage(bytes: inbox) {
        case .finish:
          return
        case .rest:
          isResting = true
          rests(true)
        case .embed(let texts):
          if let failure = interruption() { throw failure }
          try answer(texts, entry)
        case .prepare, .connect, .step, .fetching, .ready, .result, .embedded, .failed:
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

  /// Runs `step` and sends its votes.
  private func answer(_ entry: any FrameLink) throws {
    let start = clock.now()
    bytesRead = 0
    try run(from: entry.peer)
    patience.note(tokens: step.tokens.count, took: clock.now() - start)
    try unsafe entry.send(.job, capacity: votes.capacity(step)) { room in
      let result = try unsafe votes.write(step, pass, into: room)
      let cost = cost(since: start)
      served?.done(.batch(step), results: votes.hashes)
      // An audit's time says nothing of the device.
      if step.tokens.count == 1, auditor?.isBusy != true {
        told(bytesRead, .nanoseconds(Int64(cost.compute)))
      }
      return result.finish(cost)
    }
  }

  /// Makes vectors of some texts and sends them.
  private func answer(_ texts: EmbeddingStep, _ entry: any FrameLink) throws {
    let start = clock.now()
    let positions = texts.texts.reduce(0) { $0 + TextLayout.positions(tokens: $1.count) }
    try session.accept(
      texts, positions: positions, vocabulary: vocabularySize, tokenTypes: tokenTypes,
      from: entry.peer)
    let sequence = self.texts ?? pass.makeSequence(context: session.positions)
    self.texts = sequence
    pass.begin(texts: texts.texts, in: sequence)
    try exchange(
      sequence: texts.sequence, tokens: texts.texts.reduce(0) { $0 + $1.count })
    let vectors = try TextVector.all(texts, pass)
    served?.done(.texts(texts), results: vectors.map(\.hash))
    try entry.send(
      .embedded(sequence: texts.sequence, vectors, cost: cost(since: start)))
  }

  private func cost(since start: Moment) -> StepCost {
    var exchange = aggregator.takeCost()
    exchange += relay.takeCost()
    let total = start.until(clock.now())
    return StepCost(
      compute: total - min(exchange.total, total), wait: exchange.link.wait,
      exchange: exchange.total - min(exchange.link.wait, exchange.total),
      bytesSent: exchange.bytesSent)
  }

  private func run(from entry: PeerID) throws(JobFailure) {
    try session.accept(step, vocabulary: vocabularySize, from: entry)
    for slot in step.closed { sequences.close(slot) }
    spans.removeAll(keepingCapacity: true)
    for span in step.spans {
      if span.begins { sequences.open(span.slot, context: span.context) }
      if let source = span.source {
        guard sequences.copy(span.position, from: source, to: span.slot) else {
          throw .protocolViolation(entry, .invalid(field: "source"))
        }
      }
      guard let sequence = sequences[span.slot] else { continue }
      spans.append(
        PassSpan(sequence, at: span.position, count: span.count, logits: span.logits))
    }
    pass.begin(spans, tokens: step.tokens)
    try exchange(sequence: step.sequence, tokens: step.tokens.count)
  }

  /// Runs the pass from sum to sum, and from stage to stage, to its end.
  private func exchange(sequence: UInt32, tokens: Int) throws(JobFailure) {
    let (binding, layers) = (session.binding, pass.layers)
    auditor?.beginStep(sequence)
    while true {
      switch try advance() {
      case .takeOver:
        let patience = patience.forHandover(tokens: tokens, stage: route.stage)
        try relay.receive(
          pass, binding: binding, sequence: sequence, layer: layers.lowerBound,
          deadline: clock.now() + patience)
      case .sum(let index):
        let kept = auditor?.awaited(index)
        try unsafe aggregator.reduce(
          pass.partial, binding: binding, sequence: sequence, index: index,
          deadline: clock.now() + patience(index, tokens: tokens), keeping: kept)
        // Before this rank says anything that the step's tokens could be chosen from.
        if let kept { try unsafe auditor?.check(kept, pass.residualRows) }
      case .handOver:
        try relay.send(pass, binding: binding, sequence: sequence, layer: layers.upperBound)
      case .finished:
        return
      }
    }
  }

  /// For sum `index` of the step at hand.
  private func patience(_ index: Int, tokens: Int) -> Duration {
    index == ForwardPass.handoverIndex + pass.layers.lowerBound
      ? patience.forGathering(tokens: tokens, stage: route.stage) : patience.forSum(tokens: tokens)
  }

  private func advance() throws(JobFailure) -> ForwardPass.Need {
    let start = clock.now()
    do {
      let need = try pass.advance()
      bytesRead += pass.work.bytes
      pacer.finish(pass.work, since: start)
      return need
    } catch {
      throw JobFailure(error)
    }
  }
}
