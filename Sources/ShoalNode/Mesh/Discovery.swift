// Finds peers: calls on the local network, knocks at addresses that it hears of.

internal import ShoalProtocol

actor Discovery {
  private let courier: Courier
  private let clock: any MeshClock
  private var generator: RandomSourceGenerator
  private var directory: PeerDirectory
  private let alarm = Alarm()

  init(peer: PeerID, courier: Courier, clock: any MeshClock, random: any RandomSource) {
    self.courier = courier
    self.clock = clock
    generator = RandomSourceGenerator(random)
    directory = PeerDirectory(peer: peer)
  }

  /// Calls and knocks until cancelled.
  func run(_ beacon: Beacon, bootstrap: [Endpoint]) async {
    await handle(.started(beacon))
    for endpoint in bootstrap { await handle(.bootstrap(endpoint)) }
    while !Task.isCancelled {
      await alarm.sleep(until: directory.nextDeadline, clock)
      await handle(.deadline)
    }
  }

  func handle(_ event: DiscoveryEvent) async {
    let effects = directory.handle(event, at: clock.now(), using: &generator)
    alarm.advance(to: directory.nextDeadline)
    for effect in effects {
      switch effect {
      case .sendBeacon(let bytes): await courier.sendBeacon(bytes)
      case .contact(let endpoint, _): await courier.greet(endpoint)
      case .refused: break
      }
    }
  }
}
