// One whole node in virtual time: the shipping `Node` over simulated seams, from start to end.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol
internal import ShoalSecurity

/// Where a node lives from one process to the next.
struct NodePlace {
  let number: Int
  let identity: PeerIdentity
  var record: CapabilityRecord
  let clock: LocalClock
  var disk: VirtualDisk
  var random: SeededGenerator
  /// The process that runs there; nil: none.
  var process: NodeProcess?
}

/// Touched only by whoever has the turn.
final class NodeProcess: @unchecked Sendable {
  let node: Node
  let owner: LoopOwner
  let disk: VirtualDisk
  private let datagrams: VirtualDatagrams
  private let streams: VirtualStreams
  private let mesh: VirtualMesh
  private let ends: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation
  private let leaves: AsyncStream<Void>
  private let leave: AsyncStream<Void>.Continuation
  /// Whether it was told to leave, and atoms that it then left without a second holder; nil: it has
  /// not left yet.
  private(set) var isLeaving = false
  private(set) var unplaced: Int?

  init(
    _ place: NodePlace, network: NetworkDescriptor, mesh: VirtualMesh, model: [UInt8],
    bootstrap: [Endpoint], random: SeededGenerator
  ) throws {
    self.mesh = mesh
    disk = place.disk
    owner = LoopOwner(loop: mesh.loop, number: place.number)
    let clock = VirtualClock(loop: mesh.loop, local: place.clock)
    let endpoint = Endpoint.simulated(place.number)
    datagrams = VirtualDatagrams(endpoint: endpoint, mesh: mesh)
    streams = VirtualStreams(endpoint: endpoint, owner: owner, clock: clock, mesh: mesh)
    (ends, end) = AsyncStream.makeStream()
    (leaves, leave) = AsyncStream.makeStream()
    node = try Node(
      NodeConfiguration(
        network: network, identity: place.identity, record: place.record,
        resources: ComputeResources(kernels: Kernels(), threadsPerJob: 1, emulated: nil),
        bootstrap: bootstrap, waiting: .sleep),
      NodeSystem(
        datagrams: datagrams, streams: streams, blobs: place.disk, documents: place.disk,
        clock: clock, random: SeededSource(random),
        threads: VirtualThreads(owner: owner, clock: clock),
        openModel: { .gguf(MemoryByteSource(name: $0, bytes: model)) }))
  }

  /// Lives until it is stopped.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: owner) { await self.node.run() }
      group.addTask(executorPreference: owner) { await self.leaveWhenTold() }
      group.addTask {
        for await _ in self.ends {}
      }
      await group.next()
      group.cancelAll()
    }
  }

  private func leaveWhenTold() async {
    for await _ in leaves { break }
    guard !Task.isCancelled else { return }
    await node.leave { if case .left(let unplaced) = $0 { self.unplaced = unplaced } }
    node.stop()
  }

  /// Its owner says `shoal leave`.
  func depart() {
    isLeaving = true
    leave.yield()
  }

  /// From this moment on nothing of it is heard or written any more.
  ///
  /// - Parameter sayingSo: its machine resets its connections, as after `kill -9`; otherwise the
  ///   machine is gone as well.
  func kill(sayingSo: Bool) {
    datagrams.close()
    streams.close()
    mesh.drop(owner.number, sayingSo: sayingSo)
    disk.isReadOnly = true
    owner.thaw()
    end.finish()
  }
}
