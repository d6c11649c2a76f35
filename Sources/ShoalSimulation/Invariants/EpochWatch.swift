// Whether epochs come as rarely as they should: from the changes alone, beside the tracker.

internal import ShoalProtocol

/// Watches one peer's changes and epochs, in its own time.
struct EpochWatch {
  private var first: Moment?
  private var last: Moment?
  private var lastEpoch: Moment?

  mutating func change(at now: Moment) {
    first = first ?? now
    last = now
  }

  /// Nil, or why this epoch should not have come now.
  mutating func epoch(at now: Moment, quiet: Duration, longest: Duration) -> String? {
    defer { (first, last, lastEpoch) = (nil, nil, now) }
    guard let first, let last else { return "an epoch without a change" }
    guard now - last >= quiet || now - first >= longest else {
      return "an epoch \((now - last).nanoseconds / 1_000_000) ms after a change,"
        + " \((now - first).nanoseconds / 1_000_000) ms after the first"
    }
    if let lastEpoch, now - lastEpoch < quiet {
      return "two epochs within \((now - lastEpoch).nanoseconds / 1_000_000) ms"
    }
    return nil
  }
}
