// The times and counts of failure detection, in one place, with their reasons.

/// Defaults are for a LAN. Sources: SWIM (Das et al. 2002), Lifeguard (Dadgar et al. 2018).
public struct MembershipConfiguration: Hashable, Sendable {
  /// One probe each, whatever the size: a ping and an answer five times a second are some 800 B/s.
  public var probeInterval: Duration = .milliseconds(200)
  /// How long a direct ping may take before others are asked. At least four round trips are
  /// granted where the link is slower than that.
  public var probeTimeout: Duration = .milliseconds(100)
  /// A relay says that nothing came so much sooner than the asker stops waiting.
  var nackAfter: Duration { probeTimeout * 8 / 10 }
  /// SWIM's k.
  public var indirectProbes = 3
  /// How many times a claim is sent on, beyond `ln n`: of r sendings by each of n peers none meets
  /// a given one with `e^-r`, so a claim in `e^12` misses anybody.
  public var sureTransmissions = 12
  /// Between rounds of unasked news, while there is any.
  public var gossipInterval: Duration = .milliseconds(100)
  /// Before the first round: long enough for news that come together to go together.
  public var gossipDelay: Duration = .milliseconds(20)
  public var gossipFanout = 3
  /// A suspect has at least this long to deny; with three peers, nobody else can speak for it.
  public var leastSuspicion: Duration = .seconds(1)
  /// Lifeguard's alpha: the least wait is `alpha * log10(n)` probe intervals, if that is longer.
  public var suspicionFactor = 4
  /// Lifeguard's beta: how many times the least wait a lonely suspicion lasts.
  public var loneSuspicionFactor = 6
  /// Lifeguard's K: independent observers that bring the wait down to the least.
  public var confirmations = 3
  /// Of those who hear of a suspicion, about so many look for themselves at once: enough for the
  /// cut filter, and no flood of pings where hundreds hear of it.
  public var lookers = 6
  /// Lifeguard's S: how far a peer that misses answers slows itself down.
  public var healthLimit = 8
  /// Between exchanges of fingerprints with a random peer, when the last one found no difference.
  public var syncInterval: Duration = .seconds(10)
  /// The same after one that did.
  public var unsettledSyncInterval: Duration = .seconds(1)
  /// How long it is remembered that a peer is gone; longer than stale claims travel.
  public var forgetAfter: Duration = .seconds(60)
  /// A record that was asked for and did not come is asked for again, somewhere else.
  public var recordPatience: Duration = .milliseconds(500)
  public var recordAttempts = 6

  public init() {}

  /// How many times a claim is sent on in a mesh of `peers`.
  func retransmissions(peers: Int) -> Int {
    // The natural logarithm: ln 2 is 710 of 1,024, and so is what `log2` counts in.
    sureTransmissions + IntegerLogarithm.log2(peers) * 710 / (1_024 * 1_024)
  }

  /// The least time that a suspicion lasts in a mesh of `peers`.
  func leastSuspicion(peers: Int) -> Duration {
    let decades = IntegerLogarithm.log2(max(1, peers)) * 1_000 / IntegerLogarithm.log2(10)
    let scaled = probeInterval * suspicionFactor * decades / 1_000
    return max(leastSuspicion, scaled)
  }
}

/// Logarithms in 1/1024, the same on every machine.
enum IntegerLogarithm {
  /// `1024 * log2(value)`, rounded down to within one part; 0 for values below 2.
  static func log2(_ value: Int) -> Int {
    guard value > 1 else { return 0 }
    let exponent = Int.bitWidth - 1 - value.leadingZeroBitCount
    // In units of 2^-30: squaring a mantissa in [1, 2) shows one more bit of its logarithm at a
    // time.
    var mantissa = exponent > 30 ? value >> (exponent - 30) : value << (30 - exponent)
    var result = exponent
    for _ in 0..<10 {
      mantissa = (mantissa * mantissa) >> 30
      result <<= 1
      if mantissa >= 1 << 31 {
        mantissa >>= 1
        result += 1
      }
    }
    return result
  }
}
