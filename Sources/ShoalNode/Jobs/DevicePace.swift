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

  public init(
    bytesPerSecond: UInt64, operationsPerSecond: UInt64, linkBytesPerSecond: UInt64,
    linkLatency: Duration
  ) {
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
      linkLatency: .microseconds(Int64(clamping: profile.link.latencyMicroseconds)))
  }

  /// What the device takes for `work`: it is bound by memory or by arithmetic.
  public func time(of work: ForwardPass.Work) -> Duration {
    max(
      Self.seconds(work.bytes, per: bytesPerSecond),
      Self.seconds(2 * work.multiplyAccumulates, per: operationsPerSecond))
  }

  /// What the device's link takes to deliver `bytes`.
  public func time(sending bytes: Int) -> Duration {
    linkLatency + Self.seconds(UInt64(bytes), per: linkBytesPerSecond)
  }

  private static func seconds(_ amount: UInt64, per rate: UInt64) -> Duration {
    let (product, overflow) = amount.multipliedReportingOverflow(by: 1_000_000_000)
    return .nanoseconds(overflow ? Int64.max / 2 : Int64(clamping: product / rate))
  }
}

/// Holds one rank to a pace. Sleeping overshoots; what was slept too long is taken off the next.
package struct Pacer {
  private let pace: DevicePace?
  private let clock: any MeshClock
  private let threads: any ThreadSource
  private var debt = Duration.zero

  package init(pace: DevicePace?, clock: any MeshClock, threads: any ThreadSource) {
    self.pace = pace
    self.clock = clock
    self.threads = threads
  }

  /// Returns when the device would have finished `work` that began at `start`.
  mutating func finish(_ work: ForwardPass.Work, since start: Moment) {
    guard let pace else { return }
    hold(until: start + pace.time(of: work))
  }

  /// Returns when the device's link would have carried `bytes` handed to it at `start`.
  mutating func deliver(_ bytes: Int, since start: Moment) {
    guard let pace else { return }
    hold(until: start + pace.time(sending: bytes))
  }

  private mutating func hold(until target: Moment) {
    let due = target + (.zero - debt)
    if clock.now() < due { threads.sleep(until: due) }
    debt = min(max(clock.now() - due, .zero), .milliseconds(5))
  }
}
