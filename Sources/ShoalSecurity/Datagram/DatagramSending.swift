// The sending half of DatagramSecurity: seal now, or queue and shake hands.
import ShoalProtocol

extension DatagramSecurity {
  mutating func send(
    _ payload: [UInt8], to peer: PeerID, at endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) {
    guard !payload.isEmpty, payload.count <= DatagramSecurity.payloadLimit,
      peer != party.identity.id, makeLink(peer)
    else {
      turn.effects.append(.undelivered(payloads: 1, to: peer, at: endpoint))
      return
    }
    links[peer]?.endpoint = endpoint
    if links[peer]?.isSuspect == false, transmit(payload, to: peer, &turn) {
      if let index = links[peer]?.current,
        sessions[index]?.wantsSuccessor(at: turn.now) == true
      {
        begin(with: peer, at: endpoint, &turn, using: &generator)
      }
      return
    }
    links[peer]?.queue.append(payload)
    shed(peer, at: endpoint, &turn)
    if let index = links[peer]?.unconfirmed, let session = sessions[index],
      turn.now - session.created < DatagramTimes.firstRetry
    {
      // The peer has just begun itself: its first datagram opens the way.
      wake(at: session.created + DatagramTimes.firstRetry)
    } else {
      begin(with: peer, at: endpoint, &turn, using: &generator)
    }
  }

  mutating func sendFirstContact(
    _ payload: [UInt8], at endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) {
    let strangers = attempts.filter { $0.value.peer == nil }
    let known = strangers.first { $0.value.endpoint == endpoint }?.key
    guard !payload.isEmpty, payload.count <= DatagramSecurity.payloadLimit,
      known != nil || strangers.count < Limits.pendingHandshakes
    else {
      turn.effects.append(.undelivered(payloads: 1, to: nil, at: endpoint))
      return
    }
    guard let known else {
      attempt(nil, at: endpoint, count: 1, queue: [payload], &turn, using: &generator)
      return
    }
    attempts[known]?.queue.append(payload)
    if let queue = attempts[known]?.queue, queue.count > Limits.queuedDatagrams {
      attempts[known]?.queue.removeFirst()
      turn.effects.append(.undelivered(payloads: 1, to: nil, at: endpoint))
    }
  }

  /// Seals for `peer` if there is a session. An empty payload only says that this peer lives.
  @discardableResult
  mutating func transmit(_ payload: [UInt8], to peer: PeerID, _ turn: inout Turn) -> Bool {
    guard let link = links[peer], let endpoint = link.endpoint, let index = link.current,
      sessions[index]?.isExpired(at: turn.now) == false,
      let datagram = sessions[index]?.seal(payload)
    else { return false }
    turn.effects.append(.transmit(datagram, to: endpoint))
    links[peer]?.owesAnswerSince = nil
    if !payload.isEmpty, link.unansweredSince == nil {
      links[peer]?.unansweredSince = turn.now
      wake(at: turn.now + DatagramTimes.silence)
    }
    return true
  }

  /// Sends what waited for a session, or an empty datagram that confirms it.
  mutating func flush(_ peer: PeerID, _ turn: inout Turn) {
    guard let queue = links[peer]?.queue else { return }
    links[peer]?.queue = []
    for payload in queue.isEmpty ? [[]] : queue { transmit(payload, to: peer, &turn) }
  }

  mutating func shed(_ peer: PeerID, at endpoint: Endpoint, _ turn: inout Turn) {
    let excess = (links[peer]?.queue.count ?? 0) - Limits.queuedDatagrams
    guard excess > 0 else { return }
    links[peer]?.queue.removeFirst(excess)
    turn.effects.append(.undelivered(payloads: excess, to: peer, at: endpoint))
  }

  /// Begins a handshake with a peer unless one is under way.
  mutating func begin(
    with peer: PeerID, at endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) {
    guard links[peer]?.attempt == nil else { return }
    attempt(peer, at: endpoint, count: 1, queue: [], &turn, using: &generator)
  }

  /// Each attempt is a handshake of its own, with a later time: the other side may have answered
  /// the one before, and would take the same packet for a replay.
  mutating func attempt(
    _ peer: PeerID?, at endpoint: Endpoint, count: Int, queue: [[UInt8]], _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) {
    let staticKey =
      count <= DatagramTimes.attemptsByKnownKey
      ? peer.flatMap { links[$0]?.staticKey } : nil
    let index = freshIndex(using: &generator)
    var handshake = PeerHandshake(
      initiating: party, purpose: .datagrams, suite: .chaChaPoly, index: index,
      staticKey: staticKey, expecting: peer)
    let cookie = cookies[endpoint].flatMap {
      turn.now - $0.received < DatagramTimes.cookie ? $0.bytes : nil
    }
    let packet: HandshakePacket
    do throws(HandshakeError) {
      packet = try handshake.write(at: turn.time, cookie: cookie, using: &generator)
    } catch {
      // The only cause is a static key of small order, which no honest peer signs.
      if let peer { links[peer]?.staticKey = nil }
      turn.effects.append(.rejected(.handshake(error), from: endpoint))
      return
    }
    let retryAt = turn.now + DatagramTimes.firstRetry * (1 << (count - 1))
    attempts[index] = Attempt(
      peer: peer, endpoint: endpoint, handshake: handshake, mark: packet.mark, count: count,
      retryAt: retryAt, queue: queue)
    if let peer { links[peer]?.attempt = index }
    wake(at: retryAt)
    turn.effects.append(.transmit(packet.bytes, to: endpoint))
  }
}
