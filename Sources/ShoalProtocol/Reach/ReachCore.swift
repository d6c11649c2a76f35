// Which way a stream takes to each peer: dialled, called for, or through a relay. Nothing is tried
// where addresses are what they seem; where translation is in play, one way after the other, the
// best first, until one has worked.

/// How this peer gets a stream to another.
public enum PeerWay: Hashable, Sendable {
  /// It is dialled at an address of its own.
  case direct
  /// It cannot be dialled, but dials this peer when asked.
  case called
  /// Neither reaches the other; a third peer carries what they have sealed.
  case relayed(by: PeerID)
}

/// A core: the Reach actor tries what it says and tells what came of it.
public struct ReachCore: Sendable {
  public enum Event: Hashable, Sendable {
    /// A live peer; `isDoubtful`: one of the two seems to be behind address translation.
    case joined(PeerID, isDoubtful: Bool, relays: Bool)
    case lost(PeerID)
    /// Another address of a peer was heard of.
    case found(PeerID)
    case tried(PeerID, PeerWay, succeeded: Bool)
    /// A stream on the way that had worked did not come about.
    case failed(PeerID)
    case deadline
  }

  public enum Effect: Hashable, Sendable {
    case attempt(PeerID, PeerWay)
    /// Ask `by` to bring this peer and the other together, for datagrams.
    case introduce(PeerID, by: PeerID)
  }

  private enum State: Sendable {
    /// Addresses are what they seem: direct, untried.
    case plain
    case trying(PeerWay, then: [PeerWay])
    case settled(PeerWay)
    /// No way worked.
    case unreached
  }

  private struct Member: Sendable {
    var state = State.plain
    var relays: Bool
    var retryAt: Moment?
    var failures = 0
  }

  /// After all ways have failed; doubled each time.
  static let firstRetry = Duration.seconds(1)
  static let longestRetry = Duration.seconds(60)
  /// A relayed pair looks for a better way that often.
  static let relayReview = Duration.seconds(300)
  /// Relays that are tried for one peer.
  static let mostRelays = 3

  public let peer: PeerID
  private var members: [PeerID: Member] = [:]

  public init(peer: PeerID) { self.peer = peer }

  public var nextDeadline: Moment? { members.values.compactMap(\.retryAt).min() }

  /// The way that a stream to `peer` takes; nil: none is known to work.
  public func way(to peer: PeerID) -> PeerWay? {
    switch members[peer]?.state {
    case .plain, nil: .direct
    case .settled(let way): way
    case .trying, .unreached: nil
    }
  }

