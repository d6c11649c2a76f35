// Has the router let others in to this peer's port: performs what PortMappingCore decides, and says
// in the peer's record where that is.

internal import ShoalProtocol

actor PortMapper {
  private let gateway: any GatewayTransport
  private let membership: Membership
  private let clock: any MeshClock
  private var core: PortMappingCore
  private var state = PortMappingState.asking

  /// Nil where there is no router to ask, or nothing to ask for.
  init?(
    gateway: (any GatewayTransport)?, port: UInt16?, membership: Membership, clock: any MeshClock,
    random: any RandomSource
  ) {
    guard let gateway, let port else { return nil }
    self.gateway = gateway
    self.membership = membership
    self.clock = clock
    var generator = RandomSourceGenerator(random)
    core = PortMappingCore(client: gateway.client, port: port, using: &generator)
  }

  /// Until cancelled; then the router may forget the port.
  func run() async {
    await handle(.start)
    while !Task.isCancelled {
      if let bytes = await gateway.receive(until: core.nextDeadline) {
        await handle(.received(bytes))
      } else if !Task.isCancelled {
        await handle(.deadline)
      }
    }
    await handle(.stop)
  }

  private func handle(_ event: PortMappingCore.Event) async {
    let before = core.mapping
    for effect in core.handle(event, at: clock.now()) {
      switch effect {
      case .send(let bytes): gateway.send(bytes)
      case .mapped(let mapping):
        state = .mapped(mapping)
        await tell(mapping.outside, instead: before?.outside)
      case .unmapped(let failure):
        state = .failed(failure)
        await tell(nil, instead: before?.outside)
      }
    }
  }

  /// The address outside comes first: whoever only heard of this peer knocks there. Who shares its
  /// home hears it from another address, and dials that (`Ways.endpoints`).
  private func tell(_ outside: Endpoint?, instead former: Endpoint?) async {
    let state = state
    await membership.note(state)
    await membership.update { record in
      let own = record.endpoints.filter { $0 != former && $0 != outside }
      let all = [outside].compactMap(\.self) + own
      record.endpoints = Array(all.prefix(Limits.endpointsPerPeer))
    }
  }
}
