// Whole nodes in one process: free loopback ports, a directory each, a network of their own.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization
import Testing

enum SharedData {
  static func url(_ path: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared/data").appendingPathComponent(path)
  }
}

/// Nodes on free loopback ports, each with a directory of its own, in a network of their own.
struct TestMesh {
  let directory: URL
  let nodes: [Node]
  let network: NetworkDescriptor
  let identities: [PeerIdentity]

  /// - Parameters:
  ///   - cliques: of the peers; none: they are all near.
  ///   - accounts: what each peer asks and pays; none: they keep no accounts.
  ///   - configure: changes what the peer of that number is made of.
  ///   - store: what the peer of that number takes its blobs from, instead of its directory.
  init(
    peers: Int, cliques: [String] = [], accounts: [AccountTerms?] = [],
    configure: (inout NodeConfiguration, Int) -> Void = { _, _ in },
    store: (any BlobStore, Int) -> any BlobStore = { blobs, _ in blobs }
  ) throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("shoal-\(UUID().uuidString)")
    self.directory = directory
    var generator = RandomSourceGenerator(Entropy())
    let network = try NetworkDescriptor(
      name: "test", admission: .key, privateKey: NetworkKey(using: &generator))
    let beaconPort = try UDPTransport(
      listen: try #require(Endpoint("127.0.0.1:0")), beaconPort: 0
    ).beaconPort
    self.network = network
    let identities = (0..<peers).map { _ in PeerIdentity(using: &generator) }
    self.identities = identities
    nodes = try identities.indices.map { number in
      try TestMesh.node(
        number, clique: cliques.isEmpty ? "" : cliques[number],
        accounts: accounts.isEmpty ? nil : accounts[number], in: directory, network: network,
        beaconPort: beaconPort, identities[number], store, configure)
    }
  }

  private static func node(
    _ number: Int, clique: String, accounts: AccountTerms?, in directory: URL,
    network: NetworkDescriptor, beaconPort: UInt16, _ identity: PeerIdentity,
    _ store: (any BlobStore, Int) -> any BlobStore,
    _ configure: (inout NodeConfiguration, Int) -> Void
  ) throws -> Node {
    let path = directory.appendingPathComponent("peer\(number)").path
    let documents = try DirectoryDocuments(path: path)
    let sockets = try PeerSockets.open(
      listen: try #require(Endpoint("127.0.0.1:0")), beaconPort: beaconPort)
    let speed = BucketedFigure(UInt64(1_000_000_000 * (number + 1)))
    let record = CapabilityRecord(
      peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw,
      endpoints: sockets.localEndpoints, failureDomain: "peer \(number)",
      clique: clique, memory: MemoryFigures(total: .gibibytes(2), usable: .gibibytes(1)),
      compute: ComputeFigures(
        cores: 1, matrixVector: .init(f32: speed, f16: speed, q8: speed, q4: speed),
        matrixMatrix: speed),
      disk: .gibibytes(1))
    var configuration = NodeConfiguration(
      network: network, identity: identity, record: record,
      resources: ComputeResources(kernels: Kernels(), threadsPerJob: 1, emulated: nil),
      bootstrap: [], waiting: .sleep)
    configuration.accounts = accounts
    configure(&configuration, number)
    let blobs = try unsafe DirectoryBlobStore(root: path, hash: BLAKE2b.contentHash)
    return try Node(
      configuration,
      NodeSystem(
        datagrams: sockets.datagrams, streams: sockets.streams,
        blobs: store(blobs, number), documents: documents, clock: SystemClock(), random: Entropy(),
        threads: SystemThreads(),
        openModel: { try ModelFiles(path: $0) }))
  }

  func run(_ body: @escaping @Sendable ([Node]) async throws -> Void) async throws {
    try await runMortal { nodes, _ in try await body(nodes) }
  }

  /// `body` is also given what ends one node at once, as if its process had been killed.
  func runMortal(
    _ body:
      @escaping @Sendable ([Node], _ kill: @escaping @Sendable (Int) -> Void) async throws
      -> Void
  ) async throws {
    let deaths = nodes.map { _ in AsyncStream<Void>.makeStream() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (node, death) in zip(nodes, deaths) {
        group.addTask {
          await withTaskGroup(of: Void.self) { life in
            life.addTask { await node.run() }
            life.addTask { for await _ in death.stream { break } }
            await life.next()
            life.cancelAll()
          }
        }
      }
      try await body(nodes) { deaths[$0].continuation.yield() }
      group.cancelAll()
    }
  }

  /// Whether the blobs of `first` are held by the other nodes too, all of them together.
  func othersHoldAll(of first: Int) throws -> Bool {
    let held = try nodes.indices.map { number in
      try unsafe DirectoryBlobStore(
        root: directory.appendingPathComponent("peer\(number)").path, hash: BLAKE2b.contentHash
      ).list()
    }
    let others = Set(held.indices.filter { $0 != first }.flatMap { held[$0] })
    return !held[first].isEmpty && held[first].allSatisfy { others.contains($0) }
  }

  /// Waits for something to become true; the suite's time limit ends a wait in vain.
  func until(_ claim: () async throws -> Bool) async throws {
    while try await !claim() {
      try await SystemClock().sleep(until: SystemClock().now() + .milliseconds(10))
    }
  }

  func request(tokens: Int, objective: PlanObjective) -> GenerationRequest {
    GenerationRequest(
      model: "story", prompt: .text("Once upon a time"),
      options: GenerationOptions(maximumTokens: tokens, sampling: .greedy), objective: objective)
  }

  /// What one rank says of the same request.
  func digestAlone(_ file: URL, tokens: Int) async throws -> (digest: Bytes32, tokens: [UInt32]) {
    let library = ModelLibrary(
      blobs: try unsafe DirectoryBlobStore(
        root: directory.appendingPathComponent("alone").path, hash: BLAKE2b.contentHash))
    let model = try library.importModel(ModelFiles(path: file.path), progress: { _, _ in })
    let manifest = try library.manifest(model)
    let tokenizer = try library.tokenizer(manifest)
    let prompt = tokenizer.encode("Once upon a time", addSpecial: true, parseSpecial: false)
      .map { UInt32($0) }
    let chooser = try TokenChooser(
      options: request(tokens: tokens, objective: .latency).options, tokenizer: tokenizer,
      prompt: prompt, emit: { _ in })
    let ranks = LocalRanks(
      manifest: manifest, shares: [.whole(manifest.cut)], threadsPerRank: 1, kernels: Kernels(),
      clock: SystemClock(), threads: SystemThreads())
    _ = try await ranks.run(
      GenerationOrder(
        prompt: prompt, maximumTokens: tokens, context: prompt.count + tokens, batch: 64,
        candidates: 1),
      blob: { try library.atom($0) }, choose: { try chooser.choose($0, $1) })
    return (chooser.digest, chooser.tokens)
  }

  func remove() { try? FileManager.default.removeItem(at: directory) }
}
