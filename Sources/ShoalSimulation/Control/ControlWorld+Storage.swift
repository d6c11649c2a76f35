// Atoms on their way: what ShardStore does with a view, with transfers that take virtual time.

internal import ShoalNode
internal import ShoalProtocol

extension ControlWorld {
  /// What one link of a storage transfer carries.
  private static let bytesPerSecond: Int64 = 50_000_000

  /// A new epoch at `number`. In a large mesh a view is planned when a second peer stands on it:
  /// while a mesh forms, nearly every view is one peer's own for a moment.
  func adopt(_ view: MeshView, at number: Int) {
    guard options.isLarge, !plans.knows(view.id) else { return plan(view, at: number) }
    guard let first = lonelyViews.removeValue(forKey: view.id), first != number else {
      if lonelyViews.count > 16 * Limits.peers { lonelyViews = [:] }
      lonelyViews[view.id] = number
      return
    }
    for peer in [first, number] where peers[peer].epochs.standing?.id == view.id {
      plan(view, at: peer)
    }
  }

  /// The plan of a view, and what `number` is to hold under it.
  private func plan(_ view: MeshView, at number: Int) {
    guard let planned = plans.plan(view) else {
      return breaks(
        .samePlan, peers: [number],
        "peer \(number) plans otherwise over view \(view.id) of \(view.count)")
    }
    trace.add(.plan, peer: number, UInt64(view.count), planned.hash, at: now)
    checkMemory(planned, view)
    let assigned = planned.assignment(of: peers[number].id)
    if view.peers != peers[number].store.members || assigned != peers[number].store.assigned {
      peers[number].store.calmSince = now
    }
    (peers[number].store.members, peers[number].store.assigned) = (view.peers, assigned)
    if let storage = planned.storage { peers[number].store.search.adopt(storage) }
    settle(number)
    makeRoom(number)
  }

  /// Fetches what is missing, one turn at a time.
  func settle(_ number: Int) {
    guard !peers[number].store.isFetching else { return }
    let missing = peers[number].store.assigned.subtracting(peers[number].disk.atoms).sorted()
    guard !missing.isEmpty else { return announceHoldings(number, publishing: true) }
    let lanes = openLanes(number, missing)
    let wanted = missing.map { atom in
      WantedBlob(blob: BlobID(.spread(UInt64(atom))), byteCount: model.sizes[atom])
    }
    let held = lanes.map { lane in missing.map { peers[lane].disk.atoms.contains($0) } }
    let plan = FetchPlan(wanted, held: held)
    peers[number].store.isFetching = true
    var end = now + .milliseconds(1)
    for (place, part) in plan.lanes.enumerated() where !part.isEmpty {
      let blobs = Set(part.map(\.blob))
      let atoms = missing.filter { blobs.contains(BlobID(.spread(UInt64($0)))) }
      let arrival = now + transfer(atoms, from: lanes[place], to: number)
      trace.add(
        .fetch, peer: number, UInt64(lanes[place]), part.reduce(0) { $0 + ($1.byteCount ?? 0) },
        at: now)
      agenda.add(
        .fetched(
          number, process: peers[number].process, atoms: atoms, holder: lanes[place],
          holderProcess: peers[lanes[place]].process), at: arrival)
      end = max(end, arrival)
    }
    peers[number].store.search.tried(foundAll: plan.missing.isEmpty)
    let retry: Duration? = plan.missing.isEmpty ? nil : .seconds(1)
    agenda.add(
      .fetchEnds(number, process: peers[number].process, retryAfter: retry), at: end)
  }

  /// Those that answer of the peers that ShardStore would dial.
  func openLanes(_ number: Int, _ missing: [Int]) -> [Int] {
    let records = peers[number].core.table.live.compactMap { peers[number].core.table[$0]?.record }
    let asked = peers[number].store.search.peers(for: missing, of: model.id, among: records)
    var lanes: [Int] = []
    for peer in asked {
      guard
        let other = peers[number].core.table[peer]?.record.endpoints.first?.simulatedNumber
      else { continue }
      let answers =
        peers[other].isRunning && !peers[other].isStalled && peers[other].id == peer
        && network.carries(from: number, to: other) && network.carries(from: other, to: number)
      if answers { lanes.append(other) } else { member(.unreachable(peer), at: number) }
    }
    return lanes
  }

  /// A dial, a question and the bytes.
  private func transfer(_ atoms: [Int], from holder: Int, to number: Int) -> Duration {
    let bytes = atoms.reduce(0) { $0 + model.sizes[$1] }
    let roundTrip =
      network.topology.delay(from: number, to: holder)
      + network.topology.delay(from: holder, to: number)
    return roundTrip * 4 + .nanoseconds(Int64(bytes) * 1_000_000_000 / Self.bytesPerSecond)
  }

  func take(_ atoms: [Int], at number: Int, from holder: Int, process: Int) {
    guard peers[holder].isRunning, peers[holder].process == process,
      network.carries(from: holder, to: number)
    else { return }
    for atom in atoms where !peers[number].disk.atoms.contains(atom) {
      guard peers[holder].disk.atoms.contains(atom) else { continue }
      peers[number].disk.keep(atom, at: now)
      holders.gain(atom)
    }
    trace.add(.hold, peer: number, UInt64(peers[number].disk.atoms.count), at: now)
  }

  func endFetch(_ number: Int, retryAfter: Duration?) {
    peers[number].store.isFetching = false
    let isDone = peers[number].store.assigned.isSubset(of: peers[number].disk.atoms)
    announceHoldings(number, publishing: true)
    makeRoom(number)
    guard !isDone || retryAfter != nil, !peers[number].store.retryIsDue else { return }
    peers[number].store.retryIsDue = true
    agenda.add(
      .settle(number, process: peers[number].process),
      at: now + (retryAfter ?? .milliseconds(50)))
  }

  /// Says in the record what is held, where that has changed.
  func announceHoldings(_ number: Int, publishing: Bool) {
    let held = peers[number].disk.atoms.count
    let holdings =
      held == 0
      ? [] : [ModelHolding(model: model.id, isComplete: held == model.sizes.count)]
    guard peers[number].record.models != holdings else { return }
    peers[number].record.models = holdings
    if publishing { publish(number) }
  }

  /// Whether every atom has as many live holders as there can be.
  var isReplicated: Bool {
    let able = min(Self.copies, running.count)
    return holders.live.allSatisfy { $0 >= able }
  }

  /// Atoms that nobody who lives holds: faults took all their holders.
  var lostAtoms: Int { holders.live.count { $0 == 0 } }
}
