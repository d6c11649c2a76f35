// The timers of DatagramSecurity: repeat, confirm, give up, expire.
import ShoalProtocol

extension DatagramSecurity {
  mutating func passTime(
    _ turn: inout Turn, using generator: inout some RandomNumberGenerator
  ) {
    for (index, answer) in answers where answer.expiresAt <= turn.now {
      answers[index] = nil
      strangers.leave(index)
    }
    cookies = cookies.filter { turn.now - $0.value.received < DatagramTimes.cookie }
    for index in sessions.keys.sorted() where sessions[index]?.isExpired(at: turn.now) == true {
      expire(index)
    }
    for index in attempts.keys.sorted() {
      if let attempt = attempts[index], attempt.retryAt <= turn.now {
        retry(index, &turn, using: &generator)
      }
    }
    for peer in links.keys.sorted() { passTime(for: peer, &turn, using: &generator) }
    nextDeadline = deadlines(after: turn.now)
  }

  private mutating func passTime(
    for peer: PeerID, _ turn: inout Turn, using generator: inout some RandomNumberGenerator
  ) {
    guard let link = links[peer], let endpoint = link.endpoint else { return }
    if let since = link.owesAnswerSince, turn.now - since >= DatagramTimes.keepAlive {
      links[peer]?.owesAnswerSince = nil
      transmit([], to: peer, &turn)
    }
    if let since = link.unansweredSince, turn.now - since >= DatagramTimes.silence {
      links[peer]?.unansweredSince = nil
      links[peer]?.isSuspect = true
      begin(with: peer, at: endpoint, &turn, using: &generator)
    }
    // An answered initiation was not followed up, and payloads wait: begin ourselves.
    if !link.queue.isEmpty, link.attempt == nil, let index = link.unconfirmed,
      let session = sessions[index], turn.now - session.created >= DatagramTimes.firstRetry
    {
      begin(with: peer, at: endpoint, &turn, using: &generator)
    }
  }

  private mutating func expire(_ index: UInt32) {
    guard let peer = sessions.removeValue(forKey: index)?.peer else { return }
    if links[peer]?.current == index {
      links[peer]?.current = nil
      // Without a session nothing can answer.
      links[peer]?.unansweredSince = nil
    }
    if links[peer]?.previous == index { links[peer]?.previous = nil }
    if links[peer]?.unconfirmed == index { links[peer]?.unconfirmed = nil }
  }

  /// Repeats an attempt that was not answered, or gives it up.
  mutating func retry(
    _ index: UInt32, _ turn: inout Turn, using generator: inout some RandomNumberGenerator
  ) {
    guard var attempt = attempts[index] else { return }
    guard attempt.count < DatagramTimes.attempts else {
      giveUp(index, &turn)
      return
    }
    if let third = attempt.third {
      attempt.retryAt = turn.now + DatagramTimes.firstRetry * (1 << attempt.count)
      attempt.count += 1
      attempts[index] = attempt
      wake(at: attempt.retryAt)
      turn.effects.append(.transmit(third, to: attempt.endpoint))
      return
    }
    attempts[index] = nil
    if let peer = attempt.peer { links[peer]?.attempt = nil }
    let endpoint = attempt.peer.flatMap { links[$0]?.endpoint } ?? attempt.endpoint
    self.attempt(
      attempt.peer, at: endpoint, count: attempt.count + 1, queue: attempt.queue, &turn,
      using: &generator)
  }

  private mutating func giveUp(_ index: UInt32, _ turn: inout Turn) {
    guard let attempt = attempts.removeValue(forKey: index) else { return }
    // A session whose third packet was never answered was no session.
    sessions[index] = nil
    var payloads = attempt.queue.count
    if let peer = attempt.peer {
      payloads += links[peer]?.queue.count ?? 0
      links[peer]?.queue = []
      links[peer]?.attempt = nil
    }
    guard payloads > 0 else { return }
    turn.effects.append(
      .undelivered(payloads: payloads, to: attempt.peer, at: attempt.endpoint))
  }

  /// The earliest of all timers.
  private func deadlines(after now: Moment) -> Moment? {
    var moments = attempts.values.map(\.retryAt) + answers.values.map(\.expiresAt)
    moments += sessions.values.map { $0.created + DatagramTimes.expiry }
    for link in links.values {
      if let since = link.owesAnswerSince { moments.append(since + DatagramTimes.keepAlive) }
      if let since = link.unansweredSince { moments.append(since + DatagramTimes.silence) }
      if !link.queue.isEmpty, let index = link.unconfirmed, let session = sessions[index] {
        moments.append(session.created + DatagramTimes.firstRetry)
      }
    }
    return moments.filter { $0 > now }.min()
  }
}
