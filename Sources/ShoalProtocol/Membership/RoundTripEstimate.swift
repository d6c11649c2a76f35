// How long a peer takes to answer, smoothed.

/// Exponentially weighted mean and deviation with the gains of RFC 6298 (1/8 and 1/4), in
/// microseconds.
public struct RoundTripEstimate: Hashable, Sendable {
  public private(set) var meanMicroseconds: Int64
  public private(set) var deviationMicroseconds: Int64
  public private(set) var samples: Int
  /// The shortest of the latest samples, in two runs of eight.
  private var shortest: Int64
  private var shortestBefore: Int64

  public init(first: Duration) {
    meanMicroseconds = max(0, first.nanoseconds / 1_000)
    deviationMicroseconds = meanMicroseconds / 2
    samples = 1
    (shortest, shortestBefore) = (meanMicroseconds, meanMicroseconds)
  }

  public mutating func add(_ sample: Duration) {
    let microseconds = max(0, sample.nanoseconds / 1_000)
    let error = microseconds - meanMicroseconds
    deviationMicroseconds += (abs(error) - deviationMicroseconds) / 4
    meanMicroseconds += error / 8
    if samples % 8 == 0 { (shortestBefore, shortest) = (shortest, microseconds) }
    shortest = min(shortest, microseconds)
    samples += 1
  }

  /// Of the last 8 to 16 samples.
  public var least: Duration { .microseconds(min(shortest, shortestBefore)) }

  public var mean: Duration { .microseconds(meanMicroseconds) }
  public var deviation: Duration { .microseconds(deviationMicroseconds) }
}
