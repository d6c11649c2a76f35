// The entry's loop over the ranks of one job, on a thread of its own: sends steps, gathers votes,
// lets somebody decide on a token.

public import ShoalProtocol

/// Drives ranks that are connected. What is decided lies in `GenerationSession`; how a token is
/// chosen lies in the caller.
public struct GenerationRunner {
  /// What the caller makes of one step's votes.
  public struct Choice {
    public let token: UInt32
    public let endsText: Bool
    public init(token: UInt32, endsText: Bool) {
      self.token = token
      self.endsText = endsText
    }
  }

  private let links: [any FrameLink]
  private let patience: StepPatience
  private let clock: any MeshClock

  /// - Parameter links: to every rank, in the plan's order.
  public init(links: [any FrameLink], patience: StepPatience, clock: any MeshClock) {
    self.links = links
    self.patience = patience
    self.clock = clock
  }

  /// Runs `session`, whose ranks have all answered PREPARE, to its end.
  ///
  /// - Parameter choose: called with the votes of each sampled position, sorted by row and block.
  /// - Throws: `JobFailure`, and what `choose` throws. The ranks are told either way.
  public func run(
    _ session: inout GenerationSession,
    choose: ([VocabularyVote], StepCost) throws -> Choice
  ) throws -> FinishReason {
    defer { for link in links { try? link.send(.finish) } }
    var effects = links.indices.flatMap { session.handle(.ready(rank: $0, session.plan)) }
    while let effect = effects.popLast() {
      switch effect {
      case .send(let step):
        let bytes = JobMessage.step(step).bytes
        for link in links { try send(bytes, to: link) }
        let deadline = clock.now() + patience.forStep(tokens: step.tokens.count)
        for (rank, link) in links.enumerated() {
          effects += session.handle(event(from: link, rank: rank, deadline: deadline))
        }
      case .sample(let votes, let cost):
        let choice = try choose(votes, cost)
        effects += session.handle(.sampled(choice.token, endsText: choice.endsText))
      case .finished(let reason):
        return reason
      case .failed(let failure):
        throw failure
      }
    }
    preconditionFailure("a session that neither ended nor asked for anything")
  }

  private func send(_ step: [UInt8], to link: any FrameLink) throws {
    do {
      try link.send(.job, step)
    } catch {
      // What the rank said before it went is worth more than that it went.
      if case .failed(let failure)? = try? link.receiveJob(deadline: clock.now()) { throw failure }
      throw JobFailure.peerLost(link.peer)
    }
  }

  private func event(
    from link: any FrameLink, rank: Int, deadline: Moment
  ) -> GenerationSession.Event {
    let start = clock.now()
    do {
      switch try link.receiveJob(deadline: deadline) {
      case .result(let sequence, let votes, let cost):
        return .result(rank: rank, sequence: sequence, votes, cost)
      case .ready(let plan): return .ready(rank: rank, plan)
      case .failed(let failure): return .failed(failure)
      case .prepare, .step, .finish, .fetching:
        return .failed(.protocolViolation(link.peer, .invalid(field: "job message")))
      }
    } catch let error as WireError {
      return .failed(.protocolViolation(link.peer, error))
    } catch FrameLinkError.link(.timedOut) {
      let waited = Int((clock.now() - start).nanoseconds / 1_000_000)
      return .failed(.deadline(link.peer, milliseconds: waited))
    } catch {
      return .failed(.peerLost(link.peer))
    }
  }
}
