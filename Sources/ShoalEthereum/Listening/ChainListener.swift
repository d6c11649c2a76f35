// Follows the logs of contracts on a chain that reorganises: every log once, in order, undone when
// its block goes, final when enough blocks follow. Decides what to ask next; somebody else asks.

public import ShoalProtocol

public struct ChainListener: Sendable {
  /// A block that may still go, with its logs.
  public struct Recent: Hashable, Sendable {
    public let block: ChainBlock
    public let logs: [ChainLog]

    public init(block: ChainBlock, logs: [ChainLog]) { (self.block, self.logs) = (block, logs) }
  }

  /// Everything that a listener goes on from. Kept together with what its events led to, in one
  /// transaction: then a restart repeats nothing and skips nothing.
  public struct Checkpoint: Hashable, Sendable {
    /// The last final block. Its hash is nil before the first was seen.
    public var anchor: UInt64
    public var anchorHash: Bytes32?
    /// Blocks after it, each the parent of the next.
    public var recent: [Recent]

    /// Begins behind block `anchor`.
    public init(anchor: UInt64, anchorHash: Bytes32? = nil, recent: [Recent] = []) {
      (self.anchor, self.anchorHash, self.recent) = (anchor, anchorHash, recent)
    }
  }

  /// Blocks that follow one that is final.
  public let confirmations: UInt64
  public private(set) var checkpoint: Checkpoint
  public private(set) var halt: ListenerHalt?
  /// Blocks of one range.
  private var span: UInt64
  private var step = Step.resting

  /// The longest range that is asked for.
  public static let spanLimit: UInt64 = 2_000
  /// Logs of one answer; a node that sends more is not believed.
  public static let logLimit = 65_536

  private enum Step: Hashable, Sendable {
    /// Nothing to ask until the next poll.
    case resting
    case head
    /// Whether the anchor is still on the chain.
    case anchor(head: UInt64)
    /// The last block of a range of final ones, then the range's logs.
    case rangeEnd(UInt64, head: UInt64)
    case range(ChainBlock, head: UInt64)
    /// Whether the newest recent block is still on the chain.
    case tip(head: UInt64)
    case next(UInt64, head: UInt64)
    case logs(ChainBlock, head: UInt64)
  }

  public init(from checkpoint: Checkpoint, confirmations: UInt64, span: UInt64 = 500) {
    self.checkpoint = checkpoint
    self.confirmations = confirmations
    self.span = min(max(1, span), ChainListener.spanLimit)
  }

  /// Begins to look for news. A poll that is under way goes on.
  public mutating func poll() {
    if step == .resting, halt == nil { step = .head }
  }

  /// What to ask now; nil: nothing until the next poll.
  public var question: ChainQuestion? {
    switch step {
    case .resting: nil
    case .head: .head
    case .anchor: .block(checkpoint.anchor)
    case .rangeEnd(let number, _): .block(number)
    case .range(let end, _): .logs(checkpoint.anchor + 1...end.number)
    case .tip: .block(checkpoint.recent.last?.block.number ?? checkpoint.anchor)
    case .next(let number, _): .block(number)
    case .logs(let block, _): .logsOf(block.hash)
    }
  }

  /// Takes the answer to `question`. The events, and `checkpoint`, are to be kept before the next
  /// question is asked. An answer of another kind ends the poll, as does a node that fails.
  public mutating func take(_ answer: ChainAnswer) -> [ChainEvent] {
    let asked = step
    step = .resting
    switch (asked, answer) {
    case (.head, .head(let head)):
      step = .anchor(head: head)
    case (.anchor(let head), .block(let block)):
      check(anchor: block, head: head)
    case (.rangeEnd(let number, let head), .block(let block?)) where block.number == number:
      step = .range(block, head: head)
    case (.range(let end, let head), .logs(let logs)):
      return takeRange(logs, to: end, head: head)
    case (.range(_, let head), .rangeTooLong):
      guard span > 1 else { return [] }
      span /= 2
      step = nextRange(head: head)
    case (.tip(let head), .block(let block)):
      return takeTip(block, head: head)
    case (.next(let number, let head), .block(let block?)) where block.number == number:
      // It follows another block than the one here: the next poll undoes that.
      if block.parent == parentOfNext ?? block.parent { step = .logs(block, head: head) }
    case (.logs(let block, let head), .logs(let logs)):
      return extend(block, logs, head: head)
    case _: break
    }
    return []
  }

