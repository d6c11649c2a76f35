// Who is in the mesh, as one peer believes: claims come in, the newest and worst stand.

public enum MemberState: Hashable, Sendable {
  case alive
  /// Did not answer; has until its suspicion's deadline to deny.
  case suspect
  case dead
  /// Said goodbye.
  case left

  public var isLive: Bool { self == .alive || self == .suspect }
}

/// What is known of one other peer.
public struct Member: Sendable {
  public fileprivate(set) var held: HeldRecord
  public fileprivate(set) var incarnation: Incarnation
  public fileprivate(set) var state: MemberState
  fileprivate(set) var suspicion: Suspicion?
  /// Where its last datagram came from: through an address translation, the only place.
  fileprivate(set) var observedEndpoint: Endpoint?
  fileprivate(set) var goneSince: Moment?

  public var signed: SignedRecord { held.signed }
  public var record: CapabilityRecord { held.record }
  public var endpoint: Endpoint? { observedEndpoint ?? record.endpoints.first }
  /// The peers that suspect it, sorted.
  public var observers: [PeerID] { suspicion?.observers ?? [] }

  var update: MemberUpdate {
    let claim: MemberClaim =
      switch state {
      case .alive: .alive
      case .suspect: suspicion?.observers.first.map { .suspect(observer: $0) } ?? .alive
      case .dead: .dead
      case .left: .left
      }
    return MemberUpdate(record.peer, incarnation, claim)
  }
}

/// The table of all other peers: applies claims by SWIM's order of precedence (section 4.2).
/// Bounded by `Limits.peers`.
public struct MembershipTable: Sendable {
  public private(set) var members: [PeerID: Member] = [:]
  /// Alive and suspect, sorted.
  public private(set) var live: [PeerID] = []
  /// Over the live members, its owner not among them.
  private(set) var fingerprint = TableFingerprint()
  /// When each suspicion runs out, and when whoever is gone can be forgotten.
  private var suspects: [PeerID: Moment] = [:]
  private var gone: [PeerID: Moment] = [:]
  /// When a suspicion may run out or somebody can be forgotten, or earlier: the table is looked at
  /// for each datagram and seldom has anything due, so who recovers leaves it as it is.
  private(set) var nextDeadline: Moment?
  private let configuration: MembershipConfiguration

  init(configuration: MembershipConfiguration) { self.configuration = configuration }

  public subscript(peer: PeerID) -> Member? { members[peer] }

  func holds(_ peer: PeerID) -> Bool { members.index(forKey: peer) != nil }

  /// Where to send to a member; asked for each datagram, so the member is not copied for it.
  package func endpoint(of peer: PeerID) -> Endpoint? {
    members.index(forKey: peer).flatMap { members.values[$0].endpoint }
  }

  /// Live members and the owner.
  public var peerCount: Int { live.count + 1 }

  /// Whether a claim says nothing new for certain: others are looked at more closely by `apply`.
  func knows(_ update: MemberUpdate) -> Bool {
    guard let place = members.index(forKey: update.peer) else { return false }
    let known = members.values[place].incarnation
    guard update.incarnation == known else { return update.incarnation < known }
    return switch update.claim {
    case .alive: true
    case .suspect(let observer):
      !members.values[place].state.isLive
        || members.values[place].suspicion?.counts(observer) == false
    case .dead, .left: !members.values[place].state.isLive
    }
  }

  /// What a claim did to the table.
  enum Verdict: Equatable {
    case stale
    /// Nothing moved, but another observer counts: worth passing on.
    case confirmed
    case changed
    /// A claim about a peer or a version that no signed record is held of.
    case recordNeeded
  }

  mutating func apply(_ update: MemberUpdate, at now: Moment) -> Verdict {
    guard let member = members[update.peer] else {
      switch update.claim {
      case .alive, .suspect: return .recordNeeded
      case .dead, .left: return .stale
      }
    }
    guard update.incarnation.version <= member.record.version else { return .recordNeeded }
    switch update.claim {
    case .alive: return applyAlive(update, to: member)
    case .suspect(let observer): return applySuspect(update, by: observer, to: member, at: now)
    case .dead: return applyGone(update, state: .dead, to: member, at: now)
    case .left: return applyGone(update, state: .left, to: member, at: now)
    }
  }

  private mutating func applyAlive(_ update: MemberUpdate, to member: Member) -> Verdict {
    guard update.incarnation > member.incarnation else { return .stale }
    change(update.peer) {
      $0.incarnation = update.incarnation
      $0.state = .alive
    }
    return .changed
  }

  private mutating func applySuspect(
    _ update: MemberUpdate, by observer: PeerID, to member: Member, at now: Moment
  ) -> Verdict {
    guard update.incarnation >= member.incarnation else { return .stale }
    let isNewer = update.incarnation > member.incarnation
    switch member.state {
    case .suspect where !isNewer:
      let counts = members[update.peer]?.suspicion?.confirm(by: observer) ?? false
      if counts { index(update.peer, members[update.peer]) }
      return counts ? .confirmed : .stale
    case .dead where !isNewer, .left where !isNewer:
      return .stale
    case .alive, .suspect, .dead, .left:
      let suspicion = Suspicion(
        by: observer, at: now, peers: peerCount, configuration: configuration)
      change(update.peer) {
        $0.incarnation = update.incarnation
        $0.state = .suspect
        $0.suspicion = suspicion
      }
      return .changed
    }
  }

