// The all-reduce alone: ranks on threads of their own, over sealed connections of this machine, and
// where the time of a sum goes.

import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

/// One mesh and one width.
struct SyncBench: Sendable {
  let peers: Int
  let width: Int
  let rounds: Int
  /// The link to be played; nil: as fast as this machine's loopback is.
  let pace: DevicePace?
  let waiting: WaitStrategy

  /// Rounds before those that count.
  private static let warmUp = 200

  /// Sums as decoding has them: about 20 bits each, a different set on each rank.
  private func sums(of rank: Int) -> [Int64] {
    (0..<width).map { index in
      let mixed = UInt64(index * 64 + rank + 1) &* 0x9e37_79b9_7f4a_7c15
      return Int64(bitPattern: mixed) >> 45
    }
  }

  func run() async throws -> SyncFigures {
    let mesh = try await SyncMesh.open(ranks: peers, waiting: waiting)
    defer { mesh.shutdown() }
    let expected = (0..<width).map { index in
      (0..<peers).reduce(Int64(0)) { $0 + sums(of: $1)[index] }
    }
    let ranks = try await withThrowingTaskGroup(of: SyncRank.self) { group in
      for rank in 0..<peers {
        let room = ThreadRoom(SystemThreads().thread(name: "rank \(rank)"))
        group.addTask {
          defer { room.close() }
          return try await room.perform {
            try measure(rank, links: mesh.links[rank], expected: expected)
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    return SyncFigures(peers: peers, width: width, rounds: rounds, ranks: ranks)
  }

  private func measure(
    _ rank: Int, links: [(any FrameLink)?], expected: [Int64]
  ) throws -> SyncRank {
    let clock = SystemClock()
    let aggregator = Aggregator(
      rank: rank, links: links, clock: clock,
      pacer: Pacer(pace: pace, clock: clock, threads: SystemThreads()))
    let binding = StepBinding(job: JobID(.zero), term: Term(0), plan: PlanID(.zero))
    let own = sums(of: rank)
    var sums = own
    var times: [UInt64] = []
    times.reserveCapacity(rounds)
    for round in 0..<Self.warmUp + rounds {
      if round == Self.warmUp { _ = aggregator.takeCost() }
      let begin = clock.now()
      for index in sums.indices { sums[index] = own[index] }
      let start = clock.now()
      try unsafe sums.withUnsafeMutableBufferPointer { buffer in
        try unsafe aggregator.reduce(
          buffer, binding: binding, sequence: UInt32(round), index: 1,
          deadline: begin + .seconds(10))
      }
      if round >= Self.warmUp { times.append(start.until(clock.now())) }
    }
    guard sums == expected else { throw UserError("rank \(rank) has another sum") }
    return SyncRank(times: times.sorted(), cost: aggregator.takeCost())
  }
}

/// What one rank saw.
struct SyncRank: Sendable {
  /// Of each sum, ascending.
  let times: [UInt64]
  let cost: ExchangeCost
}

/// Figures of one mesh and width, in microseconds for one sum; means over the ranks.
struct SyncFigures: Encodable, Sendable {
  let peers: Int
  let width: Int
  let rounds: Int
  let bytesSent: Double
  let median: Double
  let percentile99: Double
  let pack: Double
  let seal: Double
  let send: Double
  let wait: Double
  let open: Double
  let add: Double

  init(peers: Int, width: Int, rounds: Int, ranks: [SyncRank]) {
    func mean(_ part: (SyncRank) -> UInt64, per count: Int) -> Double {
      Double(ranks.reduce(0) { $0 + part($1) }) / Double(count * ranks.count)
    }
    (self.peers, self.width, self.rounds) = (peers, width, rounds)
    bytesSent = mean({ $0.cost.bytesSent }, per: rounds)
    median = mean({ $0.times[$0.times.count / 2] }, per: 1_000)
    percentile99 = mean({ $0.times[$0.times.count * 99 / 100] }, per: 1_000)
    pack = mean({ $0.cost.pack }, per: rounds * 1_000)
    seal = mean({ $0.cost.link.seal }, per: rounds * 1_000)
    send = mean({ $0.cost.link.send }, per: rounds * 1_000)
    wait = mean({ $0.cost.link.wait }, per: rounds * 1_000)
    open = mean({ $0.cost.link.open }, per: rounds * 1_000)
    add = mean({ $0.cost.add }, per: rounds * 1_000)
  }

  static let heading =
    "peers  width  bytes out"
    + ["median", "p99", "pack", "seal", "send", "wait", "open", "add"]
    .map { String(repeating: " ", count: 9 - $0.count) + $0 }.joined()

  var line: String {
    String(format: "%5d %6d %10.0f", peers, width, bytesSent)
      + [median, percentile99, pack, seal, send, wait, open, add]
      .map { String(format: " %8.2f", $0) }.joined()
  }
}

/// Sealed connections between all ranks, each through a handshake as any other.
struct SyncMesh: Sendable {
  /// (ranks, ranks); nil on the diagonal.
  let links: [[(any FrameLink)?]]

  static func open(ranks: Int, waiting: WaitStrategy) async throws -> SyncMesh {
    guard let loopback = Endpoint("127.0.0.1:0") else { preconditionFailure("an address") }
    var generator = RandomSourceGenerator(Entropy())
    let network = try NetworkDescriptor(
      name: "bench", admission: .key, privateKey: NetworkKey(using: &generator))
    var doors: [(door: StreamDoor, identity: PeerIdentity, transport: TCPTransport)] = []
    for _ in 0..<ranks {
      let identity = PeerIdentity(using: &generator)
      let transport = try TCPTransport(listen: loopback)
      let party = HandshakeParty(
        identity: identity, network: network.id, networkKey: network.key)
      let door = StreamDoor(
        party: party, transport: transport, clock: SystemClock(), random: Entropy(),
        waiting: waiting)
      doors.append((door, identity, transport))
    }
    defer { for door in doors { door.transport.close() } }
    var links = [[(any FrameLink)?]](repeating: Array(repeating: nil, count: ranks), count: ranks)
    for right in 0..<ranks {
      let (answering, identity, transport) = doors[right]
      var arrivals = transport.accepted.makeAsyncIterator()
      for left in 0..<right {
        let record = CapabilityRecord(
          peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw,
          endpoints: transport.localEndpoints, memory: .init(total: .zero, usable: .zero),
          compute: .init(cores: 1, matrixVector: .init(f32: 0, f16: 0, q8: 0, q4: 0)))
        let calling = doors[left].door
        async let dialled = calling.dial(
          record, .partials(JobID(.zero), Term(0), rank: left))
        guard let stream = await arrivals.next() else { throw UserError("nobody called") }
        let answered = try await answering.answer(stream)
        links[left][right] = try await dialled
        _ = try answered.receive(.hello, deadline: SystemClock().now() + .seconds(5))
        links[right][left] = answered
      }
    }
    return SyncMesh(links: links)
  }

  func shutdown() { for row in links { for link in row { link?.shutdown() } } }
}
