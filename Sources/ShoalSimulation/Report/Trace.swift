// What happened in one story: a hash over all of it, and the last of it in words.

package import ShoalProtocol

package enum TraceKind: UInt8, Hashable, Sendable {
  case fault, heal, start, stop, deliver, shed, wake, member, record, epoch, plan, fetch, hold
  case job, note
}

/// One event. What the two numbers mean depends on the kind.
package struct TraceEvent: Hashable, Sendable {
  package let at: Moment
  package let kind: TraceKind
  package let peer: Int
  package let first: UInt64
  package let second: UInt64
}

extension TraceEvent: CustomStringConvertible {
  package var description: String {
    let microseconds = at.nanoseconds / 1_000
    let time =
      "\(microseconds / 1_000_000).\(String(1_000_000 + microseconds % 1_000_000).dropFirst())"
    return "\(time) peer \(peer) \(words)"
  }

  private var words: String {
    let hex = String(second, radix: 16)
    return switch kind {
    case .fault: "fault \(first) begins"
    case .heal: "fault \(first) ends"
    case .start: "starts, process \(first)"
    case .stop: "stops, process \(first)"
    case .deliver: "hears \(first), \(second) bytes"
    case .shed: "sheds a datagram, \(first) wait"
    case .wake: "wakes"
    case .member: "holds \(first) \(Self.states[Int(second) % Self.states.count])"
    case .record: "takes version \(second) of \(first)"
    case .epoch: "stands on a view of \(first), \(hex)"
    case .plan: "plans over \(first), \(hex)"
    case .fetch: "asks \(first) for \(second) bytes"
    case .hold: "holds \(first) atoms"
    case .job: "job \(first), \(second)"
    case .note: "\(first) \(second)"
    }
  }

  private static let states = ["alive", "suspect", "dead", "left"]
}

/// Events go in; equal hashes mean that two runs were the same, event for event.
package struct Trace: Sendable {
  private static let kept = 4_096
  package private(set) var hash: UInt64 = 0x5ea1_ab1e
  package private(set) var count = 0
  private var ring: [TraceEvent] = []

  package init() {}

  package mutating func add(
    _ kind: TraceKind, peer: Int, _ first: UInt64 = 0, _ second: UInt64 = 0, at now: Moment
  ) {
    let event = TraceEvent(at: now, kind: kind, peer: peer, first: first, second: second)
    mix(UInt64(bitPattern: now.nanoseconds))
    mix(UInt64(kind.rawValue) << 32 | UInt64(peer))
    mix(first)
    mix(second)
    if ring.count < Self.kept { ring.append(event) } else { ring[count % Self.kept] = event }
    count += 1
  }

  private mutating func mix(_ word: UInt64) {
    hash = SeededGenerator.mixed(hash ^ word) &+ 0x9e37_79b9_7f4a_7c15
  }

  /// The latest events that are about one of `peers`, or about everybody where that is empty,
  /// without the noise of datagrams and timers; the earliest first.
  package func latest(_ limit: Int, about peers: Set<Int>) -> [TraceEvent] {
    let order =
      ring.count < Self.kept
      ? ring : Array(ring[(count % Self.kept)...] + ring[..<(count % Self.kept)])
    let telling = order.filter { event in
      switch event.kind {
      case .deliver, .wake: false
      case .fault, .heal: true
      case .start, .stop, .shed, .member, .record, .epoch, .plan, .fetch, .hold, .job, .note:
        peers.isEmpty || peers.contains(event.peer)
      }
    }
    return Array(telling.suffix(limit))
  }
}