  private mutating func applyGone(
    _ update: MemberUpdate, state: MemberState, to member: Member, at now: Moment
  ) -> Verdict {
    guard update.incarnation >= member.incarnation, member.state.isLive else { return .stale }
    change(update.peer) {
      $0.incarnation = update.incarnation
      $0.state = state
      $0.goneSince = now
    }
    return .changed
  }

  /// Takes a record whose signature was verified. True if it is news. A newer version speaks for
  /// itself: its author lived to sign it.
  mutating func accept(_ held: HeldRecord, denials: UInt16) -> Bool {
    let record = held.record
    let incarnation = Incarnation(version: record.version, denials: denials)
    if let member = members[record.peer] {
      guard record.version > member.held.record.version else { return false }
      change(record.peer) {
        $0.held = held
        $0.incarnation = incarnation
        $0.state = .alive
      }
      return true
    }
    guard makeRoom() else { return false }
    let member = Member(held: held, incarnation: incarnation, state: .alive)
    members[record.peer] = member
    reindex(record.peer, from: nil, to: member)
    return true
  }

  mutating func observe(_ peer: PeerID, at endpoint: Endpoint) {
    guard let place = members.index(forKey: peer),
      members.values[place].observedEndpoint != endpoint
    else { return }
    members.values[place].observedEndpoint = endpoint
  }

  /// The suspects whose time is up at `now`, sorted.
  func overdue(at now: Moment) -> [PeerID] {
    guard isDue(at: now) else { return [] }
    return suspects.lazy.filter { $0.value <= now }.map(\.key).sorted()
  }

  /// Forgets who has been gone long enough; sorted. Comes after `overdue` is dealt with.
  mutating func forget(at now: Moment) -> [PeerID] {
    guard isDue(at: now) else { return [] }
    let due = gone.lazy.filter { $0.value <= now }.map(\.key).sorted()
    for peer in due { remove(peer) }
    nextDeadline = nil
    for deadline in suspects.values { nextDeadline.advance(to: deadline) }
    for deadline in gone.values { nextDeadline.advance(to: deadline) }
    return due
  }

  private func isDue(at now: Moment) -> Bool { nextDeadline.map { $0 <= now } ?? false }

  /// The records of the owner's plans, sorted by peer: of all live members but those that as many
  /// as `observers` suspect.
  func standing(observers: Int) -> [HeldRecord] {
    live.compactMap { peer in
      guard let place = members.index(forKey: peer) else { return nil }
      let suspicion = members.values[place].suspicion?.observers.count ?? 0
      return suspicion < observers ? members.values[place].held : nil
    }
  }

  /// The claims about everybody in one bucket of the fingerprint, sorted by peer.
  func claims(in bucket: Int) -> [MemberUpdate] {
    // A bucket is a range of ids.
    let first = live.partitionPoint { TableFingerprint.bucket(of: $0) >= bucket }
    let end = live.partitionPoint { TableFingerprint.bucket(of: $0) > bucket }
    let others = gone.keys.filter { TableFingerprint.bucket(of: $0) == bucket }
    return (live[first..<end] + others).sorted().compactMap { members[$0]?.update }
  }

  /// A full table gives up who has been gone longest; with nobody gone it takes no more.
  private mutating func makeRoom() -> Bool {
    guard members.count >= Limits.peers - 1 else { return true }
    guard let longest = gone.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else {
      return false
    }
    remove(longest.key)
    return true
  }

  private mutating func remove(_ peer: PeerID) {
    reindex(peer, from: members.removeValue(forKey: peer), to: nil)
  }

  /// Every change of state goes through here, so that the indices follow.
  private mutating func change(_ peer: PeerID, _ edit: (inout Member) -> Void) {
    guard var member = members[peer] else { return }
    let before = member
    edit(&member)
    if member.state != .suspect { member.suspicion = nil }
    if member.state.isLive { member.goneSince = nil }
    members[peer] = member
    reindex(peer, from: before, to: member)
  }

  /// - Parameters:
  ///   - before: nil where the peer is new.
  ///   - after: nil where it is forgotten.
  private mutating func reindex(_ peer: PeerID, from before: Member?, to after: Member?) {
    let (wasLive, isLive) = (before?.state.isLive == true, after?.state.isLive == true)
    if let before, wasLive { fingerprint.toggle(peer, before.incarnation) }
    if let after, isLive { fingerprint.toggle(peer, after.incarnation) }
    if wasLive != isLive {
      let place = live.partitionPoint { $0 >= peer }
      if isLive { live.insert(peer, at: place) } else { live.remove(at: place) }
    }
    index(peer, after)
  }

  /// Notes when the peer's state ends by itself.
  private mutating func index(_ peer: PeerID, _ member: Member?) {
    suspects[peer] = member?.suspicion?.deadline
    gone[peer] = member?.goneSince.map { $0 + configuration.forgetAfter }
    nextDeadline.advance(to: suspects[peer] ?? gone[peer])
  }
}

extension Array {
  /// The first index whose element satisfies `predicate`, where all after it do too.
  func partitionPoint(_ predicate: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      (low, high) = predicate(self[middle]) ? (low, middle) : (middle + 1, high)
    }
    return low
  }
}
