// Asking a router to let others in: exact bytes (RFC 6887, RFC 6886), exact effects, and nothing that a
// router says is believed beyond what it may say.

import ShoalProtocol
import Testing

@Suite struct PortMappingTests {
  typealias Core = PortMappingCore
  private static let client = Endpoint("192.168.1.2:40000")!
  private static let nonce = [UInt8](repeating: 0xee, count: 12)

  /// Chance whose bytes are all the same, so that the nonce is known.
  private struct Even: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0xeeee_eeee_eeee_eeee }
  }

  private static func core() -> Core {
    var chance = Even()
    return Core(client: client, port: 7_432, using: &chance)
  }

  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  // MARK: What a router says

  private static func pcp(
    _ kind: UInt8, outside: UInt16 = 50_000, seconds: UInt32 = 3_600, code: UInt8 = 0,
    nonce: [UInt8] = nonce, address: [UInt8] = [203, 0, 113, 7], port: UInt16 = 7_432
  ) -> [UInt8] {
    [2, 0x81, 0, code] + number(seconds, 4) + number(UInt32(9), 4)
      + [UInt8](repeating: 0, count: 12) + nonce + [kind, 0, 0, 0] + number(UInt32(port), 2)
      + number(UInt32(outside), 2) + [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address
  }

  private static func natPMP(
    _ opcode: UInt8, outside: UInt16 = 50_000, seconds: UInt32 = 3_600, code: UInt8 = 0
  ) -> [UInt8] {
    [0, 0x80 | opcode, 0, code] + number(UInt32(9), 4) + number(UInt32(7_432), 2)
      + number(UInt32(outside), 2) + number(seconds, 4)
  }

  private static let natPMPAddress: [UInt8] = [0, 0x80, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7]

  private static func number(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
  }

  private static func sent(_ effects: [Core.Effect]) -> [[UInt8]] {
    effects.compactMap { if case .send(let bytes) = $0 { bytes } else { nil } }
  }

  private static func mapping(
    _ method: PortMappingMethod, _ outside: String = "203.0.113.7:50000"
  ) throws -> PortMapping {
    PortMapping(method: method, outside: try #require(Endpoint(outside)))
  }

  // MARK: Bytes

  @Test func `a MAP request has these bytes`() {
    let bytes = PortMappingQuestion.map(.tcp, port: 7_432, suggested: 7_433, seconds: 3_600)
      .pcp(client: [192, 168, 1, 2], nonce: Self.nonce)
    let hex = [
      "02010000", "00000e10", "00000000000000000000ffffc0a80102", "eeeeeeeeeeeeeeeeeeeeeeee",
      "06000000", "1d08", "1d09", "00000000000000000000ffff00000000",
    ].joined()
    #expect(bytes.map { Hex.encode($0) } == hex)
    #expect(bytes?.count == 60)
  }

  @Test func `requests of NAT-PMP have these bytes`() {
    #expect(PortMappingQuestion.address.natPMP == [0, 0])
    for (kind, opcode) in [(MappedProtocol.udp, "01"), (.tcp, "02")] {
      let bytes = PortMappingQuestion.map(kind, port: 7_432, suggested: 7_433, seconds: 7_200)
        .natPMP
      #expect(Hex.encode(bytes) == "00\(opcode)00001d081d0900001c20")
    }
  }

  // MARK: A router that maps

  @Test func `a router that knows PCP lets both in, and the address is what it says`() throws {
    var core = Self.core()
    let first = Self.sent(core.handle(.start, at: Self.at(0)))
    #expect(first.map(\.count) == [60, 60])
    #expect(first.map { $0[36] } == [6, 17])
    #expect(core.handle(.received(Self.pcp(6)), at: Self.at(5)) == [])
    #expect(
      core.handle(.received(Self.pcp(17)), at: Self.at(6)) == [.mapped(try Self.mapping(.pcp))])
    // Half of its life later it is asked again, for the same port, and says the same.
    #expect(core.nextDeadline == Self.at(1_800_006))
    let again = Self.sent(core.handle(.deadline, at: Self.at(1_800_006)))
    #expect(again.map { Array($0[42..<44]) } == [[0xc3, 0x50], [0xc3, 0x50]])
    #expect(again.allSatisfy { Array($0[24..<36]) == Self.nonce })
    #expect(again.allSatisfy { $0[56..<60] == [203, 0, 113, 7] })
    #expect(core.handle(.received(Self.pcp(17)), at: Self.at(1_800_010)) == [])
    #expect(core.handle(.received(Self.pcp(6)), at: Self.at(1_800_011)) == [])
    #expect(core.nextDeadline == Self.at(3_600_011))
  }

  @Test func `a router that knows NAT-PMP alone says so, and is asked by that`() throws {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    let asked = core.handle(.received([0, 0x81, 0, 1, 0, 0, 0, 9]), at: Self.at(3))
    #expect(Self.sent(asked).map(\.count) == [2, 12, 12])
    for answer in [Self.natPMP(1), Self.natPMPAddress] {
      #expect(core.handle(.received(answer), at: Self.at(4)) == [])
    }
    #expect(
      core.handle(.received(Self.natPMP(2)), at: Self.at(5)) == [
        .mapped(try Self.mapping(.natPMP))
      ])
  }

  @Test func `an address that has changed by the next renewal is told`() throws {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    for kind: UInt8 in [6, 17] { _ = core.handle(.received(Self.pcp(kind)), at: Self.at(0)) }
    _ = core.handle(.deadline, at: Self.at(1_800_000))
    _ = core.handle(
      .received(Self.pcp(6, address: [203, 0, 113, 8])), at: Self.at(1_800_000))
    #expect(
      core.handle(.received(Self.pcp(17, address: [203, 0, 113, 8])), at: Self.at(1_800_000))
        == [.mapped(try Self.mapping(.pcp, "203.0.113.8:50000"))])
  }

  @Test func `a router that gives two ports is asked once for one, and then not used`() throws {
    for (second, outcome) in [
      (UInt16(50_000), Core.Effect.mapped(try Self.mapping(.pcp))),
      (50_002, .unmapped(.portsDiffer(udp: 50_002, tcp: 50_000))),
    ] {
      var core = Self.core()
      _ = core.handle(.start, at: Self.at(0))
      _ = core.handle(.received(Self.pcp(6)), at: Self.at(1))
      let asked = Self.sent(core.handle(.received(Self.pcp(17, outside: 50_001)), at: Self.at(2)))
      #expect(asked.map { $0[36] } == [17])
      #expect(asked.map { Array($0[42..<44]) } == [[0xc3, 0x50]])
      #expect(core.handle(.received(Self.pcp(17, outside: second)), at: Self.at(3)) == [outcome])
    }
  }

  @Test func `a peer that goes gives its ports back`() {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    for kind: UInt8 in [6, 17] { _ = core.handle(.received(Self.pcp(kind)), at: Self.at(0)) }
    let last = Self.sent(core.handle(.stop, at: Self.at(9)))
    #expect(last.map { $0[36] } == [6, 17])
    #expect(last.allSatisfy { $0[4..<8] == [0, 0, 0, 0] })
    #expect(core.nextDeadline == nil)
  }

  // MARK: A router that does not

  /// Runs a core at its own deadlines; the moments at which it sent, and what else it said.
  private static func alone(
    _ core: inout Core, until end: Moment
  ) -> (sends: [Int64], other: [Core.Effect]) {
    var sends: [Int64] = []
    var other: [Core.Effect] = []
    var now = at(0)
    var effects = core.handle(.start, at: now)
    while true {
      for effect in effects {
        if case .send = effect {
          sends.append(now.nanoseconds / 1_000_000)
        } else {
          other.append(effect)
        }
      }
      guard let next = core.nextDeadline, next <= end else { return (sends, other) }
      now = max(now, next)
      effects = core.handle(.deadline, at: now)
    }
  }

  @Test func `a silent gateway is asked in both ways, less and less, and then left alone`() {
    var core = Self.core()
    let (sends, other) = Self.alone(&core, until: Self.at(60_000))
    let waits: [Int64] = [0, 250, 750, 1_750, 3_750]
    var expected: [Int64] = []
    for wait in waits { expected += [wait, wait] }
    for wait in waits { expected += [Int64](repeating: 7_750 + wait, count: 3) }
    #expect(sends == expected)
    #expect(other == [.unmapped(.silent)])
    // Ten minutes later it may be another router; the same failure is not said twice.
    let (later, repeated) = Self.alone(&core, until: Self.at(1_000_000))
    #expect(!later.isEmpty)
    #expect(repeated.isEmpty)
  }

  @Test func `a router that forgets what it mapped is noticed when the mapping is over`() throws {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    for kind: UInt8 in [6, 17] { _ = core.handle(.received(Self.pcp(kind)), at: Self.at(0)) }
    var said: [Core.Effect] = []
    while let next = core.nextDeadline, next <= Self.at(3_600_000) {
      said += core.handle(.deadline, at: next).filter { if case .send = $0 { false } else { true } }
    }
    #expect(said == [.unmapped(.silent)])
    #expect(core.mapping == nil)
  }

  @Test func `a refusal is told with its code, and the router asked again when it says`() {
    for (seconds, wait) in [(UInt32(300), Int64(300)), (0, 30), (.max, 1_800)] {
      var core = Self.core()
      _ = core.handle(.start, at: Self.at(0))
      #expect(
        core.handle(.received(Self.pcp(6, seconds: seconds, code: 2)), at: Self.at(0))
          == [.unmapped(.refused(.pcp, code: 2))])
      #expect(core.nextDeadline == Self.at(wait * 1_000))
    }
  }

  @Test(arguments: [
    [10, 0, 0, 1], [100, 64, 0, 2], [192, 168, 0, 1], [127, 0, 0, 1], [0, 0, 0, 0],
  ])
  func `an address that nobody outside reaches is not announced`(_ address: [UInt8]) throws {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    _ = core.handle(.received(Self.pcp(6, address: address)), at: Self.at(0))
    let outside = try #require(Endpoint(address: address, port: 50_000))
    #expect(
      core.handle(.received(Self.pcp(17, address: address)), at: Self.at(0))
        == [.unmapped(.nested(outside))])
  }

  @Test func `a life beyond what was asked for, or of a moment, is not believed`() {
    for (seconds, renewal) in [(UInt32.max, Int64(1_800)), (1, 30)] {
      var core = Self.core()
      _ = core.handle(.start, at: Self.at(0))
      for kind: UInt8 in [6, 17] {
        _ = core.handle(.received(Self.pcp(kind, seconds: seconds)), at: Self.at(0))
      }
      #expect(core.nextDeadline == Self.at(renewal * 1_000))
    }
  }

  @Test func `answers to somebody else, of another port or of nothing are passed over`() {
    var core = Self.core()
    _ = core.handle(.start, at: Self.at(0))
    let question: [UInt8] = [2, 1] + Self.pcp(6).dropFirst(2)
    let foreign: [[UInt8]] = [
      Self.pcp(6, nonce: [UInt8](repeating: 1, count: 12)), Self.pcp(6, port: 80),
      Self.pcp(6, outside: 0), Self.pcp(6, seconds: 0), Self.pcp(1), [], [2], [9, 9, 9, 9],
      Array(Self.pcp(6).prefix(59)), question,
    ]
    for bytes in foreign { #expect(core.handle(.received(bytes), at: Self.at(1)) == []) }
    #expect(core.mapping == nil)
    #expect(core.nextDeadline == Self.at(250))
    // And before anything was asked.
    var idle = Self.core()
    #expect(idle.handle(.received(Self.pcp(6)), at: Self.at(1)) == [])
  }

  @Test func `no bytes make it send more than they answer, or trap`() {
    var random = SeededGenerator(3)
    for round in 0..<20_000 {
      var core = Self.core()
      _ = core.handle(.start, at: Self.at(0))
      if round % 2 == 1 { _ = core.handle(.received([0, 0x81, 0, 1]), at: Self.at(0)) }
      let simple = round % 4 == 1 ? Self.natPMP(1) : Self.natPMPAddress
      var bytes = round % 2 == 0 ? Self.pcp(6) : simple
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
      let effects = core.handle(.received(bytes), at: Self.at(1))
      #expect(Self.sent(effects).count <= 3)
    }
  }
}
