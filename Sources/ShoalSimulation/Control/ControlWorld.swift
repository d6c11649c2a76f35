// A whole mesh's control plane in virtual time: one loop, one agenda, one seed.

internal import ShoalProtocol

/// Discovery, membership, records, epochs, plans and stored atoms of many peers. What decides is
/// the code that ships; what performs is here (docs/SIMULATION.md draws the line).
final class ControlWorld {
  enum Happening {
    case arrival(Packet, from: Endpoint, to: Int)
    case wake(Int, process: Int)
    case drain(Int, process: Int)
    case begin(Int)
    case end(Int)
    /// Atoms arrive from a holder.
    case fetched(Int, process: Int, atoms: [Int], holder: Int, holderProcess: Int)
    case fetchEnds(Int, process: Int, retryAfter: Duration?)
    case settle(Int, process: Int)
    case room(Int, process: Int)
    /// A holder is asked to keep atoms, and answers.
    case asked(RoomQuestion)
    case promised(RoomQuestion, kept: [Int])
    case roomEnds(Int, process: Int, atoms: [Int], calmSince: Moment)
    case start(Int)
    case sample
  }

  let options: ControlOptions
  let model: SimulatedModel
  let read: RecordReading
  let secret: UInt64
  var schedule: FaultSchedule
  var network: SimulatedNetwork
  var peers: [ControlPeer]
  var randoms: [SeededGenerator]
  /// Peers of one local network hear each other's beacons.
  let segments: [[Int]]
  var agenda = Agenda<Happening>()
  var now = Moment(nanoseconds: 0)
  var random: SeededGenerator
  var trace = Trace()
  var plans: PlanBook
  /// Views of a large mesh that one peer alone has stood on so far.
  var lonelyViews: [ViewID: Int] = [:]
  var holders: HolderCount
  var promises = PromiseBook()
  var violation: Violation?
  var counts = ControlCounts()
  /// Faults of the air that are in force.
  var activeWeather: [Int: NetworkWeather] = [:]
  var watched: WatchedPeer?
  /// When somebody last published a record, or changed its mind about another.
  var lastNews = Moment(nanoseconds: 0)
  /// Where a picture is wanted.
  var timeline: Timeline?
  /// By identity; a twin shares its first's.
  var numbers: [PeerID: [Int]] = [:]

  init(_ options: ControlOptions, seed: UInt64, schedule given: FaultSchedule?) throws {
    self.options = options
    model = try SimulatedModel()
    var random = SeededGenerator(seed)
    let secret = random.next()
    self.secret = secret
    read = RecordShelf(StandInSignature.verification(secret: secret)).reading
    let drawn = ControlOptions.draw(options, model, read: read, using: &random)
    peers = drawn.peers
    segments = drawn.segments
    randoms = peers.map { _ in random.split() }
    for peer in peers { numbers[peer.id] = [peer.number] }
    let window =
      options.churnStart...options.churnStart + options.churn
    let schedule = FaultSchedule(
      kinds: options.faults, peers: options.peers, reserve: options.reserve, window: window,
      using: &random)
    self.schedule = given ?? schedule
    network = SimulatedNetwork(topology: options.topology)
    plans = PlanBook(model: model, options: options, random: random.split())
    holders = HolderCount(atoms: model.sizes.count)
    self.random = random
    for number in 0..<options.peers {
      let moment = Int64.random(in: 0...500_000_000, using: &self.random)
      agenda.add(.start(number), at: Moment(nanoseconds: moment))
    }
    for (index, fault) in self.schedule.faults.enumerated() {
      agenda.add(.begin(index), at: fault.at)
      if let end = fault.until { agenda.add(.end(index), at: end) }
    }
  }

  // MARK: Time

  /// Runs until `end`, or until an invariant breaks.
  func run(until end: Moment) {
    while violation == nil, let next = agenda.nextMoment, next <= end,
      let (at, item) = agenda.removeFirst()
    {
      now = at
      counts.events += 1
      perform(item)
    }
    if violation == nil { now = max(now, end) }
  }

