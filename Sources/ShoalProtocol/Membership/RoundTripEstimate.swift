// How long a peer takes to answer, smoothed.

/// Exponentially weighted mean and deviation with the gains of RFC 6298 (1/8 and 1/4), in
/// microseconds.
public struct RoundTripEstimate: Hashable, Sendable {
  public private(set) var meanMicroseconds: Int64
  public private(set) var deviationMicroseconds: Int64
  public private(set) var samples: Int

  public init(first: Duration) {
    meanMicroseconds = max(0, first.nanoseconds / 1_000)
    deviationMicroseconds = meanMicroseconds / 2
    samples = 1
  }

  public mutating func add(_ sample: Duration) {
    let microseconds = max(0, sample.nanoseconds / 1_000)
    let error = microseconds - meanMicroseconds
    deviationMicroseconds += (abs(error) - deviationMicroseconds) / 4
    meanMicroseconds += error / 8
    samples += 1
  }

  public var mean: Duration { .microseconds(meanMicroseconds) }
  public var deviation: Duration { .microseconds(deviationMicroseconds) }
}
