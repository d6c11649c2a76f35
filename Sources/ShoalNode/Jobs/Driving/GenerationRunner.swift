// The entry's loop over the ranks of one term, on a thread of its own: sends steps, gathers votes,
// lets somebody decide on a token, and finds out who is gone.

public import ShoalProtocol

/// Drives ranks that are connected. What is decided lies in `GenerationSession`; how a token is
/// chosen lies in the caller.
public struct GenerationRunner: Sendable {
  /// What the caller makes of one step's votes.
  public struct Choice {
    public let token: UInt32
    public let endsText: Bool
    public init(token: UInt32, endsText: Bool) {
      self.token = token
      self.endsText = endsText
    }
  }

  let links: [any FrameLink]
  private let entry: PeerID
  let patience: StepPatience
  let clock: any MeshClock

  /// - Parameters:
  ///   - links: to every rank, in the plan's order.
  ///   - entry: this peer, which may be a rank as well.
  public init(
    links: [any FrameLink], entry: PeerID, patience: StepPatience, clock: any MeshClock
  ) {
    self.links = links
    self.entry = entry
    self.patience = patience
    self.clock = clock
  }

  /// Runs `session`, whose ranks have all answered PREPARE, to its end.
  ///
  /// - Parameter choose: called with the votes of each sampled position, sorted by row and block.
  /// - Throws: `TermEnd`, and what `choose` throws. The ranks are told either way.
  public func run(
    _ session: inout GenerationSession,
    choose: ([VocabularyVote], StepCost) throws -> Choice
  ) throws -> FinishReason {
    defer { for link in links { try? link.send(.finish) } }
    var patience = patience
    var effects = links.indices.flatMap { session.handle(.ready(rank: $0, session.plan)) }
    while let effect = effects.popLast() {
      switch effect {
      case .send(let step):
        let start = clock.now()
        let deadline = start + patience.forStep(tokens: step.tokens.count)
        effects += try exchange(step, &session, deadline: deadline)
        patience.note(tokens: step.tokens.count, took: clock.now() - start)
      case .sample(let votes, let cost):
        let choice = try choose(votes, cost)
        effects += session.handle(.sampled(choice.token, endsText: choice.endsText))
      case .finished(let reason):
        return reason
      case .failed(let failure):
        throw TermEnd(failure)
      }
    }
    preconditionFailure("a session that neither ended nor asked for anything")
  }

  /// One step to all ranks, and all their answers.
  private func exchange(
    _ step: Step, _ session: inout GenerationSession, deadline: Moment
  ) throws -> [GenerationSession.Effect] {
    let bytes = JobMessage.step(step).bytes
    for (rank, link) in links.enumerated() {
      do { try link.send(.job, bytes) } catch { throw end(rank, lastWord(of: rank)) }
    }
    var effects: [GenerationSession.Effect] = []
    for rank in links.indices {
      switch hear(rank, deadline: deadline) {
      case .result(let sequence, let votes, let cost):
        effects += session.handle(.result(rank: rank, sequence: sequence, votes, cost))
        if case .failed(let failure)? = effects.last {
          throw TermEnd(failure, blamed: [links[rank].peer])
        }
      case .vectors:
        throw end(
          rank, .failed(.protocolViolation(links[rank].peer, .invalid(field: "answer to a step"))))
      case .word(let word): throw end(rank, word)
      }
    }
    return effects
  }

  // MARK: What a rank says

  enum Heard {
    case result(UInt32, [VocabularyVote], StepCost)
    case vectors(UInt32, [TextVector], StepCost)
    case word(RankWord)
  }

  func hear(_ rank: Int, deadline: Moment) -> Heard {
    let link = links[rank]
    let start = clock.now()
    do {
      switch try link.receiveJob(deadline: deadline) {
      case .result(let sequence, let votes, let cost): return .result(sequence, votes, cost)
      case .failed(let failure): return .word(.failed(failure))
      case .embedded(let sequence, let vectors, let cost):
        return .vectors(sequence, vectors, cost)
      case .prepare, .connect, .step, .finish, .fetching, .ready, .embed:
        return .word(.failed(.protocolViolation(link.peer, .invalid(field: "job message"))))
      }
    } catch let error as WireError {
      return .word(.failed(.protocolViolation(link.peer, error)))
    } catch FrameLinkError.link(.timedOut) {
      return .word(.silent(milliseconds: Int((clock.now() - start).nanoseconds / 1_000_000)))
    } catch {
      return .word(.closed)
    }
  }

  /// What a rank said before it went is worth more than that it went.
  func lastWord(of rank: Int) -> RankWord {
    if case .word(.failed(let failure)) = hear(rank, deadline: clock.now()) {
      return .failed(failure)
    }
    return .closed
  }

  /// Whom the first word accuses has that long to show that it lives; the others less, together
  /// no more than twice as long.
  private static let grace = Duration.milliseconds(30)

  /// Asks the others, after `rank` had the first word, and judges. The links serve no further.
  func end(_ rank: Int, _ word: RankWord) -> TermEnd {
    var words = [RankWord](repeating: .unasked, count: links.count)
    words[rank] = word
    let first = accused(by: word)
    if let first, words[first] == .unasked {
      words[first] = ask(first, until: clock.now() + Self.grace)
    }
    let limit = clock.now() + Self.grace
    for other in links.indices where words[other] == .unasked {
      words[other] = ask(other, until: min(limit, clock.now() + .milliseconds(2)))
      // Silence for so short a time says nothing of whom nobody accused.
      if case .silent = words[other] { words[other] = .unasked }
    }
    return TermEnd(words: words, members: links.map(\.peer), entry: entry)
  }

  private func accused(by word: RankWord) -> Int? {
    guard case .failed(let failure) = word, let peer = failure.lostPeer else { return nil }
    return links.firstIndex { $0.peer == peer }
  }

  private func ask(_ rank: Int, until deadline: Moment) -> RankWord {
    switch hear(rank, deadline: deadline) {
    case .result, .vectors: .answered
    case .word(let word): word
    }
  }
}

extension JobFailure {
  /// The peer that a failure says is gone.
  var lostPeer: PeerID? {
    switch self {
    case .peerLost(let peer), .deadline(let peer, _): peer
    case _: nil
    }
  }
}
