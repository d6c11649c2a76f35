// One rank of one job, on a thread of its own: a step comes in, a forward pass runs from sum to
// sum, votes go out.

public import ShoalInference
public import ShoalProtocol

/// Runs the steps of one job. Everything it needs is there before the first step.
public final class RankRunner {
  private let pass: ForwardPass
  private var votes: VoteWriter
  private let aggregator: Aggregator
  private var session: RankSession
  private var pacer: Pacer
  private var patience: StepPatience
  private let clock: any MeshClock
  private let vocabularySize: Int
  /// The bytes of the last message and the last step: the next are read into the same memory.
  private var inbox: [UInt8] = []
  private var step = Step()
  private let interruption: @Sendable () -> JobFailure?

  /// - Parameters:
  ///   - rank: this peer's place among `links`.
  ///   - links: to every rank of the job, nil for this one.
  ///   - interruption: asked before each step; a failure is said instead of taking it.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, session: RankSession, rank: Int,
    links: [(any FrameLink)?], patience: StepPatience, pace: DevicePace?, clock: any MeshClock,
    threads: any ThreadSource, interruption: @escaping @Sendable () -> JobFailure? = { nil }
  ) {
    self.interruption = interruption
    self.session = session
    self.patience = patience
    self.clock = clock
    votes = VoteWriter(model, kernels: kernels)
    vocabularySize = model.manifest.shape.vocabulary
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
        let frame = try entry.receive(deadline: nil)
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
    try run(from: entry.peer)
    patience.note(tokens: step.tokens.count, took: clock.now() - start)
    try unsafe entry.send(.job, capacity: votes.capacity(step, rows: pass.logitRows)) { room in
      try unsafe votes.write(step, pass, into: room).finish(cost(since: start))
    }
  }

  /// Makes vectors of some texts and sends them.
  private func answer(_ texts: EmbeddingStep, _ entry: any FrameLink) throws {
    let start = clock.now()
    let positions = texts.texts.reduce(0) { $0 + TextLayout.positions(tokens: $1.count) }
    try session.accept(
      texts, positions: positions, vocabulary: vocabularySize, from: entry.peer)
    pass.begin(texts: texts.texts)
    try reduceSums(
      sequence: texts.sequence, tokens: texts.texts.reduce(0) { $0 + $1.count })
    let vectors = try TextVector.all(texts, pass)
    try entry.send(
      .embedded(sequence: texts.sequence, vectors, cost: cost(since: start)))
  }

  private func cost(since start: Moment) -> StepCost {
    let exchange = aggregator.takeCost()
    let total = start.until(clock.now())
    return StepCost(
      compute: total - min(exchange.total, total), wait: exchange.link.wait,
      exchange: exchange.total - min(exchange.link.wait, exchange.total),
      bytesSent: exchange.bytesSent)
  }

  private func run(from entry: PeerID) throws(JobFailure) {
    try session.accept(step, vocabulary: vocabularySize, from: entry)
    pass.begin(tokens: step.tokens, at: step.position, logits: step.logits)
    try reduceSums(sequence: step.sequence, tokens: step.tokens.count)
  }

  /// Runs the pass from sum to sum to its end.
  private func reduceSums(sequence: UInt32, tokens: Int) throws(JobFailure) {
    let patience = patience.forSum(tokens: tokens)
    while case .sum(let index) = try advance() {
      try unsafe aggregator.reduce(
        pass.partial, binding: session.binding, sequence: sequence, index: index,
        deadline: clock.now() + patience)
    }
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
}
