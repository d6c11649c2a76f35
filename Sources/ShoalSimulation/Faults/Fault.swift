// One thing that goes wrong at a moment, and perhaps ends at a later one.

package import ShoalProtocol

/// What a restarted peer finds on its disk.
package enum DiskMemory: Hashable, Sendable {
  case kept
  /// As it was that long before the crash: a snapshot was played back.
  case stale(Duration)
  case lost
}

package enum Fault: Hashable, Sendable {
  case weather(NetworkWeather)
  /// Nothing gets from the first to the second; the other way is open.
  case cut(from: Set<Int>, to: Set<Int>)
  case throttle(Int, bytesPerSecond: Int64)
  /// The peer takes that long over each datagram and each timer.
  case slow(Int, perEvent: Duration)
  case stall(Int)
  /// Comes back at the fault's end, if it has one.
  case crash(Int, disk: DiskMemory, clockBack: Duration)
  case leave(Int)
  case join(Int)
  /// A stored atom of the peer is damaged.
  case damage(Int, pick: UInt64)
  /// The peer tells falsehoods: a forged record of `about`, and that it is dead.
  case lie(Int, about: Int)
  /// A second process with the first peer's identity runs in the second's place.
  case twin(of: Int, place: Int)
}

extension Fault {
  /// The peers that it befalls; none: the network.
  package var peers: Set<Int> {
    switch self {
    case .weather: []
    case .cut(let from, let to): from.union(to)
    case .throttle(let peer, _), .slow(let peer, _), .stall(let peer), .crash(let peer, _, _),
      .leave(let peer), .join(let peer), .damage(let peer, _):
      [peer]
    case .lie(let peer, let about): [peer, about]
    case .twin(let first, let place): [first, place]
    }
  }
}

extension Fault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .weather(let weather):
      "weather: loss \(weather.lossPerMille)/1000, duplicates \(weather.duplicatePerMille)/1000,"
        + " jitter to \(weather.jitter.upperBound) us, flips \(weather.flipPerMille)/1000"
    case .cut(let from, let to): "cut from \(Self.list(from)) to \(Self.list(to))"
    case .throttle(let peer, let rate): "peer \(peer) sends at most \(rate) B/s"
    case .slow(let peer, let cost): "peer \(peer) takes \(cost) an event"
    case .stall(let peer): "peer \(peer) stalls"
    case .crash(let peer, let disk, let back):
      "peer \(peer) crashes (disk \(disk), clock back \(back))"
    case .leave(let peer): "peer \(peer) leaves"
    case .join(let peer): "peer \(peer) joins"
    case .damage(let peer, _): "an atom of peer \(peer) is damaged"
    case .lie(let peer, let about): "peer \(peer) lies about \(about)"
    case .twin(let first, let place): "a twin of \(first) runs at \(place)"
    }
  }

  private static func list(_ peers: Set<Int>) -> String {
    peers.count > 6
      ? "\(peers.count) peers" : peers.sorted().map(String.init).joined(separator: ",")
  }
}

/// A fault with its time.
package struct TimedFault: Hashable, Sendable {
  package let at: Moment
  /// When it ends; nil: it does not, or has no duration.
  package let until: Moment?
  package let fault: Fault

  package init(at: Moment, until: Moment?, fault: Fault) {
    (self.at, self.until, self.fault) = (at, until, fault)
  }
}

extension TimedFault: CustomStringConvertible {
  package var description: String {
    let end = until.map { String(describing: $0.nanoseconds / 1_000_000) + " ms" } ?? ""
    return "\(at.nanoseconds / 1_000_000) ms..\(end) \(fault)"
  }
}
