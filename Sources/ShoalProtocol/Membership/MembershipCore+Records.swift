// Records and tables find their way: who is asked for what, and what is believed of the answer.

/// A record that was heard of and is not held.
struct WantedRecord: Sendable {
  /// The highest claim heard.
  var incarnation: Incarnation
  /// Whether it was a goodbye: that holds of the record too, as soon as it is here.
  var hasLeft = false
  /// Who is asked next, and where.
  var source: PeerID
  var endpoint: Endpoint
  var retryAt: Moment
  var attempts = 0
}

extension MembershipCore {
  /// At most this many messages answer one offer; a newcomer to a mesh of hundreds asks again.
  private static let mostAnswers = 8

  /// The table's fingerprint with this peer in it.
  var fingerprint: TableFingerprint {
    var fingerprint = table.fingerprint
    fingerprint.toggle(peer, incarnation)
    return fingerprint
  }

  /// Takes this peer's own new record. One that does not outrank the present is ignored.
  mutating func adopt(
    _ signed: SignedRecord, at now: Moment, using random: inout some RandomNumberGenerator
  ) {
    guard signed.author == peer, let record = try? signed.record(),
      record.version > ownHeld?.record.version ?? 0 || ownHeld == nil
    else { return }
    let isUrgent = ownRecord.map { record.plansOtherwise(than: $0) } ?? true
    ownHeld = HeldRecord(signed, record)
    incarnation = Incarnation(version: record.version)
    queue.add(ownClaim, isUrgent: isUrgent)
    if nextSync == nil { scheduleSync(after: configuration.syncInterval, at: now, using: &random) }
  }

  /// Introduces this peer to one that is not (or no longer) in the table.
  mutating func greet(_ other: PeerID, at endpoint: Endpoint) {
    guard let own, other != peer, table[other]?.state.isLive != true else { return }
    effects.append(.send(.records([own]), to: other, at: endpoint))
    effects.append(.send(.syncOffer(fingerprint, isReply: false), to: other, at: endpoint))
  }

  // MARK: - Exchange of tables

  /// Sends what differs, and shows the own table in return.
  mutating func answer(
    _ theirs: TableFingerprint, isReply: Bool, from sender: PeerID, at endpoint: Endpoint,
    now: Moment, using random: inout some RandomNumberGenerator
  ) {
    var buckets = fingerprint.differing(from: theirs)
    guard !buckets.isEmpty else { return }
    if isReply {
      scheduleSync(after: configuration.unsettledSyncInterval, at: now, using: &random)
    }
    buckets.shuffle(using: &random)
    let mine = [ownClaim].filter { buckets.contains(TableFingerprint.bucket(of: $0.peer)) }
    var claims = mine
    for bucket in buckets where claims.count <= Self.mostAnswers * GossipMessage.mostUpdates {
      claims += table.claims(in: bucket)
    }
    for batch in Self.batches(of: claims).prefix(Self.mostAnswers) {
      effects.append(.send(.updates(batch), to: sender, at: endpoint))
    }
    guard !isReply else { return }
    effects.append(.send(.syncOffer(fingerprint, isReply: true), to: sender, at: endpoint))
  }

  mutating func sync(at now: Moment, using random: inout some RandomNumberGenerator) {
    guard let due = nextSync, due <= now else { return }
    scheduleSync(after: configuration.syncInterval, at: now, using: &random)
    for target in sample(1, using: &random) {
      send(to: target) { .syncOffer($0.fingerprint, isReply: false) }
    }
  }

  /// Within a fifth of the interval, so that peers do not fall into step.
  private mutating func scheduleSync(
    after interval: Duration, at now: Moment, using random: inout some RandomNumberGenerator
  ) {
    let nanoseconds = interval.nanoseconds
    let jitter = Int64.random(in: -nanoseconds / 5...nanoseconds / 5, using: &random)
    nextSync = now + .nanoseconds(nanoseconds + jitter)
  }

  /// Splits claims into lists that fit a message.
  static func batches(of updates: [MemberUpdate]) -> [[MemberUpdate]] {
    var batches: [[MemberUpdate]] = []
    var left = 0
    for update in updates {
      if update.byteCount > left {
        batches.append([])
        left = GossipMessage.updateBudget
      }
      batches[batches.count - 1].append(update)
      left -= update.byteCount
    }
    return batches
  }

  // MARK: - Exchange of records

  /// Notes that a record is missing; it is asked for when timers are next looked at. A goodbye is
  /// kept, or it would be forgotten over the record that was published just before it.
  mutating func want(
    _ subject: PeerID, _ incarnation: Incarnation, hasLeft: Bool = false, from source: PeerID,
    at endpoint: Endpoint, now: Moment
  ) {
    if let known = wanted[subject] {
      guard incarnation >= known.incarnation else { return }
      wanted[subject]?.hasLeft = hasLeft || (known.hasLeft && incarnation == known.incarnation)
      wanted[subject]?.incarnation = incarnation
      return
    }
    guard wanted.count < Limits.peers else { return }
    wanted[subject] = WantedRecord(
      incarnation: incarnation, hasLeft: hasLeft, source: source, endpoint: endpoint,
      retryAt: now)
    nextRequest.advance(to: now)
  }

