// How many places there are, and how many of them one peer may take: whoever asks for more than its
// share goes without, and the rest stays free for others.

/// Counts of places that are taken. A core: whoever has one gives back what it took.
public struct Places: Sendable {
  public let limit: Int
  public let limitOfOne: Int
  private var taken: [PeerID: Int] = [:]
  /// By all peers together.
  public private(set) var count = 0

  public init(limit: Int, limitOfOne: Int) {
    precondition(limit > 0 && limitOfOne > 0, "\(limit) places, \(limitOfOne) for one")
    (self.limit, self.limitOfOne) = (limit, limitOfOne)
  }

  /// Streams that this peer carries for others.
  public static var relays: Places {
    Places(limit: Limits.relayedStreams, limitOfOne: Limits.relayedStreamsOfOne)
  }
  /// Connections that it dials because others asked it to.
  public static var calls: Places {
    Places(limit: Limits.answeredCalls, limitOfOne: Limits.answeredCallsOfOne)
  }
  /// Connections of peers that it has answered.
  public static var connections: Places {
    Places(limit: Limits.openStreams, limitOfOne: Limits.streamsOfOnePeer)
  }

  /// False: all are taken, or the peer has its share.
  public mutating func take(_ peer: PeerID) -> Bool {
    guard count < limit, taken[peer, default: 0] < limitOfOne else { return false }
    taken[peer, default: 0] += 1
    count += 1
    return true
  }

  /// Gives back one place that the peer took.
  public mutating func give(_ peer: PeerID) {
    guard let had = taken[peer] else { return }
    taken[peer] = had > 1 ? had - 1 : nil
    count -= 1
  }
}
