// Whether a running job should go over to another plan: what it costs now, and what it would cost.

/// Follows what the tokens of one term take, and weighs another plan against that.
///
/// An estimate is never compared with a measurement: the term's own steps say by how much its
/// estimate was off, and the other plan's is taken to be off by as much.
public struct TermMove: Sendable {
  /// What the term's plan said of a token.
  private let estimate: Duration
  /// The mean of the best window so far, and of the latest one.
  private var best: Duration?
  public private(set) var latest: Duration?
  private var sum = Duration.zero
  private var count = 0

  /// Tokens of one window.
  private static let window = 16
  /// A plan must save so much of a token, in thousandths: less is within what estimates are off by.
  private static let leastGain: Int64 = 150
  /// PREPARE, links, and the pause that a client sees.
  private static let overhead = Duration.milliseconds(300)
  /// What a rank fetches in a second, where it lacks atoms: a gigabit link, half used.
  private static let fetchBytesPerSecond: Int64 = 50_000_000
  /// Reading many tokens at once takes a part of what one after the other takes.
  private static let replayPart = 8

  public init(estimate: Duration) { self.estimate = max(estimate, .nanoseconds(1)) }

  /// One token took so long.
  public mutating func note(_ took: Duration) {
    sum += took
    count += 1
    guard count == Self.window else { return }
    let mean = sum / count
    (sum, count) = (.zero, 0)
    latest = mean
    best = min(best ?? mean, mean)
  }

  /// What another plan would bring.
  public struct Prospect: Sendable {
    /// What it says of a token.
    public let estimate: Duration
    /// What the rank that lacks most would have to fetch first.
    public let missingBytes: UInt64
    /// Tokens that are known and would be read again, and those that are still to come at most.
    public let known: Int
    public let coming: Int

    public init(estimate: Duration, missingBytes: UInt64, known: Int, coming: Int) {
      self.estimate = estimate
      self.missingBytes = missingBytes
      self.known = known
      self.coming = coming
    }
  }

  /// Whether the rest of the job is worth the move. False before anything was measured.
  public func pays(_ prospect: Prospect) -> Bool {
    guard let best, let latest else { return false }
    let expected =
      Double(prospect.estimate.nanoseconds) / Double(estimate.nanoseconds)
      * Double(best.nanoseconds)
    let now = Double(latest.nanoseconds)
    guard expected * 1_000 <= now * Double(1_000 - Self.leastGain) else { return false }
    let fetching =
      Double(prospect.missingBytes) / Double(Self.fetchBytesPerSecond) * 1_000_000_000
    let replay = expected * Double(prospect.known) / Double(Self.replayPart)
    let cost = Double(Self.overhead.nanoseconds) + fetching + replay
    return (now - expected) * Double(prospect.coming) > 2 * cost
  }
}
