// Where peers might be: beacons, bootstrap addresses, old acquaintances; and when to knock.

public enum DiscoveryEvent: Hashable, Sendable {
  /// Beacons may be sent from now on; `beacon` describes this peer.
  case started(Beacon)
  /// A beacon datagram, opened; false bytes cost this one datagram.
  case beacon([UInt8], from: Endpoint)
  /// An address from the network's descriptor, an invite or the command line.
  case bootstrap(Endpoint)
  /// Another peer told of this one.
  case heard(PeerID, Endpoint)
  /// The membership holds this peer alive: no need to knock.
  case joined(PeerID, Endpoint)
  /// The membership lost this peer: knock from time to time, it may be behind a partition.
  case lost(PeerID)
  case deadline
}

public enum DiscoveryEffect: Hashable, Sendable {
  /// To the multicast and broadcast groups of the local network, sealed first.
  case sendBeacon([UInt8])
  /// Shake hands there; with whom, if that is known.
  case contact(Endpoint, PeerID?)
  /// Bytes that are no beacon.
  case refused(WireError, from: Endpoint)
}

public struct DiscoveryConfiguration: Hashable, Sendable {
  /// A peer that starts calls often, so that a mesh forms in a blink.
  public var eagerInterval: Duration = .milliseconds(250)
  public var eagerPeriod: Duration = .seconds(3)
  /// Afterwards; times one for every eight peers known, since everybody hears everybody's.
  public var calmInterval: Duration = .seconds(5)
  public var firstRetry: Duration = .milliseconds(500)
  public var longestRetry: Duration = .seconds(60)
  /// Heard of a newcomer, each of n members waits up to this times n, so that not all knock.
  public var politeness: Duration = .milliseconds(10)
  /// Addresses remembered that are not joined; bootstrap addresses stay.
  public var mostCandidates = Limits.peers
  /// After so many knocks in vain an address that is no bootstrap address is forgotten.
  public var mostAttempts = 10

  public init() {}
}

/// Decides when to call and whom to contact. It does not decide who is a member.
public struct PeerDirectory: Sendable {
  private struct Candidate: Sendable {
    var peer: PeerID?
    let isBootstrap: Bool
    var attempts = 0
    var nextTry: Moment
  }

  public let peer: PeerID
  private let configuration: DiscoveryConfiguration
  private var own: Beacon?
  private var startedAt: Moment?
  private var nextBeacon: Moment?
  /// Addresses to knock at, by address: whoever is there.
  private var candidates: [Endpoint: Candidate] = [:]
  private var joined: [PeerID: Endpoint] = [:]
  /// When to knock next: the earliest of all candidates that are not settled. Noted, since it is
  /// asked for after each datagram, and hundreds may wait behind a partition.
  private var nextKnock: Moment?

  public init(peer: PeerID, configuration: DiscoveryConfiguration = DiscoveryConfiguration()) {
    (self.peer, self.configuration) = (peer, configuration)
  }

  public var candidateCount: Int { candidates.count }

  public var nextDeadline: Moment? {
    guard own != nil else { return nil }
    var earliest = nextBeacon
    earliest.advance(to: nextKnock)
    return earliest
  }

  public mutating func handle(
    _ event: DiscoveryEvent, at now: Moment, using random: inout some RandomNumberGenerator
  ) -> [DiscoveryEffect] {
    switch event {
    case .started(let beacon):
      own = beacon
      if startedAt == nil { (startedAt, nextBeacon) = (now, now) }
    case .beacon(let bytes, let source):
      do throws(WireError) {
        hear(try Beacon(bytes: bytes), from: source, at: now, using: &random)
      } catch {
        return [.refused(error, from: source)]
      }
    case .bootstrap(let endpoint):
      add(endpoint, peer: nil, isBootstrap: true, firstTry: now)
    case .heard(let other, let endpoint):
      guard other != peer, joined[other] == nil else { break }
      add(endpoint, peer: other, isBootstrap: false, firstTry: polite(now, using: &random))
    case .joined(let other, let endpoint):
      settle(other, at: endpoint)
    case .lost(let other):
      guard let endpoint = joined.removeValue(forKey: other) else { break }
      // Whoever was expected at an address from the start is looked for there again.
      for candidate in candidates.values where candidate.peer == other {
        nextKnock.advance(to: candidate.nextTry)
      }
      add(
        endpoint, peer: other, isBootstrap: false,
        firstTry: now + jittered(configuration.firstRetry, using: &random))
    case .deadline:
      break
    }
    return performDue(at: now, using: &random)
  }

