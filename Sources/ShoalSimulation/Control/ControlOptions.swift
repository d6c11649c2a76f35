// What a story of the control plane is made of, before its seed is known.

internal import ShoalProtocol

struct ControlOptions: Sendable {
  /// Peers that run from the start.
  var peers: Int
  var faults: Set<FaultKind>
  var topology: LinkTopology
  /// When faults may begin, and for how long.
  var churnStart = Moment(nanoseconds: 12_000_000_000)
  var churn = Duration.seconds(20)
  /// Where planning each peer's own view of a mesh that forms would take most of the time.
  var isLarge: Bool { peers > 256 }
  /// Peers that may join during the churn.
  var reserve: Int { max(2, min(8, peers / 10)) }
  /// Places for all: those, a twin's, and one that joins when all is quiet.
  var places: Int { peers + reserve + 2 }
  var newcomer: Int { peers + reserve + 1 }
  /// Addresses that everybody knows, as a network's descriptor states them.
  var bootstraps: Range<Int> { 0..<min(3, peers) }

  init(peers: Int, faults: Set<FaultKind>, topology: LinkTopology) {
    (self.peers, self.faults, self.topology) = (peers, faults, topology)
  }

  static func draw(
    _ options: ControlOptions, _ model: SimulatedModel, read: @escaping RecordReading,
    using random: inout SeededGenerator
  ) -> (peers: [ControlPeer], segments: [[Int]]) {
    var peers: [ControlPeer] = []
    // From a copy: what follows is the same story wherever the peers stand.
    var side = random
    let cliques = options.topology.cliques(
      of: options.places, houses: Int.random(in: 1...3, using: &side))
    for number in 0..<options.places {
      let id = PeerID(.spread(random.next()))
      let clock = clock(options, using: &random)
      var record = record(number, of: options.peers, id: id, model, using: &random)
      (record.clique, record.outsideLatencyMicroseconds) = cliques[number]
      peers.append(
        ControlPeer(number: number, id: id, record: record, clock: clock, read: read))
    }
    // The importer.
    for atom in model.sizes.indices { peers[0].disk.keep(atom, at: Moment(nanoseconds: 0)) }
    // Who shares a local network.
    let width = [4, 8, 16, options.places].randomElement(using: &random) ?? 8
    let order = Array(0..<options.places).shuffled(using: &random)
    let segments = stride(from: 0, to: order.count, by: width).map {
      Array(order[$0..<min(order.count, $0 + width)])
    }
    var own = [[Int]](repeating: [], count: options.places)
    for segment in segments {
      for number in segment { own[number] = segment.filter { $0 != number }.sorted() }
    }
    return (peers, own)
  }

  private static func clock(
    _ options: ControlOptions, using random: inout SeededGenerator
  ) -> LocalClock {
    let isSkewed = options.faults.contains(.skew)
    let year = Int64(1_795_000_000_000)
    let skew = isSkewed ? Int64.random(in: -3_600_000...3_600_000, using: &random) : 0
    return LocalClock(
      origin: Moment(nanoseconds: isSkewed ? .random(in: 0...1 << 50, using: &random) : 0),
      drift: isSkewed ? .random(in: -500...500, using: &random) : 0,
      wall: UInt64(year + skew))
  }

  /// From a phone to a desktop, in three kinds of house.
  private static func record(
    _ number: Int, of peers: Int, id: PeerID, _ model: SimulatedModel,
    using random: inout SeededGenerator
  ) -> CapabilityRecord {
    let size = model.totalBytes
    // The importer holds all at first; where it may not, most of that has to go. In small meshes
    // disks are larger, so that all together have room for the copies that there are to be.
    let least = max(size / 4, min(size, size * 3 / UInt64(max(3, peers))))
    let speed = BucketedFigure(UInt64.random(in: 1...40, using: &random) * 1_000_000_000)
    let memory = ByteCount(UInt64.random(in: size / 8...size * 2, using: &random))
    return CapabilityRecord(
      peer: id, version: 1, handshakeKey: .spread(random.next()), endpoints: [.simulated(number)],
      profile: "simulated", failureDomain: "house \(number / 3)",
      memory: MemoryFigures(total: memory, usable: memory),
      compute: ComputeFigures(
        cores: 4, matrixVector: .init(f32: speed, f16: speed, q8: speed, q4: speed),
        matrixMatrix: speed),
      linkBandwidth: 117_000_000,
      disk: ByteCount(.random(in: least...(number == 0 ? size * 2 : size), using: &random)))
  }
}
