// Carries sealed datagrams: performs what DatagramSecurity decides, and opens beacons.

internal import ShoalProtocol
internal import ShoalSecurity

/// What arrives.
enum CourierEvent: Sendable {
  case message([UInt8], from: PeerID, at: Endpoint)
  /// Who is at an address has been proven.
  case connected(PeerID, at: Endpoint)
  case beacon([UInt8], from: Endpoint)
  /// Nobody listens there, says a system.
  case refused(Endpoint)
}

actor Courier {
  private let transport: any DatagramTransport
  private let clock: any MeshClock
  private var generator: RandomSourceGenerator
  private var security: DatagramSecurity
  private let seal: BeaconSeal
  private let alarm = Alarm()
  private var undelivered: [CourierEvent] = []
  /// Datagrams that were refused, by strangers or by accident.
  private(set) var refused = 0

  init(
    transport: any DatagramTransport, party: HandshakeParty, clock: any MeshClock,
    random: any RandomSource
  ) {
    self.transport = transport
    self.clock = clock
    generator = RandomSourceGenerator(random)
    seal = BeaconSeal(party.networkKey)
    security = DatagramSecurity(party, at: clock.now(), using: &generator)
  }

  /// Receives until the transport closes; `deliver` is called for each event in order.
  func run(_ deliver: @escaping @Sendable (CourierEvent) async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.keepTime(deliver) }
      for await datagram in transport.received {
        switch datagram.kind {
        case .own: perform(handle(.received(datagram.bytes, from: datagram.from)))
        case .beacon: open(datagram)
        case .refusal: undelivered.append(.refused(datagram.from))
        }
        for event in takeEvents() { await deliver(event) }
      }
      group.cancelAll()
    }
  }

  func send(_ payload: [UInt8], to peer: PeerID, at endpoint: Endpoint) {
    perform(handle(.send(payload, to: peer, at: endpoint)))
  }

  /// Finds out who is at `endpoint`: news of nobody is the least that takes a handshake.
  func greet(_ endpoint: Endpoint) {
    perform(handle(.sendFirstContact(GossipMessage.updates([]).bytes, at: endpoint)))
  }

  func sendBeacon(_ bytes: [UInt8]) {
    if let sealed = try? seal.seal(bytes, using: &generator) { transport.beacon(sealed) }
  }

  func forget(_ peer: PeerID) { security.forget(peer) }

  private func keepTime(_ deliver: @Sendable (CourierEvent) async -> Void) async {
    while !Task.isCancelled {
      await alarm.sleep(until: security.nextDeadline, clock)
      perform(handle(.timePassed))
      for event in takeEvents() { await deliver(event) }
    }
  }

  private func handle(_ event: DatagramSecurity.Event) -> [DatagramSecurity.Effect] {
    let effects = security.handle(
      event, at: clock.now(), time: UnixTime(milliseconds: clock.unixMilliseconds()),
      using: &generator)
    alarm.advance(to: security.nextDeadline)
    return effects
  }

  private func perform(_ effects: [DatagramSecurity.Effect]) {
    for effect in effects {
      switch effect {
      case .transmit(let bytes, let endpoint): transport.send(bytes, to: endpoint)
      case .deliver(let payload, let peer, let endpoint):
        if !payload.isEmpty { undelivered.append(.message(payload, from: peer, at: endpoint)) }
      case .connected(let remote, let endpoint):
        undelivered.append(.connected(remote.id, at: endpoint))
      case .rejected: refused += 1
      case .undelivered: break
      }
    }
  }

  private func open(_ datagram: Datagram) {
    do {
      undelivered.append(.beacon(try seal.open(datagram.bytes), from: datagram.from))
    } catch {
      refused += 1
    }
  }

  private func takeEvents() -> [CourierEvent] {
    defer { undelivered.removeAll(keepingCapacity: true) }
    return undelivered
  }
}

extension UnixTime {
  init(milliseconds: UInt64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    self.init(nanoseconds: overflow ? .max : product)
  }
}
