// When a peer calls, whom it knocks at, and what a stranger can cost it.
import ShoalProtocol
import Testing

@Suite struct DiscoveryTests {
  private struct Bench {
    var directory = PeerDirectory(peer: .numbered(0))
    var random = SeededGenerator(4)

    mutating func handle(_ event: DiscoveryEvent, _ milliseconds: Int) -> [DiscoveryEffect] {
      directory.handle(event, at: .milliseconds(milliseconds), using: &random)
    }

    /// Follows the directory's own deadlines up to `end`; what it did, with the time.
    mutating func follow(until end: Int) -> [(Int, DiscoveryEffect)] {
      var story: [(Int, DiscoveryEffect)] = []
      while let due = directory.nextDeadline, due <= .milliseconds(end) {
        let effects = directory.handle(.deadline, at: due, using: &random)
        story += effects.map { (Int(due.nanoseconds / 1_000_000), $0) }
      }
      return story
    }
  }

  static let own = Beacon(peer: .numbered(0), version: 5, endpoints: [.numbered(0)])
  static let other = Beacon(peer: .numbered(1), version: 7, endpoints: [.numbered(1)])

  @Test func `a beacon has these bytes, and no cut or mangled ones pass for it`() throws {
    let bytes = Self.other.bytes
    #expect(
      Hex.encode(bytes)
        == "01" + PeerID.numbered(1).raw.hex + "0700000000000000" + "01000000" + "040a000001091d")
    #expect(try Beacon(bytes: bytes) == Self.other)
    for position in bytes.indices {
      #expect(throws: WireError.self) { try Beacon(bytes: Array(bytes[..<position])) }
      var mangled = bytes
      mangled[position] ^= 0x80
      if let read = try? Beacon(bytes: mangled) { #expect(read.bytes == mangled) }
    }
  }

  @Test func `a peer calls often at first, then rarely`() {
    var bench = Bench()
    #expect(bench.handle(.started(Self.own), 0) == [.sendBeacon(Self.own.bytes)])
    let calls = bench.follow(until: 60_000).map(\.0)
    #expect((10...16).contains(calls.filter { $0 <= 3_000 }.count))
    #expect((9...15).contains(calls.filter { $0 > 4_000 }.count))
  }

  @Test func `a large mesh calls more rarely`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    for number in 1...255 { _ = bench.handle(.joined(.numbered(number), .numbered(number)), 1) }
    #expect(bench.follow(until: 600_000).filter { $0.0 > 4_000 }.count <= 6)
  }

  @Test func `a beacon leads to one knock, repeated more and more rarely, and to none once joined`()
  {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    let knock = DiscoveryEffect.contact(.numbered(1), .numbered(1))
    #expect(bench.handle(.beacon(Self.other.bytes, from: .numbered(1)), 10) == [knock])
    #expect(bench.handle(.beacon(Self.other.bytes, from: .numbered(1)), 20) == [])
    let again = bench.follow(until: 20_000).filter { $0.1 == knock }.map(\.0)
    #expect((4...6).contains(again.count))
    let waits = zip(again, again.dropFirst()).map { $1 - $0 }
    #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 })
    _ = bench.handle(.joined(.numbered(1), .numbered(1)), 20_001)
    #expect(bench.handle(.beacon(Self.other.bytes, from: .numbered(1)), 20_002) == [])
    #expect(bench.follow(until: 200_000).filter { $0.1 == knock }.isEmpty)
    #expect(bench.directory.candidateCount == 0)
  }

  @Test func `own calls are ignored`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    #expect(bench.handle(.beacon(Self.own.bytes, from: .numbered(0)), 1) == [])
    #expect(bench.directory.candidateCount == 0)
  }

  @Test func `a bootstrap address is never given up, others are`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    #expect(bench.handle(.bootstrap(.numbered(8)), 0) == [.contact(.numbered(8), nil)])
    _ = bench.handle(.heard(.numbered(9), .numbered(9)), 0)
    let hour = bench.follow(until: 3_600_000)
    let late = hour.filter { $0.0 > 3_000_000 }
    #expect(late.contains { $0.1 == .contact(.numbered(8), nil) })
    #expect(!late.contains { $0.1 == .contact(.numbered(9), .numbered(9)) })
    #expect(bench.directory.candidateCount == 1)
    let knocks = hour.filter { $0.1 == .contact(.numbered(8), nil) }.map(\.0)
    let waits = zip(knocks.dropFirst(), knocks).map { $0 - $1 }
    #expect((waits.max() ?? 0) <= 72_000)
  }

  @Test func `a peer that was lost is looked for again`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    _ = bench.handle(.joined(.numbered(3), .numbered(3)), 0)
    _ = bench.handle(.lost(.numbered(3)), 1_000)
    let knocks = bench.follow(until: 5_000).filter {
      $0.1 == .contact(.numbered(3), .numbered(3))
    }
    #expect(knocks.count >= 2)
  }

  @Test func `not all of a large mesh knock at a newcomer at once`() {
    var delays: Set<Int> = []
    for seed in UInt64(0)..<50 {
      var bench = Bench()
      bench.random = SeededGenerator(seed)
      _ = bench.handle(.started(Self.own), 0)
      for number in 2...101 { _ = bench.handle(.joined(.numbered(number), .numbered(number)), 0) }
      _ = bench.handle(.beacon(Self.other.bytes, from: .numbered(1)), 0)
      let knock = bench.follow(until: 1_100).first {
        $0.1 == .contact(.numbered(1), .numbered(1))
      }
      if let knock { delays.insert(knock.0 / 100) }
    }
    #expect(delays.count >= 8)
  }

  @Test func `bad bytes cost one datagram`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    var refused = 0
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...120, using: &bench.random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &bench.random) }
      let effects = bench.handle(.beacon(bytes, from: .numbered(6)), 0)
      if case .refused(_, from: .numbered(6)) = effects.first { refused += 1 }
    }
    #expect(refused == 5_000)
    #expect(
      bench.handle(.beacon(Self.other.bytes, from: .numbered(1)), 1)
        == [.contact(.numbered(1), .numbered(1))])
  }

  @Test func `a flood of beacons fills a bounded table`() {
    var bench = Bench()
    _ = bench.handle(.started(Self.own), 0)
    for number in 1...3_000 {
      let beacon = Beacon(peer: .numbered(number), version: 1, endpoints: [.numbered(number)])
      _ = bench.handle(.beacon(beacon.bytes, from: .numbered(number)), 1)
    }
    #expect(bench.directory.candidateCount == Limits.peers)
  }
}
