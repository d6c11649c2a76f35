// One peer's part in the mesh's membership: hears messages and timers, decides what to send and
// whom to believe alive. The Membership actor performs what it answers.

public enum MembershipEvent: Hashable, Sendable {
  /// A message that came over `from`'s authenticated channel.
  case received(GossipMessage, from: PeerID, at: Endpoint)
  /// `nextDeadline` has come.
  case deadline
  /// This peer's own record, new or changed, signed. Nothing is sent before the first.
  case localRecord(SignedRecord)
  /// A peer of this network was found there (a beacon, a bootstrap address) and proved its name.
  case contact(PeerID, Endpoint)
  /// The data path lost this peer (a reset connection): as good as a failed probe.
  case unreachable(PeerID)
  /// The system says that nobody listens at that address: a hint, which anybody can forge.
  case refused(Endpoint)
  /// A connection of this peer has ended: a reason to look at it.
  case doubted(PeerID)
  /// Says goodbye; nothing is sent or believed afterwards.
  case leave
}

public enum MembershipEffect: Hashable, Sendable {
  case send(GossipMessage, to: PeerID, at: Endpoint)
  /// A peer came, fell under suspicion (said again for each observer more), recovered or went.
  case changed(PeerID, MemberState)
  /// A peer that is gone was forgotten.
  case forgotten(PeerID)
  /// A verified record, new or newer than the one before.
  case recordChanged(CapabilityRecord)
  /// Others hold a record of this peer that its present one does not outrank (its clock went
  /// back, or its denials are used up): sign one with a version above this.
  case versionNeeded(above: UInt64)
  /// Gossip for another room: `ledger` or `custom`.
  case delivered(GossipMessage, from: PeerID)
  /// A record with a false signature or impossible bytes.
  case misbehaved(PeerID)
}

/// SWIM with Lifeguard over signed records. Pure: time, chance and datagrams are arguments.
///
/// Claims about who lives are not signed: a member can lie about another until that one denies it.
/// What a peer *is* comes only from its own signed record, and nobody else can outrank that.
public struct MembershipCore: Sendable {
  public let peer: PeerID
  public let configuration: MembershipConfiguration
  let read: RecordReading

  public internal(set) var table: MembershipTable
  public internal(set) var detector: FailureDetector
  var ownHeld: HeldRecord?
  public internal(set) var incarnation = Incarnation(0)
  public internal(set) var hasLeft = false

  var queue = DisseminationQueue()
  var wanted: [PeerID: WantedRecord] = [:]
  /// When a wanted record is to be asked for, or earlier: who has come meanwhile leaves it.
  var nextRequest: Moment?
  var nextGossip: Moment?
  var nextSync: Moment?
  /// Filled during one call of `handle`, empty between calls.
  var effects: [MembershipEffect] = []

  public init(
    peer: PeerID, configuration: MembershipConfiguration = MembershipConfiguration(),
    verify: @escaping RecordVerification
  ) {
    self.init(
      peer: peer, configuration: configuration,
      read: { signed in
        guard let record = try? signed.record(), verify(signed) else { return nil }
        return HeldRecord(signed, record)
      })
  }

  public init(
    peer: PeerID, configuration: MembershipConfiguration = MembershipConfiguration(),
    read: @escaping RecordReading
  ) {
    self.peer = peer
    self.configuration = configuration
    self.read = read
    table = MembershipTable(configuration: configuration)
    detector = FailureDetector(peer: peer, configuration: configuration)
  }

  /// The records of everybody who takes part in plans, this peer's own included, sorted by peer.
  /// A suspect stays until `cutObservers` peers suspect it: one flaky observer moves nothing (the
  /// cut filter of Rapid, Suresh et al. 2018, without its vote).
  public var standing: [HeldRecord] {
    var records = table.standing(observers: cutObservers)
    guard let ownHeld else { return records }
    let place = records.partitionPoint { $0.record.peer > peer }
    records.insert(ownHeld, at: place)
    return records
  }

  /// Three, but no more than half of a small mesh, and never one alone.
  package var cutObservers: Int { min(3, max(2, table.peerCount / 2)) }

  /// This peer's own record as it was last signed; nil before the first.
  public var own: SignedRecord? { ownHeld?.signed }
  public var ownRecord: CapabilityRecord? { ownHeld?.record }

  /// The smoothed round trip to a peer, from probes; nil before the first answer.
  public func roundTrip(to peer: PeerID) -> RoundTripEstimate? { detector.roundTrips[peer] }

  /// Claims that wait to be passed on, and records that were asked for: what the limits bound.
  package var pendingNews: Int { queue.count }
  package var pendingRecords: Int { wanted.count }

  /// When to come again; follows from all events so far.
  public private(set) var nextDeadline: Moment?

  private var earliestDeadline: Moment? {
    guard ownHeld != nil, !hasLeft else { return nil }
    var earliest = nextRequest
    earliest.advance(to: detector.nextDeadline)
    earliest.advance(to: table.nextDeadline)
    earliest.advance(to: nextGossip)
    earliest.advance(to: nextSync)
    return earliest
  }

