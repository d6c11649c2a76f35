// Where the partial-sum links of a job meet the rank that waits for them.

internal import ShoalProtocol

/// Links that others opened to this peer, until the job that they belong to asks for them.
actor LinkRendezvous {
  struct Key: Hashable {
    let job: JobID
    let term: Term
    let rank: Int
  }

  /// Links that nobody has asked for yet: ranks of a few jobs at once.
  private static let limit = 128

  private let clock: any MeshClock
  private var links: [Key: any FrameLink] = [:]
  private var order: [Key] = []

  init(clock: any MeshClock) { self.clock = clock }

  /// Keeps a link. The oldest that nobody asked for makes room.
  func deposit(_ link: any FrameLink, for key: Key) {
    links.removeValue(forKey: key)?.shutdown()
    order.removeAll { $0 == key }
    if order.count == Self.limit { links.removeValue(forKey: order.removeFirst())?.shutdown() }
    links[key] = link
    order.append(key)
    waiters.removeValue(forKey: key)?.ring()
  }

  private var waiters: [Key: Alarm] = [:]

  /// The link for `key` that `peer` opened; waits for it until `deadline`.
  func take(_ key: Key, from peer: PeerID, deadline: Moment) async throws(JobFailure)
    -> any FrameLink
  {
    while true {
      if let link = links.removeValue(forKey: key) {
        order.removeAll { $0 == key }
        guard link.peer == peer else {
          link.shutdown()
          throw .protocolViolation(link.peer, .invalid(field: "rank"))
        }
        return link
      }
      guard clock.now() < deadline, !Task.isCancelled else { throw .peerLost(peer) }
      let alarm = Alarm()
      waiters[key] = alarm
      await alarm.sleep(until: deadline, clock)
    }
  }
}
