// The shell around the cores of discovery and membership: what the actors of ShoalNode do with
// their effects, in the same order.

internal import ShoalProtocol
internal import ShoalSecurity

extension ControlWorld {
  // MARK: What comes in

  func arrive(_ packet: Packet, from source: Endpoint, at number: Int) {
    guard peers[number].isRunning else { return }
    guard now >= peers[number].busyUntil, peers[number].inbox.isEmpty, !peers[number].isStalled
    else { return shelve(packet, from: source, at: number) }
    hear(packet, from: source, at: number)
  }

  /// A busy peer's transport keeps what arrives, up to its bound; the newest is lost.
  private func shelve(_ packet: Packet, from source: Endpoint, at number: Int) {
    let waiting = peers[number].inbox.count
    guard waiting < Limits.datagramQueue else {
      counts.shed += 1
      trace.add(.shed, peer: number, UInt64(waiting), at: now)
      return
    }
    peers[number].inbox.append(packet)
    peers[number].origins.append(source)
    counts.deepestInbox = max(counts.deepestInbox, waiting + 1)
    scheduleDrain(number)
  }

  func scheduleDrain(_ number: Int) {
    guard !peers[number].drainIsDue, !peers[number].isStalled, !peers[number].inbox.isEmpty
    else { return }
    peers[number].drainIsDue = true
    agenda.add(
      .drain(number, process: peers[number].process), at: max(now, peers[number].busyUntil))
  }

  func drain(_ number: Int) {
    peers[number].drainIsDue = false
    guard !peers[number].isStalled, !peers[number].inbox.isEmpty else { return }
    let packet = peers[number].inbox.removeFirst()
    let source = peers[number].origins.removeFirst()
    hear(packet, from: source, at: number)
    scheduleDrain(number)
  }

  private func hear(_ packet: Packet, from source: Endpoint, at number: Int) {
    peers[number].busyUntil = now + peers[number].perEvent
    switch packet {
    case .hello(let sender):
      guard sender != peers[number].id else { return }
      send(.helloAnswer(from: peers[number].id), from: number, to: source)
      member(.contact(sender, source), at: number)
    case .helloAnswer(let sender):
      guard sender != peers[number].id else { return }
      member(.contact(sender, source), at: number)
    case .beacon(let bytes):
      discover(.beacon(bytes, from: source), at: number)
    case .gossip(let bytes, let sender):
      trace.add(
        .deliver, peer: number, UInt64(source.simulatedNumber ?? 0), UInt64(bytes.count), at: now)
      guard let message = try? GossipMessage(bytes: bytes) else {
        breaks(.boundedQueues, peers: [number], "a message of ours does not parse")
        return
      }
      member(.received(message, from: sender, at: source), at: number)
    }
  }

  func wakeUp(_ number: Int) {
    peers[number].wake = nil
    guard !peers[number].isStalled else { return }
    guard now >= peers[number].busyUntil else { return rearm(number) }
    peers[number].busyUntil = now + peers[number].perEvent
    trace.add(.wake, peer: number, at: now)
    let local = peers[number].clock.local(now)
    if let due = peers[number].directoryDeadline, due <= local {
      discover(.deadline, at: number)
    }
    member(.deadline, at: number)
  }

  /// Puts the next wake-up into the agenda, if it is earlier than the one that is there.
  func rearm(_ number: Int) {
    guard peers[number].isRunning, !peers[number].isStalled else { return }
    let deadlines = [
      peers[number].core.nextDeadline, peers[number].epochs.nextDeadline,
      peers[number].directoryDeadline,
    ]
    guard let deadline = deadlines.compactMap(\.self).min() else { return }
    let due = max(now, peers[number].busyUntil, peers[number].clock.virtual(deadline))
    if let wake = peers[number].wake, wake <= due { return }
    peers[number].wake = due
    agenda.add(.wake(number, process: peers[number].process), at: due)
  }

  // MARK: Cores

