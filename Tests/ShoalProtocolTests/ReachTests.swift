// Which way a stream takes to peers behind address translation, over virtual networks.

import ShoalProtocol
import Testing

/// What stands between a peer and all others.
private enum Wall: Hashable, Sendable {
  /// A public address: whoever dials it reaches it.
  case none
  /// A router that lets in what its peer has asked for, and whatever comes to a forwarded port.
  case forwarding
  /// A router that lets nobody in.
  case closed
}

/// Peers behind walls, each with a core; every attempt ends as the walls allow.
private struct ReachWorld {
  let walls: [Wall]
  var cores: [ReachCore]
  var now = Moment(nanoseconds: 0)
  /// Pairs that have no address family in common.
  var strangers: Set<[Int]> = []
  private(set) var attempts = 0

  static func id(_ number: Int) -> PeerID {
    PeerID(Bytes32([UInt8](repeating: UInt8(number + 1), count: 32)) ?? .zero)
  }

  init(_ walls: [Wall], strangers: Set<[Int]> = []) {
    self.walls = walls
    self.strangers = strangers
    cores = walls.indices.map { ReachCore(peer: Self.id($0)) }
  }

  private func dials(_ from: Int, _ to: Int) -> Bool {
    walls[to] != .closed && !strangers.contains([from, to].sorted())
  }

  private func works(_ way: PeerWay, _ from: Int, _ to: Int) -> Bool {
    switch way {
    case .direct: dials(from, to)
    case .called: dials(to, from)
    case .relayed(let carrier):
      walls.indices.first { Self.id($0) == carrier }.map { third in
        [from, to].allSatisfy { dials($0, third) || dials(third, $0) }
      } ?? false
    }
  }

  /// Everybody meets everybody, in the order of their numbers.
  mutating func meet() {
    for from in walls.indices {
      for to in walls.indices where to != from {
        let isDoubtful =
          walls[from] != .none || walls[to] != .none
          || strangers.contains([from, to].sorted())
        handle(
          from,
          .joined(Self.id(to), isDoubtful: isDoubtful, relays: walls[to] == .none))
      }
    }
  }

  mutating func handle(_ peer: Int, _ event: ReachCore.Event) {
    var events = [event]
    while !events.isEmpty {
      for effect in cores[peer].handle(events.removeFirst(), at: now) {
        guard case .attempt(let other, let way) = effect,
          let to = walls.indices.first(where: { Self.id($0) == other })
        else { continue }
        attempts += 1
        events.append(.tried(other, way, succeeded: works(way, peer, to)))
      }
    }
  }

  mutating func pass(_ duration: Duration) {
    let end = now + duration
    while let peer = cores.indices.min(by: { left, right in
      (cores[left].nextDeadline ?? end) < (cores[right].nextDeadline ?? end)
    }), let due = cores[peer].nextDeadline, due < end {
      now = max(now, due)
      handle(peer, .deadline)
    }
    now = end
  }

  func way(_ from: Int, _ to: Int) -> PeerWay? { cores[from].way(to: Self.id(to)) }
}

@Suite struct ReachTests {
  @Test func `where addresses are what they seem nothing is tried`() {
    var world = ReachWorld([.none, .none, .none])
    world.meet()
    #expect(world.attempts == 0)
    #expect(world.way(0, 1) == .direct)
  }

  @Test func `each pair takes the best way that its walls allow`() {
    // A public peer, a home that forwards, two that do not.
    var world = ReachWorld([.none, .forwarding, .closed, .closed])
    world.meet()
    world.pass(.seconds(10))
    for other in 1...3 { #expect(world.way(other, 0) == .direct) }
    #expect(world.way(0, 1) == .direct)
    #expect(world.way(0, 2) == .called)
    #expect(world.way(2, 1) == .direct)
    #expect(world.way(1, 2) == .called)
    #expect(world.way(2, 3) == .relayed(by: ReachWorld.id(0)))
    #expect(world.way(3, 2) == .relayed(by: ReachWorld.id(0)))
  }

  @Test func `peers without a family in common meet at one that has both`() {
    var world = ReachWorld([.none, .none, .closed], strangers: [[1, 2]])
    world.meet()
    world.pass(.seconds(10))
    #expect(world.way(1, 2) == .relayed(by: ReachWorld.id(0)))
    #expect(world.way(2, 1) == .relayed(by: ReachWorld.id(0)))
  }

  @Test func `where nobody carries it is tried again, more and more rarely`() {
    var world = ReachWorld([.closed, .closed])
    world.meet()
    #expect(world.way(0, 1) == nil)
    world.pass(.seconds(600))
    // Two ways each, at 0, 1, 3, 7, 15, 31, 63 s and then every minute.
    #expect((50...70).contains(world.attempts))
  }

  @Test func `a relay that is lost is replaced, and a way that fails is looked for anew`() {
    var world = ReachWorld([.none, .none, .closed, .closed])
    world.meet()
    world.pass(.seconds(10))
    guard case .relayed(let first) = world.way(2, 3) else {
      Issue.record("no relay")
      return
    }
    for peer in [2, 3] { world.handle(peer, .lost(first)) }
    guard case .relayed(let second) = world.way(2, 3) else {
      Issue.record("no other relay")
      return
    }
    #expect(second != first)
    world.handle(2, .failed(ReachWorld.id(3)))
    #expect(world.way(2, 3) == nil)
    world.pass(.milliseconds(1))
    #expect(world.way(2, 3) == .relayed(by: second))
  }

  @Test func `a way that was tried too early is tried again where the peer is found`() {
    var core = ReachCore(peer: ReachWorld.id(0))
    let (other, carrier) = (ReachWorld.id(1), ReachWorld.id(2))
    let now = Moment(nanoseconds: 0)
    _ = core.handle(.joined(carrier, isDoubtful: false, relays: true), at: now)
    let begun: [ReachCore.Effect] = [
      .introduce(other, by: carrier), .attempt(other, .direct),
    ]
    #expect(core.handle(.joined(other, isDoubtful: true, relays: false), at: now) == begun)
    #expect(core.handle(.found(other), at: now) == begun)
    // The first trial's end counts as the second's; a later success settles all the same.
    #expect(
      core.handle(.tried(other, .direct, succeeded: false), at: now)
        == [.attempt(other, .called)])
    #expect(core.handle(.tried(other, .direct, succeeded: true), at: now) == [])
    #expect(core.way(to: other) == .direct)
    #expect(core.handle(.found(other), at: now) == [])
    for way in [PeerWay.direct, .called] {
      _ = core.handle(.failed(other), at: now)
      _ = core.handle(.deadline, at: now)
      _ = core.handle(.tried(other, .direct, succeeded: false), at: now)
      _ = core.handle(.tried(other, .called, succeeded: false), at: now)
      _ = core.handle(.tried(other, .relayed(by: carrier), succeeded: true), at: now)
      #expect(core.way(to: other) == .relayed(by: carrier))
      #expect(core.handle(.found(other), at: now) == begun)
      _ = core.handle(.tried(other, way, succeeded: true), at: now)
      #expect(core.way(to: other) == way)
    }
  }

