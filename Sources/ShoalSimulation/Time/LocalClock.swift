// A peer's own clock: it began elsewhere, and it runs a little fast or slow.

package import ShoalProtocol

/// Maps virtual time to what one peer's clocks show, and back.
package struct LocalClock: Hashable, Sendable {
  /// The monotonic clock at virtual time zero.
  package var origin: Moment
  /// Parts per million that the clock gains; crystals are within 100, bad ones within 500.
  package var drift: Int64
  /// Milliseconds since 1970 at virtual time zero, as this peer believes.
  package var wall: UInt64

  package init(origin: Moment, drift: Int64, wall: UInt64) {
    (self.origin, self.drift, self.wall) = (origin, drift, wall)
  }

  /// What the monotonic clock shows at virtual time `now`.
  package func local(_ now: Moment) -> Moment {
    Moment(nanoseconds: origin.nanoseconds + now.nanoseconds + drifted(now.nanoseconds))
  }

  /// A virtual time at which the clock shows `local` or a little more, and no earlier.
  package func virtual(_ local: Moment) -> Moment {
    let shown = local.nanoseconds - origin.nanoseconds
    // Whole steps of a million and a little: what remains is rounding.
    let rate = 1_000_000 + drift
    var guess = shown / rate * 1_000_000 + shown % rate * 1_000_000 / rate
    while guess + drifted(guess) < shown { guess += 1 }
    return Moment(nanoseconds: guess)
  }

  package func unixMilliseconds(_ now: Moment) -> UInt64 {
    let gained = (now.nanoseconds + drifted(now.nanoseconds)) / 1_000_000
    return wall &+ UInt64(bitPattern: gained)
  }

  private func drifted(_ nanoseconds: Int64) -> Int64 {
    // In two parts, so that centuries do not overflow.
    nanoseconds / 1_000_000 * drift + nanoseconds % 1_000_000 * drift / 1_000_000
  }
}