  /// Runs until `claim` holds; nil where it does not within `limit`.
  func run(atMost limit: Duration, until claim: () -> Bool) -> Duration? {
    let start = now
    while violation == nil, now - start < limit {
      if claim() { return now - start }
      run(until: now + .milliseconds(20))
    }
    return violation == nil && claim() ? now - start : nil
  }

  func breaks(_ invariant: Invariant, peers: Set<Int> = [], _ detail: String) {
    violation = violation ?? Violation(invariant, at: now, peers: peers, detail)
  }

  private func perform(_ item: Happening) {
    switch item {
    case .arrival(let packet, let source, let number):
      arrive(packet, from: source, at: number)
    case .wake(let number, let process):
      guard isCurrent(number, process), peers[number].wake == now else { return }
      wakeUp(number)
    case .drain(let number, let process):
      guard isCurrent(number, process) else { return }
      drain(number)
    case .begin(let index): begin(index)
    case .end(let index): end(index)
    case .fetched(let number, let process, let atoms, let holder, let holderProcess):
      guard isCurrent(number, process) else { return }
      take(atoms, at: number, from: holder, process: holderProcess)
    case .fetchEnds(let number, let process, let retryAfter):
      guard isCurrent(number, process) else { return }
      endFetch(number, retryAfter: retryAfter)
    case .settle(let number, let process):
      guard isCurrent(number, process) else { return }
      peers[number].store.retryIsDue = false
      settle(number)
    case .room(let number, let process):
      guard isCurrent(number, process) else { return }
      peers[number].store.roomIsDue = false
      makeRoom(number)
    case .asked(let question): answer(question)
    case .promised(let question, let kept): hear(kept, of: question)
    case .roomEnds(let number, let process, let atoms, let calmSince):
      guard isCurrent(number, process) else { return }
      endRoom(number, atoms, calmSince: calmSince)
    case .start(let number):
      if peers[number].state == .absent { start(number) }
    case .sample: sample()
    }
  }

  func isCurrent(_ number: Int, _ process: Int) -> Bool {
    peers[number].isRunning && peers[number].process == process
  }

  // MARK: Processes

  func start(_ number: Int) {
    peers[number].restartProcess(read: read)
    peers[number].state = .running
    trace.add(.start, peer: number, UInt64(peers[number].process), at: now)
    for atom in peers[number].disk.atoms { holders.gain(atom) }
    // What a restarted process finds in its settings says nothing about yesterday's version.
    peers[number].record.version = 1
    announceHoldings(number, publishing: false)
    publish(number)
    let beacon = Beacon(
      peer: peers[number].id, version: peers[number].record.version,
      endpoints: [peers[number].endpoint])
    discover(.started(beacon), at: number)
    for bootstrap in options.bootstraps where bootstrap != number {
      discover(.bootstrap(.simulated(bootstrap)), at: number)
    }
  }

  func stop(_ number: Int, as state: ControlPeer.State) {
    guard peers[number].isRunning else { return }
    trace.add(.stop, peer: number, UInt64(peers[number].process), at: now)
    peers[number].state = state
    promises.forget(number)
    for atom in peers[number].disk.atoms.sorted() { lose(atom, at: number) }
  }

  /// A holder of `atom` is gone, or the atom is gone from it.
  func lose(_ atom: Int, at number: Int) {
    guard let detail = holders.lose(atom, copies: Self.copies) else { return }
    breaks(.liveHolder, peers: [number], "atom \(atom): \(detail)")
  }

  /// Copies of each atom that the mesh keeps: what ShardStore asks of StoragePlan.
  static let copies = 2

  var running: [Int] { peers.indices.filter { peers[$0].isRunning } }
}

/// What happened, in numbers.
struct ControlCounts {
  var events = 0
  var epochs = 0
  var shed = 0
  var refusedRecords = 0
  var deepestInbox = 0
  var mostPendingNews = 0
  /// Copies that were given up to make room.
  var drops = 0
  /// Suspicions that a peer raised on its own evidence against one that ran.
  var falseSuspicions = 0
  /// Views that lacked somebody who ran.
  var falseExclusions = 0
}
