// Times the planner and the storage plan of a Llama 70B over many peers: the best of five, in
// milliseconds. Compiled together with Sources/ShoalProtocol by Benchmarks/planning.sh.

func peer(_ number: Int) -> PeerID {
  var bytes = [UInt8](repeating: 0, count: 32)
  (bytes[0], bytes[1]) = (UInt8(number >> 8), UInt8(number & 255))
  guard let raw = Bytes32(bytes) else { preconditionFailure("32 bytes") }
  return PeerID(raw)
}

/// From a phone to a workstation, in seven kinds, dealt to so many cliques 10 ms apart.
func capacities(_ count: Int, cliques: Int) -> [DeviceCapacity] {
  let gigabytes: [UInt64] = [6, 10, 18, 25, 36, 79, 571]
  return (0..<count).map { number in
    let rate = gigabytes[number * 5 % 7] * 1_000_000_000
    return DeviceCapacity(
      peer: peer(number), usableMemory: .gibibytes(UInt64(2 + number % 11)),
      decodeBytesPerSecond: PrecisionRates(f32: rate, f16: rate, q8_0: rate, q4_0: rate),
      linkBytesPerSecond: 1_250_000_000, clique: UInt64(number % cliques), numerics: "canon-1",
      failureDomain: UInt64(number))
  }
}

/// The best of five.
func milliseconds(_ work: () throws -> Void) throws -> Double {
  let clock = ContinuousClock()
  let times = try (0..<5).map { _ in try clock.measure(work) }
  let best = times.min() ?? .zero
  return Double(best.components.attoseconds) / 1e15 + Double(best.components.seconds) * 1e3
}

let model = ModelID(peer(4_711).raw)
let llama70B = DecoderFigures(
  hidden: 8_192, layers: 80, heads: 64, keyValueHeads: 8, headDimension: 128,
  feedForward: 28_672, vocabulary: 128_256, isTied: false, precision: .q4_0,
  keyValueElementBytes: 2)
let shape = try llama70B.shape(model: model, numerics: "canon-1")
var isSlow = false
for peers in [100, 1_000] {
  // A millisecond a peer: 100 ms for 100, a second for 1,000.
  let limit = Double(peers)
  for (cliques, objective) in [1, 10].flatMap({ count in
    PlanObjective.allCases.map { (count, $0) }
  }) {
    let mesh = capacities(peers, cliques: cliques)
    let request = PlanRequest(shape: shape, objective: objective, contextTokens: 2_048)
    var outcome = ""
    let took = try milliseconds {
      let report = try PlacementPlanner().plan(request, over: mesh)
      let stages = report.plan.stages.count
      outcome = "\(report.kind.name), \(report.members.count) ranks in \(stages) stages"
    }
    isSlow = isSlow || took > limit
    print(
      "plan \(objective.name) over \(peers) peers in \(cliques) cliques: \(took) ms, \(outcome)"
        + " (limit \(limit))")
  }
  let sizes = [UInt64](repeating: 3_000_000, count: 80 * 120 + 1_002)
  let stores = capacities(peers, cliques: 1).map {
    StorageCapacity(
      peer: $0.peer, bytes: .mebibytes(400_000 / UInt64(peers)), failureDomain: $0.failureDomain / 3
    )
  }
  let took = try milliseconds { _ = try StoragePlan(model: model, sizes: sizes, over: stores) }
  print("storage of \(sizes.count) atoms over \(peers) peers: \(took) ms")
}
if isSlow { preconditionFailure("slower than a millisecond for each peer") }
