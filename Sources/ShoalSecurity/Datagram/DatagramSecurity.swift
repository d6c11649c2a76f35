// Sealed datagrams between peers: which handshake is due, which session seals, what is believed.
public import ShoalProtocol

/// Why a datagram was refused. To each the answer is silence.
public enum DatagramRejection: Hashable, Sendable {
  case unknownType(UInt8?)
  case malformed(bytes: Int)
  /// A session or handshake that this peer does not have, perhaps since it restarted.
  case unknownIndex(UInt32)
  /// Forged, damaged, repeated or too old.
  case notAuthentic(index: UInt32)
  case handshake(HandshakeError)
  /// A table is full; its limit.
  case busy(limit: Int)
}

/// Seals and opens datagrams, and makes the sessions that this takes, by handshakes over the same
/// datagrams. A core: it reads no clock and opens no socket.
///
/// - Datagrams may be lost, repeated, reordered or forged; handshakes are repeated until answered.
/// - Payloads wait in a bounded queue for a session; the oldest is shed.
/// - A session seals for 120 s and opens for 180 s; its successor is made while it serves.
/// - A peer that restarts is noticed by its own handshake, or by 15 s of silence.
public struct DatagramSecurity: Sendable {
  /// The longest payload, in bytes: `Limits.datagramBytes` less header and tag.
  public static let payloadLimit = Limits.datagramBytes - SealedDatagram.overhead

  public enum Event: Sendable {
    case received([UInt8], from: Endpoint)
    case send([UInt8], to: PeerID, at: Endpoint)
    /// Who answers at `endpoint` is not known; XX finds out.
    case sendFirstContact([UInt8], at: Endpoint)
    /// A record carried this key; with it the next handshake takes one round trip.
    case learned(SignedStaticKey)
    /// `nextDeadline` has come.
    case timePassed
  }

  public enum Effect: Hashable, Sendable {
    case transmit([UInt8], to: Endpoint)
    case deliver([UInt8], from: PeerID, at: Endpoint)
    /// A session with a peer began or was renewed.
    case connected(RemotePeer, at: Endpoint)
    case rejected(DatagramRejection, from: Endpoint)
    /// Payloads that were given up: shed from a full queue, too long, or for want of an answer.
    case undelivered(payloads: Int, to: PeerID?, at: Endpoint)
  }

  let party: HandshakeParty
  var gate: HandshakeGate
  var links: [PeerID: Link] = [:]
  /// By the index that this peer gave them.
  var sessions: [UInt32: DatagramSession] = [:]
  var attempts: [UInt32: Attempt] = [:]
  var answers: [UInt32: Answer] = [:]
  /// Who of `answers` makes room when too many wait.
  var strangers = WaitingRoom<UInt32>(
    limit: Limits.pendingHandshakes, limitOfOne: Limits.pendingHandshakesOfOne)
  var cookies: [Endpoint: Cookie] = [:]

  /// When `.timePassed` is due; never too late, sometimes needlessly early.
  public internal(set) var nextDeadline: Moment?

  public init(
    _ party: HandshakeParty, at now: Moment, using generator: inout some RandomNumberGenerator
  ) {
    self.party = party
    gate = HandshakeGate(party.networkKey, at: now, using: &generator)
  }

  /// Handles one event.
  /// - Parameters:
  ///   - now: monotonic, for timers.
  ///   - time: the wall clock, for the times that initiations carry.
  public mutating func handle(
    _ event: Event, at now: Moment, time: UnixTime,
    using generator: inout some RandomNumberGenerator
  ) -> [Effect] {
    var turn = Turn(now: now, time: time)
    switch event {
    case .received(let bytes, let endpoint):
      receive(bytes, from: endpoint, &turn, using: &generator)
    case .send(let payload, let peer, let endpoint):
      send(payload, to: peer, at: endpoint, &turn, using: &generator)
    case .sendFirstContact(let payload, let endpoint):
      sendFirstContact(payload, at: endpoint, &turn, using: &generator)
    case .learned(let key):
      guard key.isValid, key.owner != party.identity.id, makeLink(key.owner) else { break }
      links[key.owner]?.staticKey = key.key
    case .timePassed:
      passTime(&turn, using: &generator)
    }
    return turn.effects
  }

