// The entry's loop over steps of whole texts: the same links, the same judgement of who is gone.

internal import ShoalProtocol

extension GenerationRunner {
  /// Runs `session` until all texts have their vectors.
  ///
  /// - Parameter made: told all vectors so far after each step.
  /// - Throws: `TermEnd`. The ranks are told either way.
  func run(_ session: inout EmbeddingSession, made: ([TextVector]) -> Void) throws -> StepCost {
    defer { for link in links { try? link.send(.finish) } }
    var total = StepCost.zero
    while let step = session.next() {
      let count = step.texts.reduce(0) { $0 + $1.count }
      let deadline = clock.now() + patience.forStep(tokens: count)
      bill?.asked(.texts(step))
      let bytes = JobMessage.embed(step).bytes
      for (rank, link) in links.enumerated() {
        do { try link.send(.job, bytes) } catch { throw end(rank, lastWord(of: rank)) }
      }
      var slowest = StepCost.zero
      for rank in links.indices {
        let cost = try take(step, from: rank, &session, deadline: deadline)
        if cost.compute >= slowest.compute { slowest = cost }
      }
      total += slowest
      do {
        try session.finishStep()
      } catch {
        throw TermEnd(error, blamed: links.last.map { [$0.peer] } ?? [])
      }
      made(session.vectors)
      try bill?.check()
    }
    return total
  }

  private func take(
    _ step: EmbeddingStep, from rank: Int, _ session: inout EmbeddingSession, deadline: Moment
  ) throws -> StepCost {
    switch hear(rank, deadline: deadline) {
    case .vectors(let sequence, let vectors, let cost):
      bill?.answered(rank, vectors.lazy.map(\.hash))
      do {
        try session.take(vectors, of: rank, sequence: sequence, step: step)
      } catch {
        throw TermEnd(error, blamed: [links[rank].peer])
      }
      return cost
    case .result:
      throw end(
        rank, .failed(.protocolViolation(links[rank].peer, .invalid(field: "answer to texts"))))
    case .word(let word): throw end(rank, word)
    }
  }
}
