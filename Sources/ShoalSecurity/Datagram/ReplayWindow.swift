// Which counters of a session have been seen: each datagram opens once, in any order.

/// A sliding window of 2,048 counters (RFC 6479).
package struct ReplayWindow: Sendable {
  package static let width: UInt64 = 2_048
  /// The highest counter accepted, and one bit for each of the counters up to it.
  private var highest: UInt64?
  private var words = [UInt64](repeating: 0, count: Int(width / 64))

  package init() {}

  /// Whether `counter` is neither seen nor too old. Asked before the datagram is opened.
  package func admits(_ counter: UInt64) -> Bool {
    guard let highest, counter <= highest else { return true }
    return highest - counter < ReplayWindow.width && !isSet(counter)
  }

  /// Marks `counter` as seen. Told after the datagram has proven authentic.
  package mutating func accept(_ counter: UInt64) {
    if let highest, counter > highest {
      // Counters that were passed over are unseen.
      for skipped in 0..<min(counter - highest, ReplayWindow.width) { clear(counter - skipped) }
    }
    if counter >= highest ?? 0 { highest = counter }
    words[Int(counter / 64 % UInt64(words.count))] |= 1 << (counter % 64)
  }

  private func isSet(_ counter: UInt64) -> Bool {
    words[Int(counter / 64 % UInt64(words.count))] >> (counter % 64) & 1 == 1
  }

  private mutating func clear(_ counter: UInt64) {
    words[Int(counter / 64 % UInt64(words.count))] &= ~(1 << (counter % 64))
  }
}
