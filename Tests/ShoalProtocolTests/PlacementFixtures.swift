// Shapes, peers and a seeded generator for the placement tests.

import ShoalProtocol

enum PlacementFixture {
  static let hash: ContentHash = { bytes in
    // Not cryptographic: tests ask whether bytes are equal, not whether they can be forged.
    var words: [UInt64] = [1, 2, 3, 4]
    for index in 0..<bytes.count {
      let lane = index % 4
      words[lane] = RendezvousScore.mixed(
        words[lane] ^ UInt64(unsafe bytes[index]) &+ UInt64(index))
    }
    let out = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    return Bytes32(out) ?? .zero
  }

  /// Peer `number`; ids ascend with the number.
  static func peer(_ number: Int) -> PeerID {
    var bytes = [UInt8](repeating: 0, count: 32)
    bytes[0] = UInt8(truncatingIfNeeded: number >> 8)
    bytes[1] = UInt8(truncatingIfNeeded: number)
    return PeerID(Bytes32(bytes) ?? .zero)
  }

  static func capacity(
    _ number: Int, gigabytesPerSecond: UInt64 = 50, memory: ByteCount = .gibibytes(64),
    link: UInt64 = 1_250_000_000
  ) -> DeviceCapacity {
    let rate = gigabytesPerSecond * 1_000_000_000
    return DeviceCapacity(
      peer: peer(number), usableMemory: memory,
      decodeBytesPerSecond: PrecisionRates(f32: rate, f16: rate, q8_0: rate, q4_0: rate),
      linkBytesPerSecond: link, numerics: "canon-1", failureDomain: UInt64(number))
  }

  static let model = ModelID(peer(4_711).raw)

  static let stories260K = DecoderFigures(
    hidden: 64, layers: 5, heads: 8, keyValueHeads: 4, headDimension: 8, feedForward: 172,
    vocabulary: 512, isTied: true, precision: .f32, keyValueElementBytes: 4)
  static let tinyLlama = DecoderFigures(
    hidden: 2_048, layers: 22, heads: 32, keyValueHeads: 4, headDimension: 64,
    feedForward: 5_632, vocabulary: 32_000, isTied: false, precision: .q4_0,
    keyValueElementBytes: 2)
  static let llama70B = DecoderFigures(
    hidden: 8_192, layers: 80, heads: 64, keyValueHeads: 8, headDimension: 128,
    feedForward: 28_672, vocabulary: 128_256, isTied: false, precision: .q4_0,
    keyValueElementBytes: 2)

  static func request(
    _ figures: DecoderFigures, _ objective: PlanObjective = .latency, context: Int = 2_048
  ) throws -> PlanRequest {
    PlanRequest(
      shape: try figures.shape(model: model, numerics: "canon-1"), objective: objective,
      contextTokens: context)
  }
}

/// SplitMix64: chance as an argument.
struct PlacementRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return RendezvousScore.mixed(state &- 0x9E37_79B9_7F4A_7C15)
  }
}