  public mutating func handle(
    _ event: MembershipEvent, at now: Moment, using random: inout some RandomNumberGenerator
  ) -> [MembershipEffect] {
    guard !hasLeft else { return [] }
    switch event {
    case .received(let message, let sender, let endpoint):
      guard ownHeld != nil, sender != peer else { break }
      receive(message, from: sender, at: endpoint, now: now, using: &random)
    case .deadline:
      break
    case .localRecord(let signed):
      adopt(signed, at: now, using: &random)
    case .contact(let other, let endpoint):
      greet(other, at: endpoint)
    case .unreachable(let other):
      suspect(other, at: now)
    case .refused(let endpoint):
      for other in table.live where table[other]?.endpoint == endpoint {
        detector.refused(other, at: now)
      }
    case .doubted(let other):
      if table[other]?.state == .alive { detector.doubt(other, at: now) }
    case .leave:
      leave(using: &random)
    }
    if ownHeld != nil, !hasLeft { performDue(at: now, using: &random) }
    nextDeadline = earliestDeadline
    defer { effects.removeAll(keepingCapacity: true) }
    return effects
  }

  // MARK: - Messages

  private mutating func receive(
    _ message: GossipMessage, from sender: PeerID, at endpoint: Endpoint, now: Moment,
    using random: inout some RandomNumberGenerator
  ) {
    table.observe(sender, at: endpoint)
    if !table.holds(sender) {
      want(sender, Incarnation(0), from: sender, at: endpoint, now: now)
    }
    switch message {
    case .ping(let sequence, let updates):
      learn(updates, from: sender, at: endpoint, now: now, using: &random)
      let news = takeNews(for: sender)
      effects.append(.send(.ack(sequence: sequence, updates: news), to: sender, at: endpoint))
    case .ack(let sequence, let updates):
      learn(updates, from: sender, at: endpoint, now: now, using: &random)
      perform(detector.ack(sequence, from: sender, at: now), at: now)
    case .pingRequest(let sequence, let target, let updates):
      learn(updates, from: sender, at: endpoint, now: now, using: &random)
      guard table.endpoint(of: target) != nil else { return }
      perform(
        detector.relay(for: sender, sequence: sequence, target: target, at: now), at: now)
    case .nack(let sequence):
      detector.nack(sequence, from: sender, at: now)
    case .updates(let updates):
      learn(updates, from: sender, at: endpoint, now: now, using: &random)
    case .syncOffer(let fingerprint, let isReply):
      answer(
        fingerprint, isReply: isReply, from: sender, at: endpoint, now: now, using: &random)
    case .recordRequest(let peers):
      sendRecords(of: peers, to: sender, at: endpoint)
    case .records(let records):
      for signed in records {
        accept(signed, from: sender, now: now, using: &random)
      }
    case .ledger, .custom:
      effects.append(.delivered(message, from: sender))
    }
  }

  // MARK: - Timers

  private mutating func performDue(
    at now: Moment, using random: inout some RandomNumberGenerator
  ) {
    if detector.nextDeadline ?? now <= now { probe(at: now, using: &random) }
    for suspect in table.overdue(at: now) {
      guard let member = table[suspect] else { continue }
      believe(MemberUpdate(suspect, member.incarnation, .dead), at: now)
    }
    for peer in table.forget(at: now) {
      detector.forget(peer)
      queue.drop(peer)
      effects.append(.forgotten(peer))
    }
    gossip(at: now, using: &random)
    sync(at: now, using: &random)
    requestWanted(at: now, using: &random)
  }

  private mutating func probe(at now: Moment, using random: inout some RandomNumberGenerator) {
    let (known, peer, configuration) = (table, peer, configuration)
    let priors = { (peer: PeerID) -> Duration in
      .microseconds(Int64(known[peer]?.held.record.latencyPriorMicroseconds ?? 0) * 4)
    }
    let isSettled = { (suspect: PeerID) -> Bool in
      let observers = known[suspect]?.observers ?? []
      return observers.contains(peer) || observers.count > configuration.confirmations
    }
    let actions = detector.tick(
      live: known.live, prior: priors, isSettled: isSettled, at: now, using: &random)
    perform(actions, at: now)
  }

  private mutating func perform(_ actions: [FailureDetector.Effect], at now: Moment) {
    for action in actions {
      switch action {
      case .ping(let target, let sequence):
        send(to: target) { .ping(sequence: sequence, updates: $0.takeNews(for: target)) }
      case .requestPing(let target, let relay, let sequence):
        send(to: relay) {
          .pingRequest(sequence: sequence, target: target, updates: $0.takeNews(for: relay))
        }
      case .ack(let requester, let sequence):
        send(to: requester) { .ack(sequence: sequence, updates: $0.takeNews(for: requester)) }
      case .nack(let requester, let sequence):
        send(to: requester) { _ in .nack(sequence: sequence) }
      case .suspect(let target):
        suspect(target, at: now)
      }
    }
  }

  /// Sends to a member; the message is made only if there is somewhere to send it.
  mutating func send(to member: PeerID, _ message: (inout MembershipCore) -> GossipMessage) {
    guard let endpoint = table.endpoint(of: member) else { return }
    effects.append(.send(message(&self), to: member, at: endpoint))
  }
}
