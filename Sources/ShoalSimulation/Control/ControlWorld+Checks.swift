// The invariants that are looked at while a story runs.

internal import ShoalProtocol

/// Somebody whose coming or going is followed through the mesh.
struct WatchedPeer {
  let number: Int
  let id: PeerID
  /// Whether it is to be in the views or out of them.
  let comes: Bool
  let since: Moment
  /// When each peer first had it so, in its table and in its plans.
  var known: [Int: Moment] = [:]
  var planned: [Int: Moment] = [:]

  mutating func epoch(_ view: MeshView, at number: Int, now: Moment) {
    guard (view.record(of: id) != nil) == comes else { return planned[number] = nil }
    planned[number] = planned[number] ?? now
  }
}

extension ControlWorld {
  /// What a peer thinks of another has changed.
  func note(_ peer: PeerID, _ state: MemberState, at number: Int) {
    let code: UInt64 =
      switch state {
      case .alive: 0
      case .suspect: 1
      case .dead: 2
      case .left: 3
      }
    lastNews = now
    let other = numbers[peer]?.first ?? peers.count
    trace.add(.member, peer: number, UInt64(other), code, at: now)
    guard let watched, watched.id == peer else { return }
    let isIn = state == .alive || (state == .suspect && stands(peer, at: number))
    self.watched?.known[number] = isIn == watched.comes ? watched.known[number] ?? now : nil
  }

  /// A suspect stays in the view until enough others suspect it.
  private func stands(_ peer: PeerID, at number: Int) -> Bool {
    (peers[number].core.table[peer]?.observers.count ?? 0) < peers[number].core.cutObservers
  }

  /// Somebody is suspected on `number`'s own evidence. Without cause, where it runs.
  func countSuspicion(of peer: PeerID, by number: Int) {
    let own = peers[number].id
    guard peers[number].core.table[peer]?.observers == [own] else { return }
    if isWell(peer) { counts.falseSuspicions += 1 }
  }

  /// Peers that a new view leaves out although they run.
  func countExclusions(from before: MeshView?, to after: MeshView, at number: Int) {
    guard let before, before.count > after.count else { return }
    let standing = Set(after.peers)
    counts.falseExclusions += before.peers.count { !standing.contains($0) && isWell($0) }
  }

  /// Whether a peer does what it should: what befalls its links does not count.
  private func isWell(_ peer: PeerID) -> Bool {
    guard let places = numbers[peer], places.count == 1 else { return false }
    return peers[places[0]].isRunning && !peers[places[0]].isStalled
  }

  /// No record is believed that its author did not sign.
  func check(_ record: CapabilityRecord, heldBy number: Int) {
    let authors = numbers[record.peer] ?? []
    trace.add(
      .record, peer: number, UInt64(authors.first ?? peers.count), record.version, at: now)
    guard record.version >= Self.forgedVersion else { return }
    let newest = authors.map { peers[$0].record.version }.max() ?? 0
    // Restarts forget their version, not what they signed; a forged one is beyond all of them.
    if newest < Self.forgedVersion {
      breaks(
        .forgery, peers: [number], "peer \(number) believes version \(record.version)")
    }
  }

  /// Versions of forged records lie above what any clock of a story shows.
  static let forgedVersion: UInt64 = 1 << 47

  func checkQueues(_ number: Int) {
    let news = peers[number].core.pendingNews
    counts.mostPendingNews = max(counts.mostPendingNews, news)
    let wanted = peers[number].core.pendingRecords
    let members = peers[number].core.table.members.count
    let waiting = peers[number].inbox.count
    guard
      news > 4 * Limits.peers || wanted > Limits.peers || members > Limits.peers
        || waiting > Limits.datagramQueue
    else { return }
    breaks(
      .boundedQueues, peers: [number],
      "\(news) claims to pass on, \(wanted) wanted records, \(members) members,"
        + " \(waiting) datagrams")
  }

  func checkMemory(_ planned: PlannedView, _ view: MeshView) {
    for (peer, bytes) in planned.residentBytes {
      let usable = view.record(of: peer)?.memory.usable.bytes ?? 0
      let atoms = (planned.working[peer] ?? []).reduce(UInt64(0)) { $0 + model.sizes[$1] }
      guard bytes * 10 > usable * 8 || atoms > bytes else { continue }
      breaks(
        .memory, "\(atoms) bytes of atoms, \(bytes) in all, of \(usable) usable at \(peer)")
    }
  }

  /// Whether nobody has changed a record or its mind for a while, nor has news to pass on.
  var isAtRest: Bool {
    now - lastNews >= .seconds(5) && running.allSatisfy { peers[$0].core.pendingNews == 0 }
  }

  /// Whether all who run stand on the same view, and it is of them.
  var isAgreed: Bool {
    let running = running
    guard let first = running.first, let view = peers[first].epochs.standing else { return false }
    let expected = Set(running.map { peers[$0].id }).sorted()
    return view.peers == expected
      && running.allSatisfy { peers[$0].epochs.standing?.id == view.id }
  }
}
