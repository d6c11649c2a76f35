// One rank of one job, on a thread of its own: a step comes in, a forward pass runs from sum to
// sum and from stage to stage, votes go out.

public import ShoalInference
public import ShoalProtocol

/// Runs the steps of one job. Everything it needs is there before the first step.
public final class RankRunner {
  private let pass: ForwardPass
  private var votes: VoteWriter
  private let aggregator: Aggregator
  private let relay: StageRelay
  private let route: StageRoute
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
  ///   - route: this rank's place in the plan.
  ///   - links: by rank, to those that it meets on its route; nil for all others.
  ///   - distant: ranks of other cliques, which an emulated device's links are slower to.
  ///   - interruption: asked before each step; a failure is said instead of taking it.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, session: RankSession,
    route: StageRoute, links: [(any FrameLink)?], patience: StepPatience, pace: DevicePace?,
    distant: Set<Int> = [], clock: any MeshClock, threads: any ThreadSource,
    interruption: @escaping @Sendable () -> JobFailure? = { nil }
  ) {
    self.interruption = interruption
    self.session = session
    self.patience = patience
    self.clock = clock
    votes = VoteWriter(model, kernels: kernels)
    vocabularySize = model.manifest.shape.vocabulary
    let pacer = { Pacer(pace: pace, distant: $0, clock: clock, threads: threads) }
    self.pacer = pacer([])
    self.route = route
    let near = distant.filter { route.group.contains($0) }.map { $0 - route.group.lowerBound }
    aggregator = Aggregator(
      rank: route.rank - route.group.lowerBound, links: Array(links[route.group]), clock: clock,
      pacer: pacer(Set(near)))
    relay = StageRelay(route: route, links: links, clock: clock, pacer: pacer(distant))
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
        case .prepare, .connect, .step, .fetching, .ready, .result, .failed:
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
      let result = try unsafe votes.write(step, pass, into: room)
      var exchange = aggregator.takeCost()
      exchange += relay.takeCost()
      let total = start.until(clock.now())
      return result.finish(
        StepCost(
          compute: total - min(exchange.total, total), wait: exchange.link.wait,
          exchange: exchange.total - min(exchange.link.wait, exchange.total),
          bytesSent: exchange.bytesSent))
    }
  }

  private func run(from entry: PeerID) throws(JobFailure) {
    try session.accept(step, vocabulary: vocabularySize, from: entry)
    let (binding, sequence, layers) = (session.binding, step.sequence, pass.layers)
    pass.begin(tokens: step.tokens, at: step.position, logits: step.logits)
    while true {
      switch try advance() {
      case .takeOver:
        let patience = patience.forHandover(tokens: step.tokens.count, stage: route.stage)
        try relay.receive(
          pass, binding: binding, sequence: sequence, layer: layers.lowerBound,
          deadline: clock.now() + patience)
      case .sum(let index):
        try unsafe aggregator.reduce(
          pass.partial, binding: binding, sequence: sequence, index: index,
          deadline: clock.now() + patience(index))
      case .handOver:
        try relay.send(pass, binding: binding, sequence: sequence, layer: layers.upperBound)
      case .finished:
        return
      }
    }
  }

  /// For sum `index` of the step at hand.
  private func patience(_ index: Int) -> Duration {
    index == ForwardPass.handoverIndex + pass.layers.lowerBound
      ? patience.forGathering(tokens: step.tokens.count, stage: route.stage)
      : patience.forSum(tokens: step.tokens.count)
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
