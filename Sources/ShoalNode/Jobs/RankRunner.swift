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
  private let told: @Sendable (_ bytes: UInt64, _ took: Duration) -> Void
  /// Bytes of weights and cache that the step under way has read.
  private var bytesRead: UInt64 = 0

  /// - Parameters:
  ///   - rank: this peer's place among `links`.
  ///   - links: to every rank of the job, nil for this one.
  ///   - interruption: asked before each step; a failure is said instead of taking it.
  ///   - told: what computing a step of one token read and took.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, session: RankSession, rank: Int,
    links: [(any FrameLink)?], patience: StepPatience, pace: DevicePace?, clock: any MeshClock,
    threads: any ThreadSource, interruption: @escaping @Sendable () -> JobFailure? = { nil },
    told: @escaping @Sendable (_ bytes: UInt64, _ took: Duration) -> Void = { _, _ in }
  ) {
    self.interruption = interruption
    self.told = told
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
    bytesRead = 0
    try run(from: entry.peer)
    patience.note(tokens: step.tokens.count, took: clock.now() - start)
    try unsafe entry.send(.job, capacity: votes.capacity(step, rows: pass.logitRows)) { room in
      let result = try unsafe votes.write(step, pass, into: room)
      let exchange = aggregator.takeCost()
      let total = start.until(clock.now())
      if step.tokens.count == 1 {
        told(bytesRead, .nanoseconds(Int64(total - min(exchange.total, total))))
      }
      return result.finish(
        StepCost(
          compute: total - min(exchange.total, total), wait: exchange.link.wait,
          exchange: exchange.total - min(exchange.link.wait, exchange.total),
          bytesSent: exchange.bytesSent))
    }
  }

  private func run(from entry: PeerID) throws(JobFailure) {
    try session.accept(step, vocabulary: vocabularySize, from: entry)
    let patience = patience.forSum(tokens: step.tokens.count)
    pass.begin(tokens: step.tokens, at: step.position, logits: step.logits)
    while case .sum(let index) = try advance() {
      try unsafe aggregator.reduce(
        pass.partial, binding: session.binding, sequence: step.sequence, index: index,
        deadline: clock.now() + patience)
    }
  }

  private func advance() throws(JobFailure) -> ForwardPass.Need {
    let start = clock.now()
    do {
      let need = try pass.advance()
      bytesRead += pass.work.bytes
      pacer.finish(pass.work, since: start)
      return need
    } catch {
      switch error {
      case .notFinite(let layer), .outOfRange(let layer): throw .numericRange(layer: layer)
      }
    }
  }
}
