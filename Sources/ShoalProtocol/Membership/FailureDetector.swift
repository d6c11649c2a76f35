// Asks one peer after another whether it lives; by others' help before it suspects anybody.

/// SWIM's probe (section 3.1) with Lifeguard's local health and nacks. It knows peers by name
/// only: the table says who there is, the caller sends.
///
/// Two deviations make a crash known sooner at the same traffic. Every second probe goes to the
/// next peer in the ring of ids (as Rapid's monitors, Suresh et al. 2018), the others round in
/// random order (section 4.3): chance alone leaves one peer in a hundred unasked for five
/// intervals. And whoever is in doubt is probed at once (`doubt`), with relays of one's own: by a
/// relay whose ping was not answered, and by some of those who hear of a suspicion. The cut filter
/// needs several observers, and those need not wait for chance.
public struct FailureDetector: Sendable {
  public enum Effect: Hashable, Sendable {
    case ping(PeerID, sequence: UInt32)
    case requestPing(of: PeerID, by: PeerID, sequence: UInt32)
    /// Passes a relayed answer on to who asked for it.
    case ack(PeerID, sequence: UInt32)
    case nack(PeerID, sequence: UInt32)
    case suspect(PeerID)
  }

  private struct Probe: Sendable {
    let target: PeerID
    let sequence: UInt32
    let startedAt: Moment
    /// When others are asked; nil: they were, or an answer came.
    var directDeadline: Moment?
    var relays: [PeerID] = []
    var nacks: Set<PeerID> = []
    var isAnswered = false
    /// Nobody listens where it was asked.
    var isRefused = false
    /// No wait can bring anything more.
    var isHopeless: Bool { isRefused && directDeadline == nil && nacks.count == relays.count }
  }

  /// A ping on behalf of somebody else.
  private struct Relay: Sendable {
    let sequence: UInt32
    let target: PeerID
    let requester: PeerID
    let requestedSequence: UInt32
    /// When the requester hears that nothing came; nil: it did.
    var nackAt: Moment?
    let expiresAt: Moment
  }

  /// What others can make this peer remember.
  private static let mostRelays = 64
  /// Probes that ended without an answer, whose late answers still tell how far their targets are.
  private static let mostLate = 16

  private let peer: PeerID
  private let configuration: MembershipConfiguration
  private(set) var health: LocalHealth
  public private(set) var roundTrips: [PeerID: RoundTripEstimate] = [:]
  private var probe: Probe?
  /// Without these a link slower than the first patience would never be measured, and its peer
  /// suspected for ever.
  private var late: [Probe] = []
  private var relays: [Relay] = []
  private var order: [PeerID] = []
  /// Who is to be asked before anybody else.
  private var doubtful: [PeerID] = []
  private var asksNeighbour = true
  private var sequence: UInt32 = 0
  private var nextProbe: Moment?

  public init(
    peer: PeerID, configuration: MembershipConfiguration = MembershipConfiguration()
  ) {
    self.peer = peer
    self.configuration = configuration
    health = LocalHealth(limit: configuration.healthLimit)
  }

  public var healthScore: Int { health.score }

  public var nextDeadline: Moment? {
    var earliest = nextProbe
    earliest.advance(to: probe?.directDeadline)
    for relay in relays { earliest.advance(to: relay.nackAt ?? relay.expiresAt) }
    return earliest
  }

  /// Performs what is due. `live` are the peers to ask, sorted; `prior` says how long an answer
  /// of one may take that was never measured; `isSettled`, whether enough others suspect a peer
  /// for this one not to look as well.
  public mutating func tick(
    live: [PeerID], prior: (PeerID) -> Duration, isSettled: (PeerID) -> Bool, at now: Moment,
    using random: inout some RandomNumberGenerator
  ) -> [Effect] {
    var effects = tickRelays(at: now)
    doubtful.removeAll { isSettled($0) }
    hurry(at: now)
    if let direct = probe?.directDeadline, direct <= now {
      effects += askOthers(live: live, using: &random)
      if probe?.isHopeless == true { nextProbe = now }
    }
    guard let nextProbe else {
      // The first probe comes at a random point of the interval, so that peers that start
      // together do not stay in step.
      guard !live.isEmpty else { return effects }
      let interval = configuration.probeInterval.nanoseconds
      self.nextProbe = now + .nanoseconds(Int64.random(in: 0..<interval, using: &random))
      return effects
    }
    guard nextProbe <= now else { return effects }
    effects += conclude(live: live)
    effects += start(live: live, prior: prior, at: now, using: &random)
    return effects
  }