  // MARK: Final blocks

  private mutating func check(anchor block: ChainBlock?, head: UInt64) {
    guard block == nil || block?.number == checkpoint.anchor else { return }
    if let was = checkpoint.anchorHash {
      // A node that lags behind knows the block not yet: that says nothing.
      guard let block else {
        if head >= checkpoint.anchor + confirmations {
          halt = .finalBlockChanged(number: checkpoint.anchor, was: was, is: nil)
        }
        return
      }
      guard block.hash == was else {
        halt = .finalBlockChanged(number: checkpoint.anchor, was: was, is: block.hash)
        return
      }
    } else {
      checkpoint.anchorHash = block?.hash
    }
    step = nextRange(head: head)
  }

  /// While no block is recent, whole ranges of final ones are read.
  private func nextRange(head: UInt64) -> Step {
    let lastFinal = head - min(head, confirmations)
    guard checkpoint.recent.isEmpty, checkpoint.anchor < lastFinal else { return .tip(head: head) }
    return .rangeEnd(min(checkpoint.anchor + span, lastFinal), head: head)
  }

  private mutating func takeRange(
    _ logs: [ChainLog], to end: ChainBlock, head: UInt64
  ) -> [ChainEvent] {
    guard isOrdered(logs),
      logs.allSatisfy({ $0.block > checkpoint.anchor && $0.block <= end.number })
    else { return [] }
    checkpoint.anchor = end.number
    checkpoint.anchorHash = end.hash
    span = min(span * 2, ChainListener.spanLimit)
    step = nextRange(head: head)
    return logs.flatMap { [.seen($0), .final($0)] }
  }

  // MARK: Recent blocks

  private mutating func takeTip(_ block: ChainBlock?, head: UInt64) -> [ChainEvent] {
    guard let last = checkpoint.recent.last, block?.hash != last.block.hash else {
      return catchUp(head: head)
    }
    checkpoint.recent.removeLast()
    step = .tip(head: head)
    return last.logs.reversed().map { .undone($0) }
  }

  /// Goes on block by block; or, far behind, where all that is recent has become final, by ranges.
  private mutating func catchUp(head: UInt64) -> [ChainEvent] {
    guard let last = checkpoint.recent.last,
      head - min(head, last.block.number) > confirmations + span
    else {
      step = nextBlock(head: head)
      return []
    }
    let events = checkpoint.recent.flatMap { $0.logs.map { ChainEvent.final($0) } }
    checkpoint = Checkpoint(anchor: last.block.number, anchorHash: last.block.hash)
    step = nextRange(head: head)
    return events
  }

  private var parentOfNext: Bytes32? {
    checkpoint.recent.last?.block.hash ?? checkpoint.anchorHash
  }

  private func nextBlock(head: UInt64) -> Step {
    let number = (checkpoint.recent.last?.block.number ?? checkpoint.anchor) + 1
    return number <= head ? .next(number, head: head) : .resting
  }

  private mutating func extend(
    _ block: ChainBlock, _ logs: [ChainLog], head: UInt64
  ) -> [ChainEvent] {
    guard isOrdered(logs),
      logs.allSatisfy({ $0.block == block.number && $0.blockHash == block.hash })
    else { return [] }
    checkpoint.recent.append(Recent(block: block, logs: logs))
    var events = logs.map { ChainEvent.seen($0) }
    while let first = checkpoint.recent.first, first.block.number + confirmations <= head,
      checkpoint.recent.count > Int(clamping: confirmations)
    {
      checkpoint.recent.removeFirst()
      checkpoint.anchor = first.block.number
      checkpoint.anchorHash = first.block.hash
      events += first.logs.map { .final($0) }
    }
    step = nextBlock(head: head)
    return events
  }

  private func isOrdered(_ logs: [ChainLog]) -> Bool {
    guard logs.count <= ChainListener.logLimit else { return false }
    return zip(logs, logs.dropFirst()).allSatisfy {
      ($0.block, $0.index) < ($1.block, $1.index)
    }
  }
}
