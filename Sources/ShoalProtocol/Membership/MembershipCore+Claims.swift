// What is believed, denied and passed on: the gossip half of the membership core.

extension MembershipCore {
  /// This peer's claim about itself.
  var ownClaim: MemberUpdate { MemberUpdate(peer, incarnation, .alive) }

  mutating func learn(
    _ updates: [MemberUpdate], from sender: PeerID, at endpoint: Endpoint, now: Moment,
    using random: inout some RandomNumberGenerator
  ) {
    for update in updates {
      guard update.peer != peer else {
        hearAboutSelf(update, from: sender, at: endpoint, now: now)
        continue
      }
      switch believe(update, at: now) {
      case .stale:
        break
      case .changed, .confirmed:
        look(at: update.peer, now: now, using: &random)
      case .recordNeeded:
        let hasLeft = update.claim == .left
        want(
          update.peer, update.incarnation, hasLeft: hasLeft, from: sender, at: endpoint, now: now)
        // Whoever says goodbye is gone, whatever it published last.
        if hasLeft, let member = table[update.peer] {
          believe(MemberUpdate(update.peer, member.incarnation, .left), at: now)
        }
      }
    }
  }

  /// Applies a claim about somebody else, and passes it on if it was news.
  @discardableResult
  mutating func believe(_ update: MemberUpdate, at now: Moment) -> MembershipTable.Verdict {
    // Most claims have been heard before.
    if table.knows(update) { return .stale }
    let before = table[update.peer]?.state
    let verdict = table.apply(update, at: now)
    switch verdict {
    case .stale, .recordNeeded:
      break
    case .confirmed:
      queue.add(update)
      // Another observer can take the suspect out of the view.
      effects.append(.changed(update.peer, .suspect))
    case .changed:
      queue.add(update)
      if let after = table[update.peer]?.state, after != before {
        effects.append(.changed(update.peer, after))
      }
    }
    return verdict
  }

  /// One observer is not enough for the cut filter, and chance may take a while to lead another
  /// one's probes to the same peer.
  private mutating func look(
    at other: PeerID, now: Moment, using random: inout some RandomNumberGenerator
  ) {
    guard table[other]?.state == .suspect,
      Int.random(in: 0..<table.live.count, using: &random) < configuration.lookers
    else { return }
    detector.doubt(other, at: now)
  }

  /// Suspects a peer on this peer's own evidence, and tells it, so that it can deny at once.
  mutating func suspect(_ other: PeerID, at now: Moment) {
    guard let member = table[other], member.state.isLive else { return }
    let update = MemberUpdate(other, member.incarnation, .suspect(observer: peer))
    guard believe(update, at: now) != .stale else { return }
    send(to: other) { _ in .updates([update]) }
  }

  /// Denies what is false about this peer (SWIM, section 4.2), and to the face of whoever says it
  /// where gossip does not reach that one: two that hold each other dead hear of each other from
  /// nobody else.
  private mutating func hearAboutSelf(
    _ update: MemberUpdate, from sender: PeerID, at endpoint: Endpoint, now: Moment
  ) {
    weigh(update, from: sender, at: endpoint, now: now)
    guard ownHeld != nil, update.claim != .alive, update.incarnation < incarnation,
      table[sender]?.state.isLive != true
    else { return }
    effects.append(.send(.updates([ownClaim]), to: sender, at: endpoint))
  }

  private mutating func weigh(
    _ update: MemberUpdate, from sender: PeerID, at endpoint: Endpoint, now: Moment
  ) {
    guard let ownRecord else { return }
    if update.incarnation.version > ownRecord.version {
      // Only the signed record proves that: ask whoever says so.
      want(peer, update.incarnation, from: sender, at: endpoint, now: now)
      return
    }
    switch update.claim {
    case .alive:
      if update.incarnation > incarnation { incarnation = update.incarnation }
      if update.incarnation < incarnation { queue.add(ownClaim, isUrgent: false) }
    case .suspect, .dead, .left:
      guard update.incarnation >= incarnation else {
        queue.add(ownClaim)
        return
      }
      detector.wasSuspected()
      guard update.incarnation.denials < .max else {
        effects.append(.versionNeeded(above: ownRecord.version))
        return
      }
      incarnation = Incarnation(
        version: ownRecord.version, denials: update.incarnation.denials + 1)
      queue.add(ownClaim)
      nextGossip = now
    }
  }

  /// Claims for one message to `receiver`: first what it should know about itself (Lifeguard's
  /// buddy system, section III.C), then news.
  mutating func takeNews(for receiver: PeerID) -> [MemberUpdate] {
    var first: [MemberUpdate] = []
    if let member = table[receiver], member.state != .alive { first = [member.update] }
    let budget = GossipMessage.updateBudget - first.reduce(0) { $0 + $1.byteCount }
    return first + queue.take(budget: budget, limit: retransmissions)
  }

  private var retransmissions: Int { configuration.retransmissions(peers: table.peerCount) }

  /// Sends news to a few random peers while there is any that cannot wait for a probe.
  mutating func gossip(at now: Moment, using random: inout some RandomNumberGenerator) {
    guard queue.isUrgent, !table.live.isEmpty else {
      nextGossip = nil
      return
    }
    guard let due = nextGossip else {
      nextGossip = now + configuration.gossipDelay
      return
    }
    guard due <= now else { return }
    for target in sample(configuration.gossipFanout, using: &random) {
      let news = takeNews(for: target)
      if !news.isEmpty { send(to: target) { _ in .updates(news) } }
    }
    nextGossip = queue.isUrgent ? now + configuration.gossipInterval : nil
  }

  /// Tells up to sixteen peers; they tell the others.
  mutating func leave(using random: inout some RandomNumberGenerator) {
    hasLeft = true
    for target in sample(16, using: &random) {
      send(to: target) { .updates([MemberUpdate($0.peer, $0.incarnation, .left)]) }
    }
  }

  /// Some live peers, each at most once, in random order.
  func sample(_ count: Int, using random: inout some RandomNumberGenerator) -> [PeerID] {
    var chosen: [PeerID] = []
    guard table.live.count > count * 2 else {
      return Array(table.live.shuffled(using: &random).prefix(count))
    }
    while chosen.count < count {
      let candidate = table.live[Int.random(in: 0..<table.live.count, using: &random)]
      if !chosen.contains(candidate) { chosen.append(candidate) }
    }
    return chosen
  }
}