  /// Handshakes of strangers that were answered and not finished.
  package var pendingAnswers: Int { answers.count }

  /// Forgets a peer that has left: its sessions, its handshake, its queue.
  public mutating func forget(_ peer: PeerID) {
    guard let link = links.removeValue(forKey: peer) else { return }
    for index in link.sessionIndexes { sessions[index] = nil }
    if let index = link.attempt {
      attempts[index] = nil
      sessions[index] = nil
    }
  }
}

// MARK: - State

extension DatagramSecurity {
  /// One call of `handle`: when it is, and what it asks for.
  struct Turn {
    let now: Moment
    let time: UnixTime
    var effects: [Effect] = []
  }

  /// All that is known of one peer.
  struct Link: Sendable {
    var staticKey: StaticKey?
    var endpoint: Endpoint?
    /// Seals.
    var current: UInt32?
    /// Opens what was under way when `current` came.
    var previous: UInt32?
    /// An answered IK whose initiator has not been heard under the new keys.
    var unconfirmed: UInt32?
    var attempt: UInt32?
    var queue: [[UInt8]] = []
    /// The latest initiation; an earlier one is a replay.
    var latestTime: UnixTime?
    /// Something came, and nothing has been sent since.
    var owesAnswerSince: Moment?
    /// Something was sent, and nothing has come since.
    var unansweredSince: Moment?
    /// Silent for so long that its session may be dead.
    var isSuspect = false

    var sessionIndexes: [UInt32] { [current, previous, unconfirmed].compactMap(\.self) }
    var isIdle: Bool { sessionIndexes.isEmpty && attempt == nil && queue.isEmpty }
  }

  /// A handshake that this peer began.
  struct Attempt: Sendable {
    /// Nil on first contact, until it is known who answers.
    var peer: PeerID?
    let endpoint: Endpoint
    var handshake: PeerHandshake
    /// Of the first packet: a cookie reply answers it.
    let mark: [UInt8]
    var count: Int
    var retryAt: Moment
    /// The third packet of XX, sent until the other side is heard.
    var third: [UInt8]?
    /// Payloads of a first contact.
    var queue: [[UInt8]] = []
  }

  /// A handshake by XX that another peer began.
  struct Answer: Sendable {
    let endpoint: Endpoint
    var handshake: PeerHandshake
    let firstMark: [UInt8]
    let second: [UInt8]
    let expiresAt: Moment
  }

  struct Cookie: Sendable {
    let bytes: [UInt8]
    let received: Moment
  }

  mutating func wake(at moment: Moment) { nextDeadline = min(nextDeadline ?? moment, moment) }

  /// Whether there is a link to `peer` now; the tables' limit may forbid it.
  mutating func makeLink(_ peer: PeerID) -> Bool {
    if links[peer] != nil { return true }
    if links.count >= Limits.peers {
      // Costs no session: the link whose id comes first among those without any.
      guard let idle = links.filter({ $0.value.isIdle }).keys.min() else { return false }
      links[idle] = nil
    }
    links[peer] = Link()
    return true
  }

  /// As above for a peer that came by itself: one place has no more than its share of the table.
  mutating func makeLink(_ peer: PeerID, from endpoint: Endpoint) -> Bool {
    if links[peer] != nil { return true }
    let block = AddressBlock(endpoint)
    let neighbours = links.values.count { $0.endpoint.map(AddressBlock.init) == block }
    guard neighbours < Limits.peersOfOne else { return false }
    return makeLink(peer)
  }

  func freshIndex(using generator: inout some RandomNumberGenerator) -> UInt32 {
    while true {
      let index = UInt32(truncatingIfNeeded: generator.next() >> 32)
      if sessions[index] == nil, attempts[index] == nil, answers[index] == nil { return index }
    }
  }
}
