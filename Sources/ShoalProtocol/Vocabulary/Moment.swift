// Time as an argument: a point on a monotonic clock that somebody else reads.

/// Nanoseconds on a monotonic clock with an arbitrary origin. Two moments of different peers
/// cannot be compared.
public struct Moment: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (left: Moment, right: Moment) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (moment: Moment, duration: Duration) -> Moment {
    Moment(nanoseconds: moment.nanoseconds + duration.nanoseconds)
  }
  public static func - (later: Moment, earlier: Moment) -> Duration {
    .nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }

  /// Nanoseconds from here to `later`; zero where that is no later. For sums of many short times.
  public func until(_ later: Moment) -> UInt64 {
    UInt64(max(0, later.nanoseconds - nanoseconds))
  }
}

extension Moment? {
  /// Becomes `other` where that comes first, or alone.
  mutating func advance(to other: Moment?) {
    guard let other else { return }
    self = self.map { Swift.min($0, other) } ?? other
  }
}

extension Duration {
  /// Whole nanoseconds; saturates beyond 292 years.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    return product + attoseconds / 1_000_000_000
  }

  /// Seconds as a floating-point number, for people and estimates.
  public var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
