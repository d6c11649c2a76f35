// Makes things go wrong, and right again.

internal import ShoalProtocol

extension ControlWorld {
  func begin(_ index: Int) {
    let timed = schedule.faults[index]
    trace.add(.fault, peer: timed.fault.peers.min() ?? 0, UInt64(index), at: now)
    switch timed.fault {
    case .weather(let weather):
      activeWeather[index] = weather
      combineWeather()
    case .cut(let from, let to): network.sever(index, from: from, to: to)
    case .throttle(let number, let rate): network.throttle(number, to: rate)
    case .slow(let number, let cost): peers[number].perEvent = cost
    case .stall(let number): peers[number].isStalled = peers[number].isRunning
    case .crash(let number, let disk, _): crash(number, disk)
    case .leave(let number):
      guard peers[number].isRunning else { return }
      member(.leave, at: number)
      stop(number, as: .left)
    case .join(let number): if peers[number].state == .absent { start(number) }
    case .damage(let number, let pick): damage(number, pick)
    case .lie(let number, let about): lie(number, about)
    case .twin(let first, let place): startTwin(of: first, at: place)
    }
  }

  func end(_ index: Int) {
    let timed = schedule.faults[index]
    trace.add(.heal, peer: timed.fault.peers.min() ?? 0, UInt64(index), at: now)
    switch timed.fault {
    case .weather:
      activeWeather[index] = nil
      combineWeather()
    case .cut: network.mend(index)
    case .throttle(let number, _): network.throttle(number, to: nil)
    case .slow(let number, _): peers[number].perEvent = .zero
    case .stall(let number):
      peers[number].isStalled = false
      peers[number].busyUntil = now
      scheduleDrain(number)
      rearm(number)
    case .crash(let number, _, let clockBack):
      guard peers[number].state == .crashed else { return }
      let back = UInt64(clockBack.nanoseconds / 1_000_000)
      peers[number].clock.wall -= min(back, peers[number].clock.wall)
      start(number)
    case .twin(_, let place): stop(place, as: .crashed)
    case .leave, .join, .damage, .lie: break
    }
  }

  /// The worst of all weathers that are in force.
  private func combineWeather() {
    var worst = NetworkWeather()
    for (_, weather) in activeWeather {
      worst.lossPerMille = max(worst.lossPerMille, weather.lossPerMille)
      worst.duplicatePerMille = max(worst.duplicatePerMille, weather.duplicatePerMille)
      worst.flipPerMille = max(worst.flipPerMille, weather.flipPerMille)
      let longest = max(worst.jitter.upperBound, weather.jitter.upperBound)
      worst.jitter = 0...longest
    }
    network.weather = worst
  }

  private func crash(_ number: Int, _ disk: DiskMemory) {
    guard peers[number].isRunning else { return }
    stop(number, as: .crashed)
    switch disk {
    case .kept: break
    case .stale(let age): peers[number].disk.rollBack(to: now + (.zero - age))
    case .lost: peers[number].disk.wipe()
    }
  }

  /// A read finds the hash wrong: the atom goes to quarantine and is fetched again.
  private func damage(_ number: Int, _ pick: UInt64) {
    guard peers[number].isRunning else { return }
    let atoms = peers[number].disk.atoms.sorted()
    guard !atoms.isEmpty else { return }
    let atom = atoms[Int(pick % UInt64(atoms.count))]
    peers[number].disk.lose(atom)
    lose(atom, at: number)
    settle(number)
  }

  /// Sends a forged record and a false death to a few.
  private func lie(_ number: Int, _ about: Int) {
    guard peers[number].isRunning, number != about else { return }
    var record = peers[about].record
    record.version = Self.forgedVersion
    record.memory.usable = .gibibytes(1_000)
    let forged = StandInSignature.sign(record.bytes, by: record.peer, secret: ~secret)
    let claim = peers[number].core.table[record.peer]?.incarnation ?? Incarnation(version: 1)
    for peer in peers[number].core.table.live.shuffled(using: &random).prefix(3) {
      guard let endpoint = peers[number].core.table.endpoint(of: peer), let forged else { continue }
      for message in [
        GossipMessage.records([forged]), .updates([MemberUpdate(record.peer, claim, .dead)]),
      ] {
        send(.gossip(message.bytes, from: peers[number].id), from: number, to: endpoint)
      }
    }
  }

  private func startTwin(of first: Int, at place: Int) {
    guard peers[place].state == .absent, peers[first].isRunning else { return }
    peers[place].id = peers[first].id
    numbers[peers[first].id] = [first, place]
    peers[place].isTwin = true
    peers[first].isTwin = true
    peers[place].record = peers[first].record
    peers[place].record.endpoints = [peers[place].endpoint]
    start(place)
  }
}
