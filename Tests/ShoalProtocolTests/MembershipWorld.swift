// Many membership cores in one process: virtual time, lossy datagrams, one seed.
import ShoalProtocol

struct NetworkWeather {
  var lossPerMille = 0
  var duplicatePerMille = 0
  /// One way, drawn evenly; a wide range reorders.
  var delayMicroseconds: ClosedRange<Int64> = 100...1_000
}

/// Peers are numbers from 0; who is crashed hears and says nothing.
struct MembershipWorld {
  private enum Happening {
    case datagram([UInt8], from: Int)
    case wake
  }

  private struct Entry: Comparable {
    let at: Moment
    let order: Int
    let node: Int
    let happening: Happening
    static func < (left: Entry, right: Entry) -> Bool {
      (left.at, left.order) < (right.at, right.order)
    }
    static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
  }

  var cores: [MembershipCore]
  var weather = NetworkWeather()
  private(set) var now = Moment.milliseconds(0)
  private(set) var crashed: Set<Int> = []
  /// Pairs that cannot hear each other are in different islands.
  var islands: [Int]
  private(set) var datagrams = 0
  private(set) var payloadBytes = 0
  /// By observer and peer: when the observer first held the peer to be dead.
  private(set) var deaths: [Int: [PeerID: Moment]] = [:]
  private(set) var suspicions = 0

  private var agenda = Heap<Entry>()
  private var wakes: [Moment?]
  private var order = 0
  private var random: SeededGenerator
  private let ids: [PeerID]
  private let numbers: [PeerID: Int]

  init(
    peers: Int, seed: UInt64, configuration: MembershipConfiguration = MembershipConfiguration()
  ) {
    cores = (0..<peers).map {
      MembershipCore(
        peer: .numbered($0), configuration: configuration, verify: TestSignature.verify)
    }
    wakes = Array(repeating: nil, count: peers)
    islands = Array(repeating: 0, count: peers)
    random = SeededGenerator(seed)
    ids = (0..<peers).map { PeerID.numbered($0) }
    numbers = Dictionary(uniqueKeysWithValues: (0..<peers).map { (PeerID.numbered($0), $0) })
  }

  // MARK: - What a test does

  mutating func start(_ node: Int, version: UInt64 = 1) {
    crashed.remove(node)
    inject(.localRecord(TestSignature.sign(.plain(node, version: version))), into: node)
  }

  /// A new process with the same identity.
  mutating func restart(_ node: Int, version: UInt64) {
    cores[node] = MembershipCore(
      peer: .numbered(node), configuration: cores[node].configuration,
      verify: TestSignature.verify)
    start(node, version: version)
  }

  /// Everybody starts, and is told of the peer before it.
  mutating func startChain() {
    for node in cores.indices { start(node) }
    for node in cores.indices.dropFirst() { introduce(node, to: node - 1) }
  }

  mutating func introduce(_ node: Int, to other: Int) {
    inject(.contact(.numbered(other), .numbered(other)), into: node)
  }

  mutating func crash(_ node: Int) { crashed.insert(node) }

  mutating func inject(_ event: MembershipEvent, into node: Int) {
    perform(cores[node].handle(event, at: now, using: &random), of: node)
  }

  mutating func run(until end: Moment) {
    while let entry = agenda.first, entry.at <= end {
      agenda.removeFirst()
      now = entry.at
      if case .wake = entry.happening { wakes[entry.node] = nil }
      guard !crashed.contains(entry.node) else { continue }
      switch entry.happening {
      case .datagram(let bytes, let sender):
        guard let message = try? GossipMessage(bytes: bytes) else { continue }
        inject(
          .received(message, from: ids[sender], at: .numbered(sender)), into: entry.node)
      case .wake:
        inject(.deadline, into: entry.node)
      }
    }
    now = end
  }

  /// Runs until the claim holds; nil if it does not within `limit`.
  mutating func run(
    atMost limit: Duration, until claim: (MembershipWorld) -> Bool
  ) -> Duration? {
    let start = now
    while now - start < limit {
      if claim(self) { return now - start }
      run(until: now + .milliseconds(20))
    }
    return claim(self) ? now - start : nil
  }

  /// Runs until the claim holds, and says how long that took.
  mutating func wait(
    _ limit: Duration, until claim: (MembershipWorld) -> Bool
  ) throws -> Duration {
    guard let took = run(atMost: limit, until: claim) else { throw TooLate(limit: limit) }
    return took
  }

  struct TooLate: Error { let limit: Duration }

  mutating func resetTraffic() { (datagrams, payloadBytes) = (0, 0) }

  // MARK: - What a test asks

  var running: [Int] { cores.indices.filter { !crashed.contains($0) && !cores[$0].hasLeft } }

  /// Every running peer holds exactly the other running peers alive.
  var isConverged: Bool {
    let expected = running.map { ids[$0] }.sorted()
    return running.allSatisfy { node in
      cores[node].table.live == expected.filter { $0 != ids[node] }
    }
  }

  func everybodyHolds(_ node: Int, _ state: MemberState) -> Bool {
    running.filter { $0 != node }.allSatisfy { cores[$0].table[.numbered(node)]?.state == state }
  }

  // MARK: - Performing

  private mutating func perform(_ effects: [MembershipEffect], of node: Int) {
    for effect in effects {
      switch effect {
      case .send(let message, let receiver, _):
        send(message, from: node, to: receiver)
      case .changed(let peer, .dead):
        if deaths[node]?[peer] == nil { deaths[node, default: [:]][peer] = now }
      case .changed(_, .suspect):
        suspicions += 1
      case .versionNeeded(let version):
        start(node, version: version + 1)
      case .changed, .forgotten, .recordChanged, .delivered, .misbehaved:
        break
      }
    }
    guard let deadline = cores[node].nextDeadline else { return }
    if let wake = wakes[node], wake <= deadline { return }
    wakes[node] = deadline
    add(Entry(at: max(deadline, now), order: order, node: node, happening: .wake))
  }

  private mutating func send(_ message: GossipMessage, from node: Int, to receiver: PeerID) {
    let bytes = message.bytes
    precondition(bytes.count <= Limits.gossipBytes, "\(bytes.count) bytes")
    datagrams += 1
    payloadBytes += bytes.count
    guard let target = numbers[receiver], islands[target] == islands[node] else { return }
    guard Int.random(in: 0..<1_000, using: &random) >= weather.lossPerMille else { return }
    let isDoubled = Int.random(in: 0..<1_000, using: &random) < weather.duplicatePerMille
    for _ in 0..<(isDoubled ? 2 : 1) {
      let delay = Int64.random(in: weather.delayMicroseconds, using: &random)
      add(
        Entry(
          at: now + .microseconds(delay), order: order, node: target,
          happening: .datagram(bytes, from: node)))
    }
  }

  private mutating func add(_ entry: Entry) {
    agenda.insert(entry)
    order += 1
  }
}

/// A binary heap, least first.
struct Heap<Element: Comparable> {
  private var elements: [Element] = []
  var first: Element? { elements.first }

  mutating func insert(_ element: Element) {
    elements.append(element)
    var child = elements.count - 1
    while child > 0, elements[child] < elements[(child - 1) / 2] {
      elements.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() {
    elements.swapAt(0, elements.count - 1)
    elements.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < elements.count && elements[child] < elements[least] { least = child }
      if least == parent { return }
      elements.swapAt(parent, least)
      parent = least
    }
  }
}