  /// A peer that asks on behalf of `requester`. Requests beyond the bound are dropped: the
  /// requester has others to ask.
  public mutating func relay(
    for requester: PeerID, sequence requested: UInt32, target: PeerID, at now: Moment
  ) -> [Effect] {
    guard relays.count < Self.mostRelays else { return [] }
    sequence &+= 1
    let nackAfter = configuration.nackAfter
    relays.append(
      Relay(
        sequence: sequence, target: target, requester: requester, requestedSequence: requested,
        nackAt: now + nackAfter, expiresAt: now + nackAfter + configuration.probeInterval))
    return [.ping(target, sequence: sequence)]
  }

  public mutating func ack(_ acknowledged: UInt32, from peer: PeerID, at now: Moment) -> [Effect] {
    if let index = relays.firstIndex(where: { $0.sequence == acknowledged && $0.target == peer }) {
      let relay = relays.remove(at: index)
      return [.ack(relay.requester, sequence: relay.requestedSequence)]
    }
    if let index = late.firstIndex(where: { $0.sequence == acknowledged && $0.target == peer }) {
      measure(late.remove(at: index), at: now)
      return []
    }
    guard var probe, probe.sequence == acknowledged, !probe.isAnswered else { return [] }
    if peer == probe.target {
      measure(probe, at: now)
    } else {
      guard probe.relays.contains(peer) else { return [] }
    }
    probe.isAnswered = true
    probe.directDeadline = nil
    self.probe = probe
    health.recover()
    hasten(after: probe, at: now)
    hurry(at: now)
    return []
  }

  private mutating func measure(_ probe: Probe, at now: Moment) {
    let sample = now - probe.startedAt
    roundTrips[probe.target]?.add(sample)
    if roundTrips[probe.target] == nil {
      roundTrips[probe.target] = RoundTripEstimate(first: sample)
    }
  }

  public mutating func nack(_ sequence: UInt32, from peer: PeerID, at now: Moment) {
    guard var probe, probe.sequence == sequence, probe.relays.contains(peer) else { return }
    probe.nacks.insert(peer)
    self.probe = probe
    if probe.isHopeless, !probe.isAnswered { nextProbe = now }
  }

  /// A system says that nobody listens where `target` is asked: what its silence would have said,
  /// sooner. Others are asked as ever before it is suspected, since anybody can forge such a word.
  public mutating func refused(_ target: PeerID, at now: Moment) {
    for index in relays.indices where relays[index].target == target {
      if relays[index].nackAt != nil { relays[index].nackAt = now }
    }
    guard probe?.target == target else { return doubt(target, at: now) }
    guard probe?.directDeadline != nil else { return }
    probe?.isRefused = true
    probe?.directDeadline = now
  }

  /// This peer was suspected and is alive: its own answers come late.
  public mutating func wasSuspected() { health.degrade() }

  /// A new peer joins the present round at a random place.
  public mutating func add(_ peer: PeerID, using random: inout some RandomNumberGenerator) {
    order.insert(peer, at: Int.random(in: 0...order.count, using: &random))
  }

  public mutating func forget(_ peer: PeerID) { roundTrips[peer] = nil }

  // MARK: - The probe

  private mutating func start(
    live: [PeerID], prior: (PeerID) -> Duration, at now: Moment,
    using random: inout some RandomNumberGenerator
  ) -> [Effect] {
    let interval = configuration.probeInterval * health.multiplier
    guard let target = nextTarget(live: live, using: &random) else {
      nextProbe = live.isEmpty ? nil : now + interval
      return []
    }
    sequence &+= 1
    let usual = usualAnswer(of: target) ?? prior(target)
    let timeout = max(configuration.probeTimeout, usual) * health.multiplier
    let end = now + max(interval, timeout * 2)
    probe = Probe(
      target: target, sequence: sequence, startedAt: now, directDeadline: now + timeout)
    nextProbe = end
    return [.ping(target, sequence: sequence)]
  }

