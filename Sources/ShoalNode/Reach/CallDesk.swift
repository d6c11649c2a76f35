// Connections that others were asked to dial, by the number that they were asked with.

internal import ShoalProtocol

actor CallDesk {
  private let clock: any MeshClock
  private var expected: [UInt64: PeerID] = [:]
  private var arrived: [UInt64: SealedLink] = [:]
  private var waiters: [UInt64: Alarm] = [:]

  init(clock: any MeshClock) { self.clock = clock }

  func expect(_ number: UInt64, from peer: PeerID) { expected[number] = peer }

  /// Keeps a connection until it is taken; one that nobody asked for is shut.
  func deliver(_ connection: SealedLink, _ number: UInt64) {
    guard expected[number] == connection.peer, arrived[number] == nil else {
      return connection.shutdown()
    }
    arrived[number] = connection
    waiters[number]?.ring()
  }

  /// Nil where the peer has not dialled until `deadline`.
  func take(_ number: UInt64, until deadline: Moment) async -> SealedLink? {
    let alarm = Alarm()
    waiters[number] = alarm
    while arrived[number] == nil, clock.now() < deadline, !Task.isCancelled {
      await alarm.sleep(until: deadline, clock)
    }
    (waiters[number], expected[number]) = (nil, nil)
    return arrived.removeValue(forKey: number)
  }
}