  private mutating func hear(
    _ beacon: Beacon, from source: Endpoint, at now: Moment,
    using random: inout some RandomNumberGenerator
  ) {
    guard beacon.peer != peer, joined[beacon.peer] == nil else { return }
    // Its first address only: the others are for those who cannot reach that one.
    let endpoint = beacon.endpoints.first ?? source
    add(
      endpoint, peer: beacon.peer, isBootstrap: false, firstTry: polite(now, using: &random))
  }

  /// Remembers an address to knock at. A full table takes no more: who is there calls again.
  private mutating func add(
    _ endpoint: Endpoint, peer: PeerID?, isBootstrap: Bool, firstTry: Moment
  ) {
    if let known = candidates[endpoint] {
      candidates[endpoint]?.peer = peer ?? known.peer
      // A call from there is news after many knocks in vain: start again, but not sooner than
      // the first step of the wait.
      if known.attempts > 1 {
        candidates[endpoint]?.attempts = 1
        candidates[endpoint]?.nextTry = min(known.nextTry, firstTry + configuration.firstRetry)
      }
    } else {
      guard candidates.count < configuration.mostCandidates else { return }
      candidates[endpoint] = Candidate(
        peer: peer, isBootstrap: isBootstrap, nextTry: firstTry)
    }
    if let candidate = candidates[endpoint], !isSettled(candidate) {
      nextKnock.advance(to: candidate.nextTry)
    }
  }

  private mutating func settle(_ other: PeerID, at endpoint: Endpoint) {
    let isNew = joined[other] == nil
    guard other != peer, !isNew || joined.count < Limits.peers else { return }
    joined[other] = endpoint
    var settled: [Moment] = []
    if let candidate = candidates[endpoint] {
      settled.append(candidate.nextTry)
      if candidate.isBootstrap {
        candidates[endpoint]?.peer = other
        candidates[endpoint]?.attempts = 0
      } else {
        candidates[endpoint] = nil
      }
    }
    // Nobody who is joined is knocked for under another address.
    if isNew {
      for (place, candidate) in candidates where candidate.peer == other {
        settled.append(candidate.nextTry)
        if !candidate.isBootstrap { candidates[place] = nil }
      }
    }
    if let nextKnock, settled.contains(where: { $0 <= nextKnock }) {
      self.nextKnock = earliestKnock
    }
  }

  private func knocks(at now: Moment) -> [Endpoint] {
    candidates.lazy.filter { $0.value.nextTry <= now && !self.isSettled($0.value) }.map(\.key)
      .sorted()
  }

  private var earliestKnock: Moment? {
    var earliest: Moment?
    for candidate in candidates.values where !isSettled(candidate) {
      earliest.advance(to: candidate.nextTry)
    }
    return earliest
  }

  /// Whether somebody who is joined is there, or this peer itself. Other addresses than those from
  /// the start are given up when their peers join.
  private func isSettled(_ candidate: Candidate) -> Bool {
    guard candidate.isBootstrap, let other = candidate.peer else { return false }
    return joined[other] != nil || other == peer
  }

  private mutating func performDue(
    at now: Moment, using random: inout some RandomNumberGenerator
  ) -> [DiscoveryEffect] {
    guard let own, let startedAt else { return [] }
    var effects: [DiscoveryEffect] = []
    if let due = nextBeacon, due <= now {
      effects.append(.sendBeacon(own.bytes))
      let isEager = now - startedAt < configuration.eagerPeriod
      let interval =
        isEager
        ? configuration.eagerInterval : configuration.calmInterval * (1 + joined.count / 8)
      nextBeacon = now + jittered(interval, using: &random)
    }
    guard let nextKnock, nextKnock <= now else { return effects }
    for endpoint in knocks(at: now) {
      guard var candidate = candidates[endpoint] else { continue }
      if !candidate.isBootstrap, candidate.attempts >= configuration.mostAttempts {
        candidates[endpoint] = nil
        continue
      }
      effects.append(.contact(endpoint, candidate.peer))
      let doublings = min(candidate.attempts, 10)
      let wait = min(configuration.longestRetry, configuration.firstRetry * (1 << doublings))
      candidate.attempts += 1
      candidate.nextTry = now + jittered(wait, using: &random)
      candidates[endpoint] = candidate
    }
    self.nextKnock = earliestKnock
    return effects
  }

  /// Between now and a time that grows with the mesh: most are spared by hearing of the newcomer
  /// before their turn.
  private func polite(
    _ now: Moment, using random: inout some RandomNumberGenerator
  ) -> Moment {
    let longest = configuration.politeness.nanoseconds * Int64(joined.count)
    return now + .nanoseconds(Int64.random(in: 0...longest, using: &random))
  }

  /// Within a fifth either way.
  private func jittered(
    _ duration: Duration, using random: inout some RandomNumberGenerator
  ) -> Duration {
    let fifth = duration.nanoseconds / 5
    return duration + .nanoseconds(Int64.random(in: -fifth...fifth, using: &random))
  }
}
