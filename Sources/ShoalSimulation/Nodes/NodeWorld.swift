// A few whole nodes in one process, in virtual time, from one seed.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol
internal import ShoalSecurity

/// Places, their processes, and the network between them. Touched only by whoever has the turn.
final class NodeWorld: @unchecked Sendable {
  let loop: VirtualLoop
  let mesh: VirtualMesh
  let model: [UInt8]
  var places: [NodePlace] = []
  var random: SeededGenerator
  private let descriptor: NetworkDescriptor
  private let births: AsyncStream<NodeProcess>.Continuation
  private let born: AsyncStream<NodeProcess>

  init(peers: Int, faults: Set<FaultKind>, topology: LinkTopology, seed: UInt64, loop: VirtualLoop)
    throws
  {
    self.loop = loop
    var random = SeededGenerator(seed)
    mesh = VirtualMesh(loop: loop, topology: topology, random: random.split())
    model = OracleModel.file(seed: random.next())
    descriptor = try NetworkDescriptor(
      name: "simulated", admission: .key, privateKey: NetworkKey(using: &random))
    (born, births) = AsyncStream.makeStream()
    // From a copy: what follows is the same story wherever the peers stand.
    var side = random
    let cliques = topology.cliques(of: peers, houses: 1)
    let houses = topology.places > 1 ? 1 : Int.random(in: 1...2, using: &side)
    // All disks together have room for the copies that there are to be, and some to spare; most
    // have too little for the whole model, so that what others keep has to go.
    let leastDisk = UInt64(model.count) * 7 / UInt64(2 * max(2, peers))
    let disks = leastDisk...max(leastDisk, UInt64(model.count))
    for number in 0..<peers {
      var place = Self.place(
        number, disk: disks, isSkewed: faults.contains(.skew), using: &random)
      (place.record.clique, place.record.outsideLatencyMicroseconds) = cliques[number]
      if houses > 1 { place.record.clique = "house \(number % houses)" }
      places.append(place)
    }
    self.random = random
  }

  private static func place(
    _ number: Int, disk: ClosedRange<UInt64>, isSkewed: Bool, using random: inout SeededGenerator
  ) -> NodePlace {
    let identity = PeerIdentity(using: &random)
    let speed = BucketedFigure(UInt64.random(in: 1...20, using: &random) * 1_000_000_000)
    let record = CapabilityRecord(
      peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw,
      endpoints: [.simulated(number)], failureDomain: "house \(number)",
      memory: MemoryFigures(total: .gibibytes(2), usable: .gibibytes(1)),
      compute: ComputeFigures(
        cores: 1, matrixVector: .init(f32: speed, f16: speed, q8: speed, q4: speed),
        matrixMatrix: speed),
      disk: ByteCount(UInt64.random(in: disk, using: &random)))
    let clock = LocalClock(
      origin: Moment(nanoseconds: isSkewed ? .random(in: 0...1 << 50, using: &random) : 0),
      drift: isSkewed ? .random(in: -500...500, using: &random) : 0,
      wall: UInt64(
        1_795_000_000_000
          + (isSkewed ? Int64.random(in: -60_000...60_000, using: &random) : 0)))
    return NodePlace(
      number: number, identity: identity, record: record, clock: clock,
      disk: VirtualDisk(room: .gibibytes(1)), random: random.split())
  }

  /// Tells `story` while processes live; all are gone when it returns.
  func live<Result: Sendable>(_ story: () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await withDiscardingTaskGroup { processes in
          for await process in self.born { processes.addTask { await process.run() } }
        }
      }
      defer {
        for number in self.places.indices { self.kill(number, sayingSo: true) }
        births.finish()
      }
      return try await story()
    }
  }

  func start(_ number: Int) throws {
    guard places[number].process == nil else { return }
    let random = places[number].random.split()
    let process = try NodeProcess(
      places[number], network: descriptor, mesh: mesh, model: model,
      bootstrap: [.simulated(0), .simulated(1)], random: random)
    places[number].process = process
    mesh.trace.add(.start, peer: number, at: loop.now)
    births.yield(process)
  }

  func kill(_ number: Int, sayingSo: Bool) {
    guard let process = places[number].process else { return }
    mesh.trace.add(.stop, peer: number, at: loop.now)
    process.kill(sayingSo: sayingSo)
    places[number].process = nil
    places[number].disk = process.disk.succession()
  }

  /// Flips a bit in about every fourth blob of a disk: only where another that runs has it whole,
  /// since no mesh brings back what nobody has.
  func damage(_ number: Int, pick: UInt64) {
    guard let disk = places[number].process?.disk else { return }
    let others = running.filter { $0 != number }.compactMap { places[$0].process?.disk }
    var chance = SeededGenerator(pick)
    for blob in disk.list() where chance.happens(perMille: 250) {
      guard others.contains(where: { (try? $0.verify(blob)) == true }) else { continue }
      disk.damage(blob, pick: chance.next())
    }
  }

  /// Blobs that disks gave up to make room.
  var dropped: Int { places.reduce(0) { $0 + ($1.process?.disk ?? $1.disk).removed } }

  var running: [Int] { places.indices.filter { places[$0].process != nil } }

  func blobs(of number: Int) -> [BlobID] { places[number].process?.disk.list() ?? [] }

  /// Running disks that have a blob, that of `number` aside.
  func copies(of blob: BlobID, without number: Int) -> Int {
    running.count { $0 != number && places[$0].process?.disk.contains(blob) == true }
  }

  /// Somebody who could go on with a job.
  func keeper(of job: JobID) async -> NodeProcess? {
    for process in running.compactMap({ places[$0].process }) where !process.owner.isFrozen {
      if await process.node.keeps(job) { return process }
    }
    return nil
  }

  func node(_ number: Int) -> Node? { places[number].process?.node }

  // MARK: Waiting

  /// Whether `claim` came to hold within `limit` of virtual time.
  func until(
    _ limit: Duration, _ claim: () async throws -> Bool
  ) async throws -> Bool {
    let end = loop.now + limit
    while loop.now < end {
      if try await claim() { return true }
      try await loop.sleep(until: loop.now + .milliseconds(50))
    }
    return try await claim()
  }

  /// Whether every running node holds exactly the running ones alive, and knows the model.
  func isSettled() async throws -> Bool {
    let expected = Set(running.map { places[$0].identity.id })
    for number in running {
      guard let node = node(number) else { return false }
      let alive = Set(await node.peers().filter { $0.state == .alive }.map(\.peer))
      guard alive == expected, try await !node.models().isEmpty else { return false }
    }
    return true
  }

  /// Whether each of `blobs` lies on two running disks, or on all there are.
  func isReplicated(_ blobs: [BlobID]) -> Bool {
    let disks = running.compactMap { places[$0].process?.disk }
    return blobs.allSatisfy { blob in
      disks.count { $0.contains(blob) } >= min(2, disks.count)
    }
  }
}