  /// What a stream to `peer` is to try, in this order.
  public func order(for peer: PeerID) -> [PeerWay] { way(to: peer).map { [$0] } ?? all(for: peer) }

  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    switch event {
    case .joined(let other, let isDoubtful, let relays):
      return join(other, isDoubtful: isDoubtful, relays: relays)
    case .lost(let other):
      members[other] = nil
      return members.keys.sorted().flatMap { reviewRelay(of: $0, lost: other) }
    case .found(let other):
      return find(other)
    case .tried(let other, let way, let succeeded):
      return conclude(other, way, succeeded: succeeded, at: now)
    case .failed(let other):
      guard case .settled = members[other]?.state else { return [] }
      members[other]?.state = .unreached
      members[other]?.retryAt = now
      return []
    case .deadline:
      let due = members.filter { $0.value.retryAt.map { $0 <= now } ?? false }.keys.sorted()
      return due.flatMap { begin($0) }
    }
  }

  private mutating func join(_ other: PeerID, isDoubtful: Bool, relays: Bool) -> [Effect] {
    guard other != peer else { return [] }
    if members[other] == nil { members[other] = Member(relays: relays) }
    members[other]?.relays = relays
    guard isDoubtful, case .plain = members[other]?.state else { return [] }
    return begin(other)
  }

  /// What did not work may work now.
  private mutating func find(_ other: PeerID) -> [Effect] {
    switch members[other]?.state {
    case nil, .plain, .settled(.direct), .settled(.called): []
    case .trying, .settled(.relayed), .unreached: begin(other)
    }
  }

  private mutating func begin(_ other: PeerID) -> [Effect] {
    let ways = all(for: other)
    members[other]?.state = .trying(ways[0], then: Array(ways.dropFirst()))
    members[other]?.retryAt = nil
    let meeting = carriers(for: other).first.map { Effect.introduce(other, by: $0) }
    return [meeting, .attempt(other, ways[0])].compactMap(\.self)
  }

  private mutating func conclude(
    _ other: PeerID, _ way: PeerWay, succeeded: Bool, at now: Moment
  ) -> [Effect] {
    guard case .trying(let current, let rest) = members[other]?.state else { return [] }
    if succeeded {
      members[other]?.state = .settled(way)
      members[other]?.failures = 0
      if case .relayed = way { members[other]?.retryAt = now + Self.relayReview }
      return []
    }
    // A trial from before this one began anew says nothing.
    guard way == current else { return [] }
    // Whoever may carry was perhaps not known yet when this began.
    let next = rest.isEmpty ? carriersLeft(for: other, after: way) : rest
    guard let first = next.first else {
      let failures = min(members[other]?.failures ?? 0, 10)
      members[other]?.state = .unreached
      members[other]?.failures = failures + 1
      members[other]?.retryAt = now + min(Self.firstRetry * (1 << failures), Self.longestRetry)
      return []
    }
    members[other]?.state = .trying(first, then: Array(next.dropFirst()))
    guard case .relayed(let carrier) = first else { return [.attempt(other, first)] }
    // Where the two have been brought together, a better way may be found.
    return [.introduce(other, by: carrier), .attempt(other, first)]
  }

  private func carriersLeft(for other: PeerID, after way: PeerWay) -> [PeerWay] {
    guard way == .called else { return [] }
    return carriers(for: other).map { .relayed(by: $0) }
  }

  private mutating func reviewRelay(of other: PeerID, lost: PeerID) -> [Effect] {
    guard case .settled(.relayed(by: lost)) = members[other]?.state else { return [] }
    return begin(other)
  }

  private func all(for other: PeerID) -> [PeerWay] {
    [.direct, .called] + carriers(for: other).map { .relayed(by: $0) }
  }

  /// Peers that volunteer and that this one reaches by itself. Both ends of a pair prefer the same.
  private func carriers(for other: PeerID) -> [PeerID] {
    let pair = RendezvousScore.mixed(
      RendezvousScore.seed(peer) ^ RendezvousScore.seed(other))
    let able = members.filter { name, member in
      guard name != other, member.relays else { return false }
      switch member.state {
      case .plain, .settled(.direct), .settled(.called): return true
      case .trying, .settled(.relayed), .unreached: return false
      }
    }
    let ordered = able.keys.sorted {
      let left = RendezvousScore.mixed(pair ^ RendezvousScore.seed($0))
      let right = RendezvousScore.mixed(pair ^ RendezvousScore.seed($1))
      return (left, $0) < (right, $1)
    }
    return Array(ordered.prefix(Self.mostRelays))
  }

  /// Whether addresses are not what they seem between this peer and another.
  ///
  /// - Parameters:
  ///   - own: what this peer says in its record, and where others see it.
  ///   - theirs: the same of the other; nil: it was never heard directly.
  public static func isDoubtful(
    own: [Endpoint], seen: Endpoint?, theirs: [Endpoint], observed: Endpoint?
  ) -> Bool {
    let isElsewhere = { (place: Endpoint?, stated: [Endpoint]) in
      place.map { place in !stated.contains { $0.address == place.address } } ?? false
    }
    let families = Set(own.map(\.address.count))
    return isElsewhere(seen, own) || isElsewhere(observed, theirs)
      || !theirs.contains { families.contains($0.address.count) }
  }
}
