// Peers by letter or number, their records, and a stand-in for signatures.
import ShoalProtocol

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension Bytes32 {
  /// 32 bytes that spread like a hash's, from a number.
  static func spread(_ number: UInt64) -> Bytes32 {
    var generator = SeededGenerator(number)
    return Bytes32((0..<32).map { _ in UInt8(truncatingIfNeeded: generator.next()) })!
  }
}

extension PeerID {
  static func numbered(_ number: Int) -> PeerID { PeerID(.spread(UInt64(number))) }
}

extension Endpoint {
  static func numbered(_ number: Int) -> Endpoint {
    Endpoint(address: [10, 0, UInt8(number >> 8), UInt8(number & 255)], port: 7433)!
  }
}

extension CapabilityRecord {
  static func plain(_ number: Int, version: UInt64 = 1) -> CapabilityRecord {
    CapabilityRecord(
      peer: .numbered(number), version: version, handshakeKey: .spread(UInt64(number) + 1_000_000),
      endpoints: [.numbered(number)], profile: "test-desktop", failureDomain: "house-\(number)",
      memory: MemoryFigures(total: .gibibytes(16), usable: .gibibytes(8)),
      compute: ComputeFigures(
        cores: 8, kernels: [.avx2],
        matrixVector: WeightThroughput(
          f32: 20_000_000_000, f16: 18_000_000_000, q8: 16_000_000_000, q4: 12_000_000_000),
        matrixMatrix: 400_000_000_000),
      linkBandwidth: 125_000_000, disk: .gibibytes(100))
  }

  /// Every field at its longest.
  static func fullest(_ number: Int) -> CapabilityRecord {
    var record = plain(number, version: Incarnation.versionBound - 1)
    record.endpoints = (0..<Limits.endpointsPerPeer).map {
      Endpoint(address: [0x20, 1] + [UInt8](repeating: UInt8($0 + 1), count: 14), port: 65_535)!
    }
    record.profile = String(repeating: "p", count: 64)
    record.failureDomain = String(repeating: "d", count: 64)
    record.clique = String(repeating: "c", count: 32)
    record.compute.numerics = String(repeating: "n", count: 16)
    record.models = (0..<Limits.modelsPerRecord).map {
      ModelHolding(model: ModelID(.spread(UInt64($0))), isComplete: $0 % 2 == 0)
    }.sorted { $0.model < $1.model }
    record.announcementCursor = .max
    return record
  }
}

/// Not a signature: the author's id twice, which is all that the tests need to tell true from
/// forged.
enum TestSignature {
  static func sign(_ record: CapabilityRecord) -> SignedRecord {
    SignedRecord(
      body: record.bytes, author: record.peer,
      signature: record.peer.raw.bytes + record.peer.raw.bytes)!
  }
  static let verify: RecordVerification = {
    $0.signature == $0.author.raw.bytes + $0.author.raw.bytes
  }
}

/// FNV-1a, repeated with four starts: enough to tell views apart.
let testHash: ContentHash = { bytes in
  var words: [UInt8] = []
  for start in UInt64(0)..<4 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ start
    for index in 0..<bytes.count {
      hash = unsafe (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
    }
    words += (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
  }
  return Bytes32(words)!
}

/// Of records in any order.
func testView(_ records: some Sequence<CapabilityRecord>) -> MeshView {
  let held = records.sorted { $0.peer < $1.peer }.map { HeldRecord(TestSignature.sign($0), $0) }
  return unsafe MeshView(held, hash: testHash)
}

extension Moment {
  static func milliseconds(_ count: Int) -> Moment {
    Moment(nanoseconds: Int64(count) * 1_000_000)
  }
}