  /// Whoever is in doubt; else by turns the neighbour, and the next peer of a shuffled round.
  private mutating func nextTarget(
    live: [PeerID], using random: inout some RandomNumberGenerator
  ) -> PeerID? {
    guard !live.isEmpty else { return nil }
    while !doubtful.isEmpty {
      let candidate = doubtful.removeFirst()
      if live.holds(candidate) { return candidate }
    }
    asksNeighbour.toggle()
    if !asksNeighbour {
      let next = live.partitionPoint { $0 > peer }
      return live[next < live.count ? next : 0]
    }
    for _ in 0..<2 {
      while let candidate = order.popLast() {
        if live.holds(candidate) { return candidate }
      }
      order = live.shuffled(using: &random)
    }
    return nil
  }

  private mutating func askOthers(
    live: [PeerID], using random: inout some RandomNumberGenerator
  ) -> [Effect] {
    guard var probe else { return [] }
    probe.directDeadline = nil
    let others = live.filter { $0 != probe.target }.shuffled(using: &random)
    probe.relays = Array(others.prefix(configuration.indirectProbes))
    self.probe = probe
    return probe.relays.map {
      .requestPing(of: probe.target, by: $0, sequence: probe.sequence)
    }
  }

  /// Ends the running probe: no answer is a suspicion, and missing nacks are a hint that the
  /// fault is here.
  private mutating func conclude(live: [PeerID]) -> [Effect] {
    defer { probe = nil }
    guard let probe, !probe.isAnswered else { return [] }
    late = late.suffix(Self.mostLate - 1) + [probe]
    let isAlone = probe.relays.isEmpty && !probe.isRefused
    health.degrade(by: isAlone ? 1 : probe.relays.count - probe.nacks.count)
    return [.suspect(probe.target)]
  }

  /// Asks `target` before anybody else: now, or when the probe under way has ended.
  mutating func doubt(_ target: PeerID, at now: Moment) {
    if !doubtful.contains(target) { doubtful.append(target) }
    hurry(at: now)
  }

  /// What a silent peer would have been given need not be waited for once it has answered: after a
  /// time of slow links every probe would take twice as long, and a crash be found as much later.
  private mutating func hasten(after answered: Probe, at now: Moment) {
    let usual = answered.startedAt + configuration.probeInterval * health.multiplier
    nextProbe = nextProbe.map { min($0, max(now, usual)) }
  }

  /// A probe that waits for its answer is not cut short.
  private mutating func hurry(at now: Moment) {
    if !doubtful.isEmpty, nextProbe != nil, probe?.isAnswered ?? true { nextProbe = now }
  }

  /// Whether a relayed ping that went unanswered says something: the link is no excuse.
  private func isQuick(_ target: PeerID) -> Bool {
    usualAnswer(of: target).map { $0 <= configuration.nackAfter } ?? true
  }

  /// Two round trips and what they vary by; nil before the first. Bounded by the quickest of late:
  /// a peer that was stopped for seconds answers at last, and that tells nothing of its link.
  /// Without the bound its next silence would be waited for as long.
  private func usualAnswer(of target: PeerID) -> Duration? {
    roundTrips[target].map {
      min($0.mean * 2 + $0.deviation * 4, $0.least * 4 + configuration.probeTimeout * 2)
    }
  }

  private mutating func tickRelays(at now: Moment) -> [Effect] {
    var effects: [Effect] = []
    for index in relays.indices {
      guard let nackAt = relays[index].nackAt, nackAt <= now else { continue }
      relays[index].nackAt = nil
      if isQuick(relays[index].target) { doubt(relays[index].target, at: now) }
      effects.append(.nack(relays[index].requester, sequence: relays[index].requestedSequence))
    }
    relays.removeAll { $0.expiresAt <= now }
    return effects
  }
}

extension [PeerID] {
  /// Whether a sorted list has `peer`.
  fileprivate func holds(_ peer: PeerID) -> Bool {
    let position = partitionPoint { $0 >= peer }
    return position < count && self[position] == peer
  }
}
