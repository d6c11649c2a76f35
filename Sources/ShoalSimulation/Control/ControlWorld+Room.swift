// Copies that go: what ShardStore does to make room, with questions that take virtual time.

internal import ShoalNode
internal import ShoalProtocol

/// A peer asks another to keep atoms, so that it can drop them.
struct RoomQuestion {
  let dropper: Int
  let dropperProcess: Int
  let holder: Int
  let holderProcess: Int
  let atoms: [Int]
}

extension ControlWorld {
  /// A dial and an answer on the slowest links, and then some.
  private static let roundPatience = Duration.seconds(2)
  private static let pause = Duration.seconds(5)

  /// Asks others to keep what is too much here. At the right time: a view must have stood a while.
  func makeRoom(_ number: Int) {
    guard !peers[number].store.isMakingRoom, excess(at: number) > 0 else { return }
    let calmSince = peers[number].store.calmSince
    let calm = calmSince + Limits.dropCalm
    guard now >= calm else { return lookForRoom(number, at: calm) }
    let atoms = roomTurn(number, of: peers[number].store.members.count)
    guard !atoms.isEmpty else { return lookForRoom(number, at: now + Self.pause) }
    peers[number].store.isMakingRoom = true
    promises.begin(number, atoms)
    for holder in openLanes(number, atoms) {
      let question = RoomQuestion(
        dropper: number, dropperProcess: peers[number].process, holder: holder,
        holderProcess: peers[holder].process, atoms: atoms)
      agenda.add(.asked(question), at: now + delay(number, holder) * 3)
    }
    agenda.add(
      .roomEnds(
        number, process: peers[number].process, atoms: atoms, calmSince: calmSince),
      at: now + Self.roundPatience)
  }

  private func lookForRoom(_ number: Int, at moment: Moment) {
    guard !peers[number].store.roomIsDue else { return }
    peers[number].store.roomIsDue = true
    agenda.add(.room(number, process: peers[number].process), at: moment)
  }

  /// Some of what need not be here, the largest first, and another part each time.
  private func roomTurn(_ number: Int, of peerCount: Int) -> [Int] {
    let surplus = peers[number].disk.atoms.subtracting(peers[number].store.assigned)
      .sorted { (model.sizes[$1], $0) < (model.sizes[$0], $1) }
    let isSmall = peerCount <= HolderSearch.width
    let width = isSmall ? surplus.count : HolderSearch.width / Self.copies
    guard width > 0 else { return [] }
    let turns = (surplus.count + width - 1) / width
    let first = peers[number].store.roomTurns % max(1, turns) * width
    peers[number].store.roomTurns += 1
    let turn = surplus[first..<min(surplus.count, first + width)]
    let local = peers[number].clock.local(now)
    let asked = Set(peers[number].store.keeping.beginDrop(turn.map(Self.blob), at: local))
    return turn.filter { asked.contains(Self.blob($0)) }
  }

  func answer(_ question: RoomQuestion) {
    let holder = question.holder
    guard isCurrent(holder, question.holderProcess), !peers[holder].isStalled,
      network.carries(from: question.dropper, to: holder)
    else { return }
    let held = question.atoms.filter { peers[holder].disk.atoms.contains($0) }
    let local = peers[holder].clock.local(now)
    let answers = peers[holder].store.keeping.promise(held.map(Self.blob), at: local)
    let kept = zip(held, answers).filter(\.1).map(\.0)
    promises.promise(kept, by: holder, to: question.dropper, at: now)
    agenda.add(.promised(question, kept: kept), at: now + delay(holder, question.dropper))
  }

  func hear(_ kept: [Int], of question: RoomQuestion) {
    let dropper = question.dropper
    guard isCurrent(dropper, question.dropperProcess), !peers[dropper].isStalled,
      network.carries(from: question.holder, to: dropper)
    else { return }
    peers[dropper].store.keeping.promised(kept.map(Self.blob), by: peers[question.holder].id)
  }

  /// Drops what enough others keep, as far as there is too much.
  func endRoom(_ number: Int, _ atoms: [Int], calmSince: Moment) {
    peers[number].store.isMakingRoom = false
    defer {
      peers[number].store.keeping.endDrop(atoms.map(Self.blob))
      announceHoldings(number, publishing: true)
      if excess(at: number) > 0 { lookForRoom(number, at: now + Self.pause) }
    }
    guard peers[number].store.calmSince == calmSince, !peers[number].isStalled else { return }
    let local = peers[number].clock.local(now)
    for atom in atoms where excess(at: number) > 0 {
      let mayGo = peers[number].store.keeping.commitDrop(
        Self.blob(atom), copies: Self.copies, at: local)
      guard mayGo else { continue }
      counts.drops += 1
      peers[number].disk.lose(atom)
      if let detail = promises.drop(atom, by: number, copies: Self.copies, at: now) {
        breaks(.acknowledged, peers: [number], "atom \(atom) is dropped at \(number): \(detail)")
      }
      if let detail = holders.drop(atom, copies: Self.copies) {
        breaks(.liveHolder, peers: [number], "atom \(atom), dropped at \(number): \(detail)")
      }
    }
  }

  private func excess(at number: Int) -> UInt64 {
    let (disk, assigned) = (peers[number].disk.atoms, peers[number].store.assigned)
    return DiskBudget(
      budget: peers[number].record.disk.bytes, held: bytes(disk),
      incoming: bytes(assigned.subtracting(disk)), free: .max
    ).excess
  }

  private func bytes(_ atoms: Set<Int>) -> UInt64 { atoms.reduce(0) { $0 + model.sizes[$1] } }

  private func delay(_ from: Int, _ to: Int) -> Duration {
    network.topology.delay(from: from, to: to)
  }

  private static func blob(_ atom: Int) -> BlobID { BlobID(.spread(UInt64(atom))) }
}
