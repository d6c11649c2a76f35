// The receiving half of DatagramSecurity: believe nothing before it proves authentic.
import ShoalProtocol

extension DatagramSecurity {
  mutating func receive(
    _ bytes: [UInt8], from endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) {
    do throws(Rejection) {
      switch bytes.first {
      case SealedDatagram.type:
        try receiveSealed(bytes, from: endpoint, &turn)
      case CookieReply.type:
        try receiveCookie(bytes, from: endpoint, &turn, using: &generator)
      case let type? where HandshakePacket.Kind(rawValue: type) != nil:
        try receiveHandshake(bytes, from: endpoint, &turn, using: &generator)
      case let type:
        throw Rejection(.unknownType(type))
      }
    } catch {
      turn.effects.append(.rejected(error.reason, from: endpoint))
    }
  }

  struct Rejection: Error {
    let reason: DatagramRejection
    init(_ reason: DatagramRejection) { self.reason = reason }
  }

  private mutating func receiveSealed(
    _ bytes: [UInt8], from endpoint: Endpoint, _ turn: inout Turn
  ) throws(Rejection) {
    guard let datagram = SealedDatagram(bytes) else {
      throw Rejection(.malformed(bytes: bytes.count))
    }
    let index = datagram.receiver
    guard let session = sessions[index], !session.isExpired(at: turn.now) else {
      throw Rejection(.unknownIndex(index))
    }
    guard let payload = sessions[index]?.open(datagram) else {
      throw Rejection(.notAuthentic(index: index))
    }
    let peer = session.peer
    links[peer]?.endpoint = endpoint
    links[peer]?.unansweredSince = nil
    links[peer]?.isSuspect = false
    if !session.isConfirmed {
      sessions[index]?.isConfirmed = true
      promote(index, of: peer, at: endpoint, &turn)
      flush(peer, &turn)
    }
    guard !payload.isEmpty else { return }
    if links[peer]?.owesAnswerSince == nil {
      links[peer]?.owesAnswerSince = turn.now
      wake(at: turn.now + DatagramTimes.keepAlive)
    }
    turn.effects.append(.deliver(payload, from: peer, at: endpoint))
  }

  private mutating func receiveCookie(
    _ bytes: [UInt8], from endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) throws(Rejection) {
    guard let index = CookieReply.receiver(of: bytes) else {
      throw Rejection(.malformed(bytes: bytes.count))
    }
    guard let attempt = attempts[index], attempt.endpoint == endpoint, attempt.third == nil else {
      throw Rejection(.unknownIndex(index))
    }
    guard
      let cookie = CookieReply.open(bytes, mark: attempt.mark, key: party.networkKey.cookie)
    else { throw Rejection(.notAuthentic(index: index)) }
    if cookies.count >= Limits.pendingHandshakes { cookies = [:] }
    cookies[endpoint] = Cookie(bytes: cookie, received: turn.now)
    retry(index, &turn, using: &generator)
  }

  private mutating func receiveHandshake(
    _ bytes: [UInt8], from endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) throws(Rejection) {
    do throws(HandshakeError) {
      let packet = try HandshakePacket(bytes, markKey: party.networkKey.mark)
      switch packet.kind {
      case .ikFirst, .xxFirst:
        let underWay = answers.count + links.values.count { $0.unconfirmed != nil }
        switch gate.judge(
          packet, from: endpoint, underWay: underWay, at: turn.now, using: &generator)
        {
        case .prove(let reply):
          turn.effects.append(.transmit(reply, to: endpoint))
          return
        case .admitted:
          break
        }
        try answer(packet, from: endpoint, &turn, using: &generator)
      case .ikSecond, .xxSecond:
        guard attempts[packet.receiver]?.third == nil, let peer = try read(second: packet) else {
          turn.effects.append(.rejected(.unknownIndex(packet.receiver), from: endpoint))
          return
        }
        try advance(packet.receiver, to: peer, from: endpoint, &turn, using: &generator)
      case .xxThird:
        try finish(packet, from: endpoint, &turn)
      }
    } catch {
      throw Rejection(.handshake(error))
    }
  }

  /// Answers an initiation.
  private mutating func answer(
    _ first: HandshakePacket, from endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) throws(HandshakeError) {
    var handshake = try PeerHandshake(
      answering: first, as: party, purpose: .datagrams, index: freshIndex(using: &generator))
    try handshake.read(first)
    guard let remote = handshake.remote else {
      // XX: who it is comes with the third packet. The network may have repeated the first.
      if let known = answers.values.first(where: { $0.firstMark == first.mark }) {
        turn.effects.append(.transmit(known.second, to: known.endpoint))
        return
      }
      let second = try handshake.write(at: turn.time, using: &generator)
      if let oldest = strangers.enter(handshake.index, from: endpoint) {
        answers[oldest] = nil
        turn.effects.append(.rejected(.busy(limit: Limits.pendingHandshakes), from: endpoint))
      }
      let expiresAt = turn.now + DatagramTimes.silence
      answers[handshake.index] = Answer(
        endpoint: endpoint, handshake: handshake, firstMark: first.mark, second: second.bytes,
        expiresAt: expiresAt)
      wake(at: expiresAt)
      turn.effects.append(.transmit(second.bytes, to: endpoint))
      return
    }
    guard makeLink(remote.id, from: endpoint) else {
      turn.effects.append(.rejected(.busy(limit: Limits.peers), from: endpoint))
      return
    }
    if let latest = links[remote.id]?.latestTime, remote.time <= latest {
      throw .replayed(remote.id)
    }
    let second = try handshake.write(at: turn.time, using: &generator)
    if links[remote.id]?.endpoint == nil { links[remote.id]?.endpoint = endpoint }
    links[remote.id]?.latestTime = remote.time
    links[remote.id]?.staticKey = remote.staticKey.key
    if let older = links[remote.id]?.unconfirmed { sessions[older] = nil }
    links[remote.id]?.unconfirmed = handshake.index
    let session = DatagramSession(
      handshake, remote: remote, role: .responder, isConfirmed: false, created: turn.now)
    sessions[handshake.index] = session
    wake(at: session.created + DatagramTimes.firstRetry)
    wake(at: session.created + DatagramTimes.expiry)
    // Both began at once: the lower id goes on, the higher one answers.
    if let own = links[remote.id]?.attempt, attempts[own]?.third == nil,
      remote.id < party.identity.id
    {
      attempts[own] = nil
      links[remote.id]?.attempt = nil
    }
    turn.effects.append(.transmit(second.bytes, to: endpoint))
  }

