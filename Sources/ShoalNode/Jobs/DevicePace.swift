// How fast a device is, and how a faster host keeps to that: an emulated peer waits until the
// device it stands for would have been done.

public import ShoalInference
public import ShoalProtocol

/// The speed of an emulated device, every figure already divided by the testnet's one factor.
public struct DevicePace: Sendable, Hashable {
  /// Bytes of weights and cache per second, one token at a time.
  public let bytesPerSecond: UInt64
  /// Operations per second in a batch; a multiply-accumulate is two.
  public let operationsPerSecond: UInt64
  public let linkBytesPerSecond: UInt64
  public let linkLatency: Duration
  /// The same of the way to peers of other cliques.
  public let outsideBytesPerSecond: UInt64
  public let outsideLatency: Duration

  public init(
    bytesPerSecond: UInt64, operationsPerSecond: UInt64, linkBytesPerSecond: UInt64,
    linkLatency: Duration, outsideBytesPerSecond: UInt64? = nil, outsideLatency: Duration = .zero
  ) {
    self.outsideBytesPerSecond = max(1, outsideBytesPerSecond ?? linkBytesPerSecond)
    self.outsideLatency = linkLatency + outsideLatency
    self.bytesPerSecond = max(1, bytesPerSecond)
    self.operationsPerSecond = max(1, operationsPerSecond)
    self.linkBytesPerSecond = max(1, linkBytesPerSecond)
    self.linkLatency = linkLatency
  }

  /// The pace of `profile`, whose figures are already slowed, with weights of one format.
  public init(_ profile: DeviceProfile, format: WeightFormat) {
    self.init(
      bytesPerSecond: profile.decodeBytesPerSecond[format.ratedAs],
      operationsPerSecond: profile.prefillOperationsPerSecond,
      linkBytesPerSecond: profile.link.bytesPerSecond,
      linkLatency: .microseconds(Int64(clamping: profile.link.latencyMicroseconds)),
      outsideBytesPerSecond: profile.link.outside?.bytesPerSecond,
      outsideLatency: .microseconds(
        Int64(clamping: profile.link.outside?.latencyMicroseconds ?? 0)))
  }

  /// What the device takes for `work`: it is bound by memory or by arithmetic.
  public func time(of work: ForwardPass.Work) -> Duration {
    max(
      Self.seconds(work.bytes, per: bytesPerSecond),
      Self.seconds(2 * work.multiplyAccumulates, per: operationsPerSecond))
  }

  /// What the device's link takes to deliver `bytes`, to its own clique or out of it.
  public func time(sending bytes: Int, outside isOutside: Bool = false) -> Duration {
    isOutside
      ? outsideLatency + Self.seconds(UInt64(bytes), per: outsideBytesPerSecond)
      : linkLatency + Self.seconds(UInt64(bytes), per: linkBytesPerSecond)
  }

  private static func seconds(_ amount: UInt64, per rate: UInt64) -> Duration {
    let (product, overflow) = amount.multipliedReportingOverflow(by: 1_000_000_000)
    return .nanoseconds(overflow ? Int64.max / 2 : Int64(clamping: product / rate))
  }
}

/// Holds one rank to a pace. Sleeping overshoots; what was slept too long is taken off the next.
package struct Pacer {
  private let pace: DevicePace?
  /// Ranks of other cliques, by the numbers that `deliver` is called with.
  private let distant: Set<Int>
  private let clock: any MeshClock
  private let threads: any ThreadSource
  private var debt = Duration.zero

  package init(
    pace: DevicePace?, distant: Set<Int> = [], clock: any MeshClock, threads: any ThreadSource
  ) {
    self.pace = pace
    self.distant = distant
    self.clock = clock
    self.threads = threads
  }

  /// Returns when the device would have finished `work` that began at `start`.
  mutating func finish(_ work: ForwardPass.Work, since start: Moment) {
    guard let pace else { return }
    hold(until: start + pace.time(of: work))
  }

  /// Returns when the device's link would have carried `bytes` to each of `ranks`, handed to it at
  /// `start`: those of its clique and those of others at the same time.
  mutating func deliver(_ bytes: Int, to ranks: some Sequence<Int>, since start: Moment) {
    guard let pace else { return }
    var (near, far) = (0, 0)
    for rank in ranks { if distant.contains(rank) { far += 1 } else { near += 1 } }
    var time = near > 0 ? pace.time(sending: bytes * near) : .zero
    if far > 0 { time = max(time, pace.time(sending: bytes * far, outside: true)) }
    hold(until: start + time)
  }

  private mutating func hold(until target: Moment) {
    let due = target + (.zero - debt)
    if clock.now() < due { threads.sleep(until: due) }
    debt = min(max(clock.now() - due, .zero), .milliseconds(5))
  }
}
