// Finds a way to each peer: performs what ReachCore decides, answers whoever asks to be dialled,
// and brings peers together that this one hears of.

internal import ShoalProtocol

actor Reach {
  private let ways: Ways
  private let membership: Membership
  private let courier: Courier
  private let door: StreamDoor
  private let clock: any MeshClock
  /// Where others see this peer.
  private var seen: Endpoint?
  private let errands: AsyncStream<Errand>
  private let sender: AsyncStream<Errand>.Continuation
  private var calls = Places.calls

  private enum Errand: Sendable {
    case attempt(PeerID, PeerWay)
    case answer(PeerID, UInt64)
  }

  /// A trial is in no hurry: a handshake over a satellite fits.
  private static let patience = Duration.seconds(2)

  init(
    ways: Ways, membership: Membership, courier: Courier, door: StreamDoor, clock: any MeshClock
  ) {
    self.ways = ways
    self.membership = membership
    self.courier = courier
    self.door = door
    self.clock = clock
    (errands, sender) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Limits.peers))
  }

  /// Until cancelled; `host` answers the streams of a connection that was dialled for another peer.
  func run(_ host: @escaping @Sendable (SealedLink) async -> Void) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keepTime() }
      for await errand in errands {
        group.addTask { await self.perform(errand, host) }
      }
    }
  }

  private func keepTime() async {
    while !Task.isCancelled {
      await ways.alarm.sleep(until: ways.nextDeadline, clock)
      await handle(.deadline)
    }
    sender.finish()
  }

  // MARK: What is heard

  /// A peer is alive, and this is where its datagrams come from.
  func joined(_ peer: PeerID, at endpoint: Endpoint) async {
    guard let record = await membership.record(of: peer) else { return }
    if !record.endpoints.contains(where: { $0.address == endpoint.address }) {
      await find(peer, at: endpoint)
      await send(.seen(endpoint), to: peer)
    }
    await judge(record, observed: endpoint)
  }

  func lost(_ peer: PeerID) async { await handle(.lost(peer)) }

  func receive(_ bytes: [UInt8], from peer: PeerID) async {
    switch try? ReachMessage(bytes: bytes) {
    case nil: break
    case .seen(let endpoint):
      guard seen != endpoint else { return }
      seen = endpoint
      for peer in await membership.livePeers() {
        guard let record = await membership.record(of: peer) else { continue }
        await judge(record, observed: await membership.endpoint(of: peer))
      }
    case .introduce(let other):
      guard let here = await membership.endpoint(of: peer),
        let there = await membership.endpoint(of: other)
      else { return }
      await send(.meet(other, there), to: peer)
      await send(.meet(peer, here), to: other)
    case .meet(let other, let endpoint):
      await find(other, at: endpoint)
      // Both knock at once: each opens its own router for the other.
      await courier.greet(endpoint)
    case .call(let number):
      guard calls.take(peer) else { return }
      sender.yield(.answer(peer, number))
    }
  }

  private func find(_ peer: PeerID, at endpoint: Endpoint) async {
    if ways.place(peer, at: endpoint) { await handle(.found(peer)) }
  }

  private func judge(_ record: CapabilityRecord, observed: Endpoint?) async {
    let own = await membership.ownRecord()
    let isDoubtful = ReachCore.isDoubtful(
      own: own.endpoints, seen: seen, theirs: record.endpoints, observed: observed)
    await handle(
      .joined(record.peer, isDoubtful: isDoubtful, relays: record.services.contains(.relay)))
  }

  // MARK: What is done

  private func handle(_ event: ReachCore.Event) async {
    let effects = ways.handle(event, at: clock.now())
    ways.alarm.advance(to: ways.nextDeadline)
    for effect in effects {
      switch effect {
      case .attempt(let peer, let way): sender.yield(.attempt(peer, way))
      case .introduce(let peer, let other): await send(.introduce(peer), to: other)
      }
    }
  }

  private func send(_ message: ReachMessage, to peer: PeerID) async {
    await membership.send(message.gossip, to: peer)
  }

  private func perform(
    _ errand: Errand, _ host: @escaping @Sendable (SealedLink) async -> Void
  ) async {
    switch errand {
    case .attempt(let peer, let way):
      let isReached = await attempt(peer, way)
      await handle(.tried(peer, way, succeeded: isReached))
    case .answer(let peer, let number):
      defer { calls.give(peer) }
      guard let record = await membership.record(of: peer),
        let connection = try? await door.answerCall(of: record, number, within: Self.patience)
      else { return }
      await host(connection)
    }
  }

  /// A stream that says nothing and ends; its connection is kept where it can be.
  private func attempt(_ peer: PeerID, _ way: PeerWay) async -> Bool {
    guard let record = await membership.record(of: peer),
      let link = try? await door.dial(record, .shard, by: way, within: Self.patience)
    else { return false }
    link.shutdown()
    return true
  }
}
