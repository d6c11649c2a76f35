// What peers send each other, behind the seal: members may be hostile too.

import ShoalInference
import ShoalLedger
import ShoalProtocol

extension FuzzTarget {
  static let wire: [FuzzTarget] = [
    FuzzTarget("gossip-message", seeds: tags) { bytes in
      try written(GossipMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("job-message", seeds: tags) { bytes in
      try written(JobMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("shard-message", seeds: tags) { bytes in
      try written(ShardMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("witness-message", seeds: tags) { bytes in
      try written(WitnessMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("port-mapping", seeds: routers) { bytes in
      var chance = FixedChance()
      var core = PortMappingCore(client: router, port: 7_432, using: &chance)
      _ = core.handle(.start, at: Moment(nanoseconds: 0))
      let effects = core.handle(.received(bytes), at: Moment(nanoseconds: 1))
      let sent = effects.count { if case .send = $0 { true } else { false } }
      guard sent <= 3 else { throw BrokenPromise(description: "\(sent) questions for an answer") }
      _ = try PortMappingAnswer(bytes: bytes, to: bytes.first == 2 ? .pcp : .natPMP)
    },
    FuzzTarget("stream-hello", seeds: tags) { bytes in
      try written(StreamHello(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("reach-message", seeds: tags) { bytes in
      try written(ReachMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("beacon", seeds: tags) { bytes in
      try written(Beacon(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("capability-record", seeds: tags) { bytes in
      try written(CapabilityRecord(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("shard-plan", seeds: tags) { bytes in
      try written(ShardPlan(decoding: bytes).canonicalBytes, over: bytes)
    },
    FuzzTarget("log-message", seeds: tags) { bytes in
      try written(LogMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("registry-change", seeds: tags) { bytes in
      try written(RegistryChange(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("account-message", seeds: accountTags) { bytes in
      try written(AccountMessage(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("account-record", seeds: tags) { bytes in
      try written(AccountRecord(bytes: bytes).bytes, over: bytes)
    },
    FuzzTarget("partial-sum", seeds: [partial]) { bytes in
      // The first byte chooses how many elements are expected.
      guard let count = bytes.first else { return }
      var sum = [Int64](repeating: 1, count: Int(count))
      let result: Result<Void, PartialError> = unsafe bytes.dropFirst().withUnsafeBytes { packed in
        unsafe sum.withUnsafeMutableBufferPointer { sum in
          Result { () throws(PartialError) in try unsafe PartialCodec.decodeAdding(packed, to: sum)
          }
        }
      }
      if case .failure = result, sum.contains(where: { $0 != 1 }) {
        throw BrokenPromise(description: "a partial that is refused has changed the sum")
      }
      try result.get()
    },
  ]

  private static let router = Endpoint("192.168.1.2:1")!
  /// Answers of both protocols, to nobody in particular.
  private static let routers: [[UInt8]] = [
    [2, 0x81] + [UInt8](repeating: 0, count: 58), [0, 0x80] + [UInt8](repeating: 0, count: 10),
    [0, 0x81] + [UInt8](repeating: 0, count: 14), [0, 0x81, 0, 1],
  ]

  private static let accountTags = AccountMessage.tags.map {
    [$0] + [UInt8](repeating: 0, count: 400)
  }

  /// 64 elements in two blocks of 18 bits.
  private static var partial: [UInt8] {
    let block: [UInt8] = [18] + (0..<72).map { UInt8($0 * 37 & 255) }
    return [64] + block + block
  }

  /// Two ways of writing one message would let one fact have two hashes.
  private static func written(_ again: [UInt8], over bytes: [UInt8]) throws {
    guard again == bytes else {
      throw BrokenPromise(description: "accepted \(bytes.count) bytes, wrote \(again.count) others")
    }
  }
}
