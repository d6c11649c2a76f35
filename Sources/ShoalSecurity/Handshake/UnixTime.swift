// Wall-clock time as an argument: for what must outlive a restart, where a Moment cannot.

/// Nanoseconds since 1970-01-01 UTC, leap seconds left out. Wraps in the year 2554.
public struct UnixTime: Hashable, Comparable, Sendable {
  public let nanoseconds: UInt64
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
  /// Saturates beyond the year 2554.
  public init(seconds: UInt64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanoseconds = overflow ? .max : product
  }
  public var seconds: UInt64 { nanoseconds / 1_000_000_000 }

  public static func < (left: UnixTime, right: UnixTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}
