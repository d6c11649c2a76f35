// The machine's clocks.

public import ShoalNode
public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// CLOCK_MONOTONIC and CLOCK_REALTIME (POSIX.1-2017, clock_gettime).
public struct SystemClock: MeshClock {
  public init() {}

  /// Nanoseconds since some start that is the same for the whole machine.
  static func nanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Nanoseconds that a processor has worked for the thread that asks.
  static func threadNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  public func now() -> Moment { Moment(nanoseconds: SystemClock.nanoseconds()) }

  public func sleep(until deadline: Moment) async throws {
    let wait = deadline.nanoseconds - SystemClock.nanoseconds()
    guard wait > 0 else { return try Task.checkCancellation() }
    try await Task.sleep(for: .nanoseconds(wait))
  }

  public func unixMilliseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(max(0, time.tv_sec)) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
  }
}
