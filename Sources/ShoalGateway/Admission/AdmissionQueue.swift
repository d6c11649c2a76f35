// Who may generate now, who waits, who is sent away. Decides; waits for nothing.

/// A bounded queue in which users take turns: the next place goes to whoever of those that wait
/// has been given the fewest since all of them began to wait; with one user it is first come, first
/// served. A user who asks for much cannot make others wait for more than one of theirs.
public struct AdmissionQueue: Sendable {
  /// How many there may be.
  public struct Bounds: Sendable, Hashable {
    public var running: Int
    /// Of all users together.
    public var waiting: Int
    /// Of one user: the rest is left to others.
    public var waitingOfOne: Int

    public init(running: Int, waiting: Int, waitingOfOne: Int) {
      self.running = running
      self.waiting = waiting
      self.waitingOfOne = waitingOfOne
    }
  }

  public enum Answer: Sendable, Hashable {
    case runs
    case waits
    /// The user has as many that wait as one user may.
    case tooManyOfOne(waiting: Int)
    case full(waiting: Int)
  }

  private struct Line: Sendable {
    var tickets: [UInt64] = []
    /// When it was last given a place, counted in places.
    var served: UInt64
  }

  public let bounds: Bounds
  public private(set) var running: Set<UInt64> = []
  private var lines: [String: Line] = [:]
  private var served: UInt64 = 0

  public init(_ bounds: Bounds) { self.bounds = bounds }

  public var waiting: Int { lines.values.reduce(0) { $0 + $1.tickets.count } }

  /// One more generation is asked for.
  public mutating func enter(_ ticket: UInt64, user: String) -> Answer {
    if running.count < bounds.running, lines.isEmpty {
      running.insert(ticket)
      return .runs
    }
    let waiting = waiting
    guard waiting < bounds.waiting else { return .full(waiting: waiting) }
    let mine = lines[user]?.tickets.count ?? 0
    guard mine < bounds.waitingOfOne else { return .tooManyOfOne(waiting: mine) }
    lines[user, default: Line(served: served)].tickets.append(ticket)
    return .waits
  }

  /// One has ended, or does not want to wait any longer. Returns who runs now.
  public mutating func leave(_ ticket: UInt64) -> [UInt64] {
    running.remove(ticket)
    for (user, line) in lines {
      guard let index = line.tickets.firstIndex(of: ticket) else { continue }
      lines[user]?.tickets.remove(at: index)
    }
    var admitted: [UInt64] = []
    while running.count < bounds.running, let next = next() {
      running.insert(next)
      admitted.append(next)
    }
    return admitted
  }

  private mutating func next() -> UInt64? {
    lines = lines.filter { !$0.value.tickets.isEmpty }
    let first = lines.min { left, right in
      (left.value.served, left.value.tickets[0]) < (right.value.served, right.value.tickets[0])
    }
    guard let user = first?.key else { return nil }
    served += 1
    lines[user]?.served = served
    let ticket = lines[user]?.tickets.removeFirst()
    if lines[user]?.tickets.isEmpty == true { lines[user] = nil }
    return ticket
  }
}
