// PREPARE to all ranks of a term, their answers, and the word that they are to connect.

internal import ShoalProtocol

/// On the entry's thread.
struct PrepareRound: Sendable {
  let links: [any FrameLink]
  let entry: PeerID
  let plan: PlanID
  let clock: any MeshClock

  /// Returns when every rank has what it needs: the positions that all of them hold keys and values
  /// for. Throws `TermEnd`.
  func run(_ prepare: Prepare, emit: @Sendable (GenerationEvent) -> Void) throws -> Int {
    for (rank, link) in links.enumerated() {
      do { try link.send(.prepare(prepare)) } catch { throw end(rank, .closed) }
    }
    var positions = prepare.positions
    for rank in links.indices {
      positions = min(positions, try awaitReady(rank, least: prepare.context, emit: emit))
    }
    for (rank, link) in links.enumerated() {
      do { try link.send(.connect) } catch { throw end(rank, .closed) }
    }
    return positions
  }

  private func awaitReady(
    _ rank: Int, least: Int, emit: @Sendable (GenerationEvent) -> Void
  ) throws -> Int {
    let link = links[rank]
    // A rank of this process cannot die alone, and beats late where the machine is busy.
    let silence = link.peer == entry ? Limits.connectSilence : Limits.prepareSilence
    while true {
      let message: JobMessage
      do {
        message = try link.receiveJob(deadline: clock.now() + silence)
      } catch FrameLinkError.link(.timedOut) {
        throw end(rank, .silent(milliseconds: Int(silence.nanoseconds / 1_000_000)))
      } catch {
        throw end(rank, .closed)
      }
      switch message {
      case .fetching(_, 0): break
      case .fetching(let remaining, let total):
        emit(.fetching(link.peer, remaining: ByteCount(remaining), total: ByteCount(total)))
      case .ready(let theirs, let positions):
        guard theirs == plan else {
          throw end(rank, .failed(.planDiffers(mine: plan, yours: theirs)))
        }
        guard positions >= least else {
          throw end(
            rank, .failed(.protocolViolation(link.peer, .invalid(field: "positions"))))
        }
        return positions
      case .failed(let failure): throw end(rank, .failed(failure))
      case .prepare, .connect, .step, .finish, .rest, .result, .embed, .embedded:
        throw end(
          rank, .failed(.protocolViolation(link.peer, .invalid(field: "answer to PREPARE"))))
      }
    }
  }

  private func end(_ rank: Int, _ word: RankWord) -> TermEnd {
    var words = [RankWord](repeating: .unasked, count: links.count)
    words[rank] = word
    return TermEnd(words: words, members: links.map(\.peer), entry: entry)
  }
}