  func discover(_ event: DiscoveryEvent, at number: Int) {
    let effects = peers[number].directory.handle(
      event, at: peers[number].clock.local(now), using: &randoms[number])
    peers[number].directoryDeadline = peers[number].directory.nextDeadline
    for effect in effects {
      switch effect {
      case .sendBeacon(let bytes):
        for (place, other) in segments[number].enumerated() {
          send(.beacon(bytes), from: number, to: peers[other].endpoint, isEcho: place > 0)
        }
      case .contact(let endpoint, _):
        send(.hello(from: peers[number].id), from: number, to: endpoint)
      case .refused: break
      }
    }
    if peers[number].directory.candidateCount > Limits.peers {
      breaks(.boundedQueues, peers: [number], "\(peers[number].directory.candidateCount) addresses")
    }
    rearm(number)
  }

  func member(_ event: MembershipEvent, at number: Int) {
    let local = peers[number].clock.local(now)
    let effects = peers[number].core.handle(event, at: local, using: &randoms[number])
    var news: [DiscoveryEvent] = []
    var needsPublishing = false
    for effect in effects {
      switch effect {
      case .send(let message, _, let endpoint):
        send(.gossip(message.bytes, from: peers[number].id), from: number, to: endpoint)
      case .changed(let peer, let state):
        note(peer, state, at: number)
        if state == .suspect { countSuspicion(of: peer, by: number) }
        if state.isLive, let endpoint = peers[number].core.table.endpoint(of: peer) {
          news.append(.joined(peer, endpoint))
        } else if !state.isLive {
          news.append(.lost(peer))
        }
        step(.changed, at: number)
      case .recordChanged(let record):
        check(record, heldBy: number)
        step(.changed, at: number)
      case .forgotten: break
      case .versionNeeded(let version):
        peers[number].record.version = max(peers[number].record.version, version)
        needsPublishing = true
      case .delivered: break
      case .misbehaved: counts.refusedRecords += 1
      }
    }
    step(.deadline, at: number)
    for event in news { discover(event, at: number) }
    if needsPublishing { publish(number) }
    if event != .deadline || !effects.isEmpty { checkQueues(number) }
    rearm(number)
  }

  private func step(_ event: EpochTracker.Event, at number: Int) {
    let local = peers[number].clock.local(now)
    // Most events find nothing due; a core is not copied for them.
    if event == .deadline {
      guard let due = peers[number].epochs.nextDeadline, due <= local else { return }
    }
    var epochs = peers[number].epochs
    let before = epochs.standing
    let effects = epochs.handle(event, at: local) {
      unsafe MeshView(peers[number].core.standing, hash: BLAKE2b.contentHash)
    }
    peers[number].epochs = epochs
    for case .epoch(let view) in effects {
      let early = peers[number].watch.epoch(
        at: local, quiet: epochs.quiet, longest: epochs.longest)
      if let early { breaks(.oneEpoch, peers: [number], early) }
      counts.epochs += 1
      trace.add(
        .epoch, peer: number, UInt64(view.count), view.id.raw.prefix64, at: now)
      countExclusions(from: before, to: view, at: number)
      adopt(view, at: number)
      watched?.epoch(view, at: number, now: now)
    }
    if effects.isEmpty, event == .changed { peers[number].watch.change(at: local) }
  }

  /// Signs this peer's record anew, as Membership does.
  func publish(_ number: Int) {
    lastNews = now
    let wall = peers[number].clock.unixMilliseconds(now)
    peers[number].record.version = max(peers[number].record.version + 1, wall)
    let signed = StandInSignature.sign(
      peers[number].record.bytes, by: peers[number].id, secret: secret)
    guard let signed else { preconditionFailure("a record beyond Limits.recordBytes") }
    member(.localRecord(signed), at: number)
    step(.changed, at: number)
    rearm(number)
  }

  // MARK: What goes out

  func send(
    _ packet: Packet, from number: Int, to endpoint: Endpoint, isEcho: Bool = false
  ) {
    guard let other = endpoint.simulatedNumber, other < peers.count, other != number else {
      return
    }
    let deliveries = network.send(
      packet.byteCount, from: number, to: other, isEcho: isEcho, at: now, using: &random)
    // The seal does not open over a flipped bit, so the datagram is as good as lost.
    for delivery in deliveries where !delivery.isFlipped {
      agenda.add(
        .arrival(packet, from: peers[number].endpoint, to: other), at: delivery.at)
    }
  }
}
