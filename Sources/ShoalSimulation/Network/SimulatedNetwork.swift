// The network between simulated peers: what of a datagram arrives, when, and how often.

package import ShoalProtocol

/// What the air is like at the moment. Everything in thousandths is drawn per datagram.
package struct NetworkWeather: Hashable, Sendable {
  package var lossPerMille = 0
  package var duplicatePerMille = 0
  /// Added to a link's own delay, drawn evenly: a wide range reorders.
  package var jitter: ClosedRange<Int64> = 0...50
  /// One bit of the datagram flips.
  package var flipPerMille = 0

  package init() {}
}

/// A datagram that will arrive.
package struct Delivery: Hashable, Sendable {
  package let at: Moment
  /// A bit of it flipped on the way.
  package let isFlipped: Bool
}

/// Decides the fate of datagrams. Peers are numbers.
package struct SimulatedNetwork: Sendable {
  package var topology: LinkTopology
  package var weather = NetworkWeather()
  /// Bytes per second that a peer's own link carries out; nil: no bound worth modelling.
  private var throttles: [Int: Int64] = [:]
  /// When a throttled link has sent what it was given.
  private var linkFree: [Int: Moment] = [:]
  /// One-way cuts in force: from every peer of the first set to every one of the second.
  private var cuts: [(id: Int, from: Set<Int>, to: Set<Int>)] = []
  package private(set) var sent = 0
  package private(set) var sentBytes = 0
  package private(set) var lost = 0
  package private(set) var cut = 0
  package private(set) var duplicated = 0
  package private(set) var flipped = 0
  package private(set) var throttled = 0

  /// IPv4 and UDP headers with the seal's counter and tag.
  package static let overheadBytes = 60
  /// What a throttled link queues before it drops: a home router's quarter of a second.
  private static let longestQueue = Duration.milliseconds(250)

  package init(topology: LinkTopology) { self.topology = topology }

  package var isWhole: Bool { cuts.isEmpty }

  package mutating func sever(_ id: Int, from: Set<Int>, to: Set<Int>) {
    cuts.append((id, from, to))
  }

  package mutating func mend(_ id: Int) { cuts.removeAll { $0.id == id } }

  package mutating func throttle(_ peer: Int, to bytesPerSecond: Int64?) {
    throttles[peer] = bytesPerSecond
    linkFree[peer] = nil
  }

  /// Whether nothing stands between `sender` and `receiver`, in that direction.
  package func carries(from sender: Int, to receiver: Int) -> Bool {
    !cuts.contains { $0.from.contains(sender) && $0.to.contains(receiver) }
  }

  /// Sends one datagram of `bytes`. Nothing, one or two deliveries come of it.
  ///
  /// - Parameter isEcho: the datagram goes to a group and was counted with its first receiver.
  package mutating func send(
    _ bytes: Int, from sender: Int, to receiver: Int, isEcho: Bool = false, at now: Moment,
    using random: inout SeededGenerator
  ) -> [Delivery] {
    sent += 1
    if !isEcho { sentBytes += bytes + Self.overheadBytes }
    guard carries(from: sender, to: receiver) else {
      cut += 1
      return []
    }
    if random.happens(perMille: weather.lossPerMille) {
      lost += 1
      return []
    }
    guard let queued = queue(bytes, from: sender, at: now) else {
      throttled += 1
      return []
    }
    let copies = random.happens(perMille: weather.duplicatePerMille) ? 2 : 1
    duplicated += copies - 1
    return (0..<copies).map { _ in
      let jitter = Duration.microseconds(Int64.random(in: weather.jitter, using: &random))
      let isFlipped = random.happens(perMille: weather.flipPerMille)
      if isFlipped { flipped += 1 }
      return Delivery(
        at: queued + topology.delay(from: sender, to: receiver) + jitter, isFlipped: isFlipped)
    }
  }

  /// When the sender's link is done with the bytes; nil where its queue is full.
  private mutating func queue(_ bytes: Int, from sender: Int, at now: Moment) -> Moment? {
    guard let rate = throttles[sender] else { return now }
    let start = max(now, linkFree[sender] ?? now)
    guard start - now <= Self.longestQueue else { return nil }
    let total = Int64(bytes + Self.overheadBytes)
    let end = start + .nanoseconds(total * 1_000_000_000 / max(1, rate))
    linkFree[sender] = end
    return end
  }
}