  /// Asks for what is due, in few messages; the next try goes to somebody else.
  mutating func requestWanted(at now: Moment, using random: inout some RandomNumberGenerator) {
    guard let nextRequest, nextRequest <= now else { return }
    let due = wanted.filter { $0.value.retryAt <= now }.keys.sorted()
    var requests: [(source: PeerID, endpoint: Endpoint, peers: [PeerID])] = []
    for subject in due {
      guard var entry = wanted[subject] else { continue }
      guard entry.attempts < configuration.recordAttempts else {
        wanted[subject] = nil
        continue
      }
      let open = requests.firstIndex {
        $0.source == entry.source && $0.peers.count < GossipMessage.mostRequests
      }
      if let open {
        requests[open].peers.append(subject)
      } else {
        requests.append((entry.source, entry.endpoint, [subject]))
      }
      entry.attempts += 1
      entry.retryAt = now + configuration.recordPatience
      if let other = sample(1, using: &random).first, let endpoint = table.endpoint(of: other) {
        (entry.source, entry.endpoint) = (other, endpoint)
      }
      wanted[subject] = entry
    }
    self.nextRequest = wanted.values.lazy.map(\.retryAt).min()
    for request in requests {
      effects.append(
        .send(.recordRequest(request.peers), to: request.source, at: request.endpoint))
    }
  }

  /// Sends the records that are held of those asked for, as many a datagram as fit.
  mutating func sendRecords(of peers: [PeerID], to receiver: PeerID, at endpoint: Endpoint) {
    var batch: [SignedRecord] = []
    var left = Limits.gossipBytes - 6
    for subject in peers {
      guard let signed = subject == peer ? own : table[subject]?.signed else { continue }
      let size = GossipMessage.wireSize(of: signed)
      if size > left {
        effects.append(.send(.records(batch), to: receiver, at: endpoint))
        (batch, left) = ([], Limits.gossipBytes - 6)
      }
      batch.append(signed)
      left -= size
    }
    if !batch.isEmpty { effects.append(.send(.records(batch), to: receiver, at: endpoint)) }
  }

  /// Takes a record that was asked for, that is newer than one held, or that its author sent.
  mutating func accept(
    _ signed: SignedRecord, from sender: PeerID, now: Moment,
    using random: inout some RandomNumberGenerator
  ) {
    let subject = signed.author
    let before = table[subject]
    guard wanted[subject] != nil || before != nil || subject == sender else { return }
    // What is known need not be read again: copies come from everybody who was asked.
    if let before, let stated = signed.statedVersion, stated <= before.record.version {
      return settle(subject, version: stated)
    }
    guard let held = read(signed) else {
      effects.append(.misbehaved(sender))
      return
    }
    let record = held.record
    guard subject != peer else { return hearOwn(record) }
    let wish = wanted[subject]
    settle(subject, version: record.version)
    let isOfThis = wish?.incarnation.version == record.version
    let denials = isOfThis ? wish?.incarnation.denials ?? 0 : 0
    guard table.accept(held, denials: denials),
      let member = table[subject]
    else { return }
    let isKnown = before?.state == .alive
    let isUrgent = !isKnown || before.map { record.plansOtherwise(than: $0.record) } ?? true
    queue.add(member.update, isUrgent: isUrgent)
    effects.append(.recordChanged(record))
    if before?.state != .alive { effects.append(.changed(subject, .alive)) }
    if before == nil { detector.add(subject, using: &random) }
    if isOfThis, wish?.hasLeft == true {
      believe(MemberUpdate(subject, member.incarnation, .left), at: now)
    }
  }

  /// A record answers the wish for it unless a later version was heard of.
  private mutating func settle(_ subject: PeerID, version: UInt64) {
    guard let wish = wanted[subject], wish.incarnation.version <= version else { return }
    wanted[subject] = nil
    if wanted.isEmpty { nextRequest = nil }
  }

  /// An own record from before a restart, signed under a clock that was ahead.
  private mutating func hearOwn(_ record: CapabilityRecord) {
    settle(record.peer, version: record.version)
    guard let ownRecord, record.version >= ownRecord.version, record != ownRecord else { return }
    effects.append(.versionNeeded(above: record.version))
  }
}

extension CapabilityRecord {
  /// Whether plans are others under this record than under `earlier`: what a peer holds, and where
  /// it is reached, can wait until a probe takes it along.
  fileprivate func plansOtherwise(than earlier: CapabilityRecord) -> Bool {
    DeviceCapacity(self) != DeviceCapacity(earlier)
  }
}