  private mutating func read(second: HandshakePacket) throws(HandshakeError) -> RemotePeer? {
    guard var handshake = attempts[second.receiver]?.handshake else { return nil }
    try handshake.read(second)
    attempts[second.receiver]?.handshake = handshake
    return handshake.remote
  }

  /// The other side answered attempt `index` and turns out to be `remote`.
  private mutating func advance(
    _ index: UInt32, to remote: RemotePeer, from endpoint: Endpoint, _ turn: inout Turn,
    using generator: inout some RandomNumberGenerator
  ) throws(HandshakeError) {
    guard var attempt = attempts[index] else { return }
    guard makeLink(remote.id) else {
      attempts[index] = nil
      turn.effects.append(.rejected(.busy(limit: Limits.peers), from: endpoint))
      return
    }
    links[remote.id]?.staticKey = remote.staticKey.key
    links[remote.id]?.endpoint = endpoint
    if let other = links[remote.id]?.attempt, other != index {
      attempts[other] = nil
      sessions[other] = nil
    }
    links[remote.id]?.attempt = index
    links[remote.id]?.queue += attempt.queue
    shed(remote.id, at: endpoint, &turn)
    (attempt.peer, attempt.queue) = (remote.id, [])
    let needsThird = !attempt.handshake.isFinished
    if needsThird {
      let third = try attempt.handshake.write(at: turn.time, using: &generator)
      attempt.third = third.bytes
      attempt.count = 1
      attempt.retryAt = turn.now + DatagramTimes.firstRetry
      wake(at: attempt.retryAt)
      turn.effects.append(.transmit(third.bytes, to: endpoint))
    }
    attempts[index] = attempt
    sessions[index] = DatagramSession(
      attempt.handshake, remote: remote, role: .initiator, isConfirmed: !needsThird,
      created: turn.now)
    wake(at: turn.now + DatagramTimes.expiry)
    if !needsThird {
      promote(index, of: remote.id, at: endpoint, &turn)
      flush(remote.id, &turn)
    }
  }

  /// The third packet of XX.
  private mutating func finish(
    _ third: HandshakePacket, from endpoint: Endpoint, _ turn: inout Turn
  ) throws(HandshakeError) {
    guard var handshake = answers[third.receiver]?.handshake else {
      if let session = sessions[third.receiver], session.thirdMark == third.mark {
        transmit([], to: session.peer, &turn)
      } else {
        turn.effects.append(.rejected(.unknownIndex(third.receiver), from: endpoint))
      }
      return
    }
    try handshake.read(third)
    guard let remote = handshake.remote, makeLink(remote.id, from: endpoint) else {
      turn.effects.append(.rejected(.busy(limit: Limits.peers), from: endpoint))
      return
    }
    answers[third.receiver] = nil
    strangers.leave(third.receiver)
    // XX proves that its initiator is live, so its clock is what this packet says.
    links[remote.id]?.latestTime = remote.time
    links[remote.id]?.staticKey = remote.staticKey.key
    links[remote.id]?.endpoint = endpoint
    sessions[handshake.index] = DatagramSession(
      handshake, remote: remote, role: .responder, isConfirmed: true, thirdMark: third.mark,
      created: turn.now)
    wake(at: turn.now + DatagramTimes.expiry)
    promote(handshake.index, of: remote.id, at: endpoint, &turn)
    flush(remote.id, &turn)
  }

  /// Makes a confirmed session the one that seals, and ends the attempt that made it.
  private mutating func promote(
    _ index: UInt32, of peer: PeerID, at endpoint: Endpoint, _ turn: inout Turn
  ) {
    guard var link = links[peer], link.current != index else { return }
    if let oldest = link.previous, oldest != index { sessions[oldest] = nil }
    link.previous = link.current
    link.current = index
    if link.unconfirmed == index { link.unconfirmed = nil }
    if link.attempt == index {
      attempts[index] = nil
      link.attempt = nil
    }
    link.isSuspect = false
    link.unansweredSince = nil
    links[peer] = link
    if let session = sessions[index] {
      turn.effects.append(.connected(session.remote, at: endpoint))
    }
  }
}
