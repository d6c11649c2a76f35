// Knows who is alive and what each peer can do: performs what MembershipCore decides, and names the
// epochs that plans are computed in.

internal import ShoalProtocol
internal import ShoalSecurity

/// What others hear of the membership.
enum MembershipNews: Sendable {
  case joined(PeerID, at: Endpoint)
  case lost(PeerID)
  /// The view has been quiet: plans are made from this one.
  case epoch(MeshView)
  case ledger([UInt8], from: PeerID)
  case reach([UInt8], from: PeerID)
}

actor Membership {
  private let courier: Courier
  private let clock: any MeshClock
  private let identity: PeerIdentity
  private var generator: RandomSourceGenerator
  private var core: MembershipCore
  private var epochs = EpochTracker()
  private var record: CapabilityRecord
  private let alarm = Alarm()
  /// Nil where the peer states its clique itself.
  private var cliques: CliqueWatch?
  private var linksDue: Moment
  private let ways: Ways
  /// Nil: the router was not asked.
  private var portMapping: PortMappingState?
  private var news: [MembershipNews] = []
  private var announce: @Sendable (MembershipNews) async -> Void = { _ in }

  init(
    identity: PeerIdentity, record: CapabilityRecord, courier: Courier, ways: Ways,
    startsAlone: Bool, clock: any MeshClock, random: any RandomSource
  ) {
    self.identity = identity
    self.record = record
    self.courier = courier
    self.ways = ways
    self.clock = clock
    generator = RandomSourceGenerator(random)
    core = MembershipCore(peer: identity.id, verify: Membership.verification)
    if record.clique.isEmpty {
      let watch = CliqueWatch(own: identity.id, startsAlone: startsAlone)
      self.record.clique = watch.standing.name
      cliques = watch
    }
    linksDue = clock.now() + CliqueWatch.interval
  }

  /// Whether a record is signed by the peer that it is about.
  static let verification: RecordVerification = { signed in
    guard let signature = Signature(signed.signature) else { return false }
    return signature.isValid(for: signed.body, purpose: .capabilityRecord, by: signed.author)
  }

  /// Takes part until cancelled; `announce` is called with all news, in order.
  func run(_ announce: @escaping @Sendable (MembershipNews) async -> Void) async {
    self.announce = announce
    await publish()
    while !Task.isCancelled {
      await alarm.sleep(until: nextDeadline, clock)
      await handle(.deadline)
      await watchLinks()
    }
  }

  /// Says in the record which peers are near, when that has changed. Probes wake often enough.
  private func watchLinks() async {
    let now = clock.now()
    guard var watch = cliques, now >= linksDue else { return }
    linksDue = now + CliqueWatch.interval
    let links = core.table.live.compactMap { peer -> CliqueWatch.Link? in
      let (trip, isDirect) = (core.roundTrip(to: peer), ways.isDirect(peer))
      guard let record = core.table[peer]?.record, trip != nil || !isDirect else { return nil }
      return CliqueWatch.Link(
        peer: peer, roundTrip: trip?.least ?? CliqueWatch.unmeasured, samples: trip?.samples ?? 0,
        clique: record.clique, isDirect: isDirect)
    }
    let hasChanged = watch.handle(links, at: now)
    cliques = watch
    guard hasChanged else { return }
    let standing = watch.standing
    await update {
      ($0.clique, $0.outsideLatencyMicroseconds) = (standing.name, standing.outsideMicroseconds)
    }
  }

  private var nextDeadline: Moment? {
    [core.nextDeadline, epochs.nextDeadline].compactMap(\.self).min()
  }

  // MARK: What comes in

  func receive(_ payload: [UInt8], from peer: PeerID, at endpoint: Endpoint) async {
    guard let message = try? GossipMessage(bytes: payload) else { return }
    ways.observe(peer, at: endpoint)
    await handle(.received(message, from: peer, at: endpoint))
  }

  func contact(_ peer: PeerID, at endpoint: Endpoint) async {
    await handle(.contact(peer, endpoint))
  }

  /// The data path lost a peer.
  func reportUnreachable(_ peer: PeerID) async { await handle(.unreachable(peer)) }

  /// A system says that nobody listens there.
  func refused(at endpoint: Endpoint) async { await handle(.refused(endpoint)) }

  /// A connection of a peer has ended, which most often means nothing.
  func doubt(_ peer: PeerID) async { await handle(.doubted(peer)) }

  func leave() async { await handle(.leave) }

  /// Changes this peer's own record and tells the mesh, if anything differs.
  func update(_ change: @Sendable (inout CapabilityRecord) -> Void) async {
    let before = record
    change(&record)
    guard record != before else { return }
    await publish()
  }

  /// How far the router lets others in.
  func note(_ state: PortMappingState) { portMapping = state }

  func send(ledger bytes: [UInt8], to peer: PeerID) async { await send(.ledger(bytes), to: peer) }

  func send(_ message: GossipMessage, to peer: PeerID) async {
    guard let endpoint = core.table[peer]?.endpoint else { return }
    await courier.send(message.bytes, to: peer, at: endpoint)
  }

  // MARK: What is known

  /// The records that a plan may be computed from now, with their signatures.
  func signedRecords(of peers: [PeerID]) -> [SignedRecord] {
    peers.compactMap { peer in
      peer == core.peer ? core.own : core.table[peer]?.signed
    }
  }

  func view() -> MeshView { unsafe MeshView(core.standing, hash: BLAKE2b.contentHash) }

  func ownRecord() -> CapabilityRecord { record }

  func record(of peer: PeerID) -> CapabilityRecord? {
    peer == core.peer ? record : core.table[peer]?.record
  }

  /// Peers that this one itself has reason to think gone, and that have not denied it yet.
  func suspectedHere() -> [PeerID] {
    core.table.live.filter { peer in
      core.table[peer].map { $0.state == .suspect && $0.observers.contains(core.peer) } ?? false
    }
  }

  func livePeers() -> [PeerID] { core.table.live }

  func endpoint(of peer: PeerID) -> Endpoint? { core.table[peer]?.endpoint }

  /// Everybody who is known, this peer first.
  func statuses() -> [PeerStatus] {
    let own = PeerStatus(
      peer: core.peer, isSelf: true, state: .alive, record: record,
      address: record.endpoints.first, roundTrip: nil, way: nil, portMapping: portMapping)
    let others = core.table.members.values.sorted { $0.record.peer < $1.record.peer }.map {
      PeerStatus(
        peer: $0.record.peer, isSelf: false, state: $0.state, record: $0.record,
        address: $0.endpoint, roundTrip: core.roundTrip(to: $0.record.peer)?.mean,
        way: ways.way(to: $0.record.peer))
    }
    return [own] + others
  }

  // MARK: Performing

  private func publish() async {
    record.version = max(record.version + 1, clock.unixMilliseconds())
    let body = record.bytes
    let signature = identity.sign(body, purpose: .capabilityRecord).bytes
    guard let signed = SignedRecord(body: body, author: identity.id, signature: signature) else {
      preconditionFailure("a record of \(body.count) bytes; the limit is \(Limits.recordBytes)")
    }
    await handle(.localRecord(signed))
    changeEpoch()
    await tell()
  }

  private func handle(_ event: MembershipEvent) async {
    perform(core.handle(event, at: clock.now(), using: &generator))
    step(.deadline)
    alarm.advance(to: nextDeadline)
    await tell()
  }

  private func perform(_ effects: [MembershipEffect]) {
    for effect in effects {
      switch effect {
      case .send(let message, let peer, let endpoint):
        outgoing.append((message.bytes, peer, endpoint))
      case .changed(let peer, let state):
        if state.isLive, let endpoint = core.table[peer]?.endpoint {
          news.append(.joined(peer, at: endpoint))
        } else if !state.isLive {
          news.append(.lost(peer))
        }
        changeEpoch()
      case .recordChanged: changeEpoch()
      case .forgotten: break
      case .versionNeeded(let version): record.version = max(record.version, version)
      case .delivered(.ledger(let bytes), let peer): news.append(.ledger(bytes, from: peer))
      case .delivered(.custom(ReachMessage.kind, let bytes), let peer):
        news.append(.reach(bytes, from: peer))
      case .delivered, .misbehaved: break
      }
      if case .versionNeeded = effect { needsPublishing = true }
    }
  }

  private var outgoing: [([UInt8], PeerID, Endpoint)] = []
  private var needsPublishing = false

  private func changeEpoch() { step(.changed) }

  private func step(_ event: EpochTracker.Event) {
    let effects = epochs.handle(event, at: clock.now()) { view() }
    for case .epoch(let view) in effects { news.append(.epoch(view)) }
  }

  /// Hands out what was decided. Others may call in while this waits, so queues are taken first.
  private func tell() async {
    let messages = outgoing
    outgoing.removeAll(keepingCapacity: true)
    for (bytes, peer, endpoint) in messages {
      await courier.send(bytes, to: peer, at: endpoint)
    }
    let pending = news
    news.removeAll(keepingCapacity: true)
    for item in pending { await announce(item) }
    if needsPublishing {
      needsPublishing = false
      await publish()
    }
  }
}
