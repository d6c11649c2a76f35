// How long the ranks of a job and its entry wait for each other: by the plan's estimate at first,
// then by what steps really took, so that a slow mesh is given time and a stalled peer is not.

/// Deadlines of one term, one value at each who waits. A value that learns: `note` each step.
public struct StepPatience: Sendable, Hashable {
  /// What the plan says a token takes.
  public let tokenEstimate: Duration
  /// What the slowest link of the plan may take, by its prior: 10 ms desktop, 50 ms mobile.
  public let linkSlack: Duration
  /// Sums of one step.
  public let sums: Int
  /// Pipeline stages, one after the other.
  public let stages: Int
  /// What the latest steps took, by how many tokens they had: 1, 2 and 3, 4 to 7, ...
  private var classes = [Ring](repeating: Ring(), count: 10)
  /// Whether a step has been done: until then ranks may still wait to be connected.
  private var hasBegun = false

  /// The latest steps of a class: a step may allocate nothing.
  private struct Ring: Sendable, Hashable {
    var recent: [Duration] = []
    var next = 0
    /// The second longest of them, so that one hiccup does not count; nil before there are enough.
    var usual: Duration?

    mutating func note(_ took: Duration) {
      if recent.count < window { recent.append(took) } else { recent[next] = took }
      next = (next + 1) % window
      guard recent.count >= enough else { return }
      var (first, second) = (Duration.zero, Duration.zero)
      for one in recent {
        if one > first { (first, second) = (one, first) } else { second = max(second, one) }
      }
      usual = second
    }
  }

  /// Steps that are remembered, and how many of them a deadline needs.
  private static let window = 64
  private static let enough = 8
  /// A thread that is ready may wait that long for a core of a busy machine.
  static let least = Duration.milliseconds(150)
  /// Before anything was measured: caches are cold and pages of weights not yet in memory.
  static let cold = Duration.milliseconds(400)
  /// The ranks name the silent one before the entry gives up: it knows who was waited for.
  static let lead = Duration.milliseconds(60)

  public init(
    tokenEstimate: Duration, linkSlack: Duration = .zero, sums: Int = 0, stages: Int = 1
  ) {
    self.tokenEstimate = tokenEstimate
    self.linkSlack = linkSlack
    self.sums = sums
    self.stages = stages
    for index in classes.indices { classes[index].recent.reserveCapacity(Self.window) }
  }

  private func place(_ tokens: Int) -> Int {
    min(classes.count - 1, max(1, tokens).bitWidth - 1 - max(1, tokens).leadingZeroBitCount)
  }

  private func usual(_ tokens: Int) -> Duration? { classes[place(tokens)].usual }

  /// Takes in that a step took so long.
  public mutating func note(tokens: Int, took: Duration) {
    hasBegun = true
    classes[place(tokens)].note(took)
  }

  /// For each of a rank's streams to others, once all are ready: four round trips.
  public var forConnecting: Duration { Limits.rankConnect + linkSlack * 4 }

  /// For one sum of a step of `tokens`, at a rank.
  public func forSum(tokens: Int) -> Duration {
    guard let usual = usual(tokens) else {
      // Reading many tokens at once takes less than one after the other.
      return Self.cold + tokenEstimate * (tokens == 1 ? 3 : tokens) + linkSlack
    }
    return max(Self.least, usual * 4, tokens == 1 ? tokenEstimate * 2 : .zero) + linkSlack
  }

  /// What a step takes where nothing is wrong, and more rather than less.
  private func whole(tokens: Int) -> Duration {
    tokens == 1
      ? max(usual(1) ?? .zero, tokenEstimate) : usual(tokens) ?? tokenEstimate * tokens
  }

  /// For what the stage before `stage` hands over, at a rank. A rank there may begin to wait for
  /// one of its own late in the step and is to name it first: so each stage waits longer than the
  /// one before.
  public func forHandover(tokens: Int, stage: Int) -> Duration {
    forSum(tokens: tokens) + whole(tokens: tokens) + Self.lead * stage
  }

  /// For the sum by which the ranks of `stage` complete what was handed over: each has its part
  /// from another rank of the stage before, which may be the late one.
  public func forGathering(tokens: Int, stage: Int) -> Duration {
    forHandover(tokens: tokens, stage: stage) + Self.lead / 2
  }

  /// For the whole step, at the entry: whoever waits for a silent rank names it before that.
  public func forStep(tokens: Int) -> Duration {
    let waiting = usual(tokens) == nil ? linkSlack * sums : .zero
    let connecting = hasBegun ? .zero : forConnecting
    return forHandover(tokens: tokens, stage: stages) + waiting + linkSlack + connecting
  }
}
