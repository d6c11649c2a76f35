// Follows the contracts of one chain: performs what a listener asks, keeps where it is together
// with the logs that count, and tells what they come to.

internal import ShoalLedger
internal import ShoalProtocol

/// Everything that a follower goes on from: its place and its logs change together.
public struct FollowerState: Hashable, Sendable {
  public var checkpoint: ChainListener.Checkpoint
  /// Logs that count, oldest first.
  public var logs: [ChainLog]

  public init(checkpoint: ChainListener.Checkpoint, logs: [ChainLog] = []) {
    (self.checkpoint, self.logs) = (checkpoint, logs)
  }

  public static let logLimit = 1 << 20

  /// Applies what happened.
  public mutating func apply(_ event: ChainEvent) {
    switch event {
    case .seen(let log): if logs.count < Self.logLimit { logs.append(log) }
    case .undone(let log): if logs.last == log { logs.removeLast() }
    case .final: break
    }
  }
}

/// What a follower tells.
public struct FollowerNews: Hashable, Sendable {
  public let view: ChainView
  public let events: [ChainEvent]
  public let head: UInt64
}

public actor ChainFollower {
  private let nodes: [ChainNode]
  private let descriptor: ChainDescriptor
  private let interval: Duration
  private let keep: @Sendable (FollowerState) throws -> Void
  private var listener: ChainListener
  private var state: FollowerState
  private var current = 0
  private var isChecked = false

  /// - Parameters:
  ///   - state: as it was kept; nil: from the descriptor's first block.
  ///   - interval: between two polls.
  ///   - keep: durably, before the next question is asked.
  public init(
    _ descriptor: ChainDescriptor, nodes: [ChainNode], from state: FollowerState? = nil,
    interval: Duration = .seconds(4),
    keep: @escaping @Sendable (FollowerState) throws -> Void = { _ in }
  ) {
    precondition(!nodes.isEmpty, "a chain without nodes")
    self.descriptor = descriptor
    self.nodes = nodes
    self.interval = interval
    self.keep = keep
    let start =
      state
      ?? FollowerState(
        checkpoint: .init(anchor: descriptor.firstBlock - min(1, descriptor.firstBlock)))
    self.state = start
    listener = ChainListener(
      from: start.checkpoint, confirmations: descriptor.confirmations)
  }

  /// Follows until cancelled; `tell` is called at first and after each change.
  ///
  /// - Throws: `ListenerHalt` where a final block changed, `FollowerError` where the chain is
  ///   another one than the descriptor's.
  public func run(_ tell: @escaping @Sendable (FollowerNews) async throws -> Void) async throws {
    try await tell(news([]))
    while !Task.isCancelled {
      try await poll(tell)
      if let halt = listener.halt { throw halt }
      try await Task.sleep(for: interval)
    }
  }

  /// Asks until there is no news left.
  public func poll(_ tell: @escaping @Sendable (FollowerNews) async throws -> Void) async throws {
    guard try await isRightChain() else { return }
    listener.poll()
    while let question = listener.question {
      let answer = await nodes[current].answer(question, contracts: descriptor.contracts)
      try Task.checkCancellation()
      // The next node is asked from the next poll on.
      if answer == .unavailable { current = (current + 1) % nodes.count }
      let before = listener
      let events = listener.take(answer)
      guard before.checkpoint != listener.checkpoint else { continue }
      for event in events { state.apply(event) }
      state.checkpoint = listener.checkpoint
      try keep(state)
      if !events.isEmpty { try await tell(news(events)) }
    }
  }

  private func news(_ events: [ChainEvent]) -> FollowerNews {
    FollowerNews(
      view: ChainView(state.logs, of: descriptor), events: events,
      head: state.checkpoint.recent.last?.block.number ?? state.checkpoint.anchor)
  }

  /// Once: that the node is of the descriptor's chain. False: nobody answers.
  private func isRightChain() async throws -> Bool {
    guard !isChecked else { return true }
    do {
      let found = try await nodes[current].chain()
      guard found == descriptor.chain else {
        throw FollowerError.otherChain(expected: descriptor.chain, found: found)
      }
      isChecked = true
      return true
    } catch is RPCError {
      current = (current + 1) % nodes.count
      return false
    }
  }
}

public enum FollowerError: Error, Hashable, Sendable {
  case otherChain(expected: UInt64, found: UInt64)
}

extension FollowerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .otherChain(let expected, let found):
      "the node is of chain \(found), not of chain \(expected)"
    }
  }
}