  @Test func `whoever comes to a relay first asks it to be introduced`() {
    var core = ReachCore(peer: ReachWorld.id(0))
    let (other, carrier) = (ReachWorld.id(1), ReachWorld.id(2))
    let now = Moment(nanoseconds: 0)
    // The carrier is itself still being tried when the other comes.
    _ = core.handle(.joined(carrier, isDoubtful: true, relays: true), at: now)
    #expect(
      core.handle(.joined(other, isDoubtful: true, relays: false), at: now)
        == [.attempt(other, .direct)])
    _ = core.handle(.tried(carrier, .direct, succeeded: true), at: now)
    _ = core.handle(.tried(other, .direct, succeeded: false), at: now)
    #expect(
      core.handle(.tried(other, .called, succeeded: false), at: now)
        == [.introduce(other, by: carrier), .attempt(other, .relayed(by: carrier))])
  }

  /// own, seen, theirs, observed, whether something is between.
  static let sights: [([String], String?, [String], String?, Bool)] = [
    (["192.168.1.2:1"], nil, ["192.168.1.3:1"], "192.168.1.3:1", false),
    (["192.168.1.2:1"], nil, ["192.168.1.3:1"], nil, false),
    (["192.168.1.2:1"], "203.0.113.5:9", ["198.51.100.1:1"], "198.51.100.1:1", true),
    (["198.51.100.1:1"], nil, ["192.168.1.3:1"], "203.0.113.5:9", true),
    (["198.51.100.1:1"], nil, ["[2001:db8::1]:1"], nil, true),
    (["198.51.100.1:1", "[2001:db8::2]:1"], nil, ["[2001:db8::1]:1"], nil, false),
  ]

  @Test(arguments: sights.indices) func `translation is seen where addresses differ`(
    _ row: Int
  ) throws {
    let (own, seen, theirs, observed, expected) = Self.sights[row]
    let isDoubtful = ReachCore.isDoubtful(
      own: own.compactMap { Endpoint($0) }, seen: seen.flatMap { Endpoint($0) },
      theirs: theirs.compactMap { Endpoint($0) }, observed: observed.flatMap { Endpoint($0) })
    #expect(isDoubtful == expected)
  }

  static let messages: [(ReachMessage, Int)] = [
    (.seen(Endpoint("203.0.113.5:7432")!), 8), (.introduce(ReachWorld.id(1)), 33),
    (.meet(ReachWorld.id(2), Endpoint("[2001:db8::1]:7432")!), 52), (.call(7), 9),
  ]

  @Test(arguments: messages.indices) func `a message comes back, and nothing cut or longer does`(
    _ index: Int
  ) throws {
    let (message, count) = Self.messages[index]
    let bytes = message.bytes
    #expect(bytes.count == count)
    #expect(try ReachMessage(bytes: bytes) == message)
    for length in bytes.indices {
      #expect(throws: WireError.self) { try ReachMessage(bytes: Array(bytes.prefix(length))) }
    }
    #expect(throws: WireError.self) { try ReachMessage(bytes: bytes + [0]) }
  }

  @Test func `an address means one host everywhere, or not`() {
    let global = ["198.51.100.1:1", "8.8.8.8:1", "[2001:db8::1]:1", "172.32.0.1:1"]
    let local = [
      "192.168.0.1:1", "10.0.0.1:1", "172.16.0.1:1", "100.64.0.1:1", "169.254.0.1:1",
      "127.0.0.1:1", "0.0.0.0:1", "[fe80::1]:1", "[fd00::1]:1", "[::1]:1", "[::]:1", "[ff02::1]:1",
    ]
    #expect(global.allSatisfy { Endpoint($0)?.isGlobal == true })
    #expect(local.allSatisfy { Endpoint($0)?.isGlobal == false })
  }
}
