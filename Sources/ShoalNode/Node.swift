// One peer: its actors, who hears what, and the answers to whoever asks from outside.

public import ShoalInference
public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity

/// What a node is made of.
public struct NodeConfiguration: Sendable {
  public var network: NetworkDescriptor
  public var identity: PeerIdentity
  /// What this peer can do; endpoints and version are filled in by the node.
  public var record: CapabilityRecord
  public var resources: ComputeResources
  public var bootstrap: [Endpoint]
  public var waiting: WaitStrategy
  /// Whose models this peer stores and computes with.
  public var publishers = PublisherPolicy.everybody
  /// What this peer asks and pays; nil: it takes part in no ledger.
  public var accounts: AccountTerms?
  /// Where they are settled; nil: between peers.
  public var ledger: (any SettlementLedger)?
  /// One step of so many is audited; 0: none. Nil: `Limits.auditInterval` where strangers may be or
  /// accounts are kept, else none.
  public var audit: Int?
  /// Names of models from elsewhere than the mesh.
  public var sources: [any RegistrySource] = []

  public init(
    network: NetworkDescriptor, identity: PeerIdentity, record: CapabilityRecord,
    resources: ComputeResources, bootstrap: [Endpoint], waiting: WaitStrategy
  ) {
    self.network = network
    self.identity = identity
    self.record = record
    self.resources = resources
    self.bootstrap = bootstrap
    self.waiting = waiting
  }
}

extension NodeConfiguration {
  /// One step of so many is audited; nil: none.
  package var auditInterval: Int? {
    if let audit { return audit > 0 ? audit : nil }
    return network.admission == .open || accounts != nil ? Limits.auditInterval : nil
  }
}

/// The operating system as a node sees it.
public struct NodeSystem: Sendable {
  public let datagrams: any DatagramTransport
  public let streams: any StreamTransport
  public let blobs: any BlobStore
  public let documents: any DocumentStore
  public let logs: any LogStore
  public let clock: any MeshClock
  public let random: any RandomSource
  public let threads: any ThreadSource
  /// Opens a model of this machine, a file or a directory, for import.
  public let openModel: @Sendable (String) throws -> ModelFiles
  public let journal: Journal
  /// To the router that is to let others in; nil: it is not asked.
  public let gateway: (any GatewayTransport)?

  /// - Parameters:
  ///   - logs: nil: in a document.
  ///   - gateway: nil: no port is opened at a router.
  public init(
    datagrams: any DatagramTransport, streams: any StreamTransport, blobs: any BlobStore,
    documents: any DocumentStore, logs: (any LogStore)? = nil, clock: any MeshClock,
    random: any RandomSource, threads: any ThreadSource,
    openModel: @escaping @Sendable (String) throws -> ModelFiles,
    journal: @escaping Journal = { _ in }, gateway: (any GatewayTransport)? = nil
  ) {
    self.datagrams = datagrams
    self.streams = streams
    self.blobs = blobs
    self.documents = documents
    self.logs = logs ?? DocumentLogStore(documents: documents)
    self.clock = clock
    self.random = random
    self.threads = threads
    self.openModel = openModel
    self.journal = journal
    self.gateway = gateway
  }
}

public final class Node: NodeService {
  private let configuration: NodeConfiguration
  private let system: NodeSystem
  private let courier: Courier
  private let discovery: Discovery
  private let membership: Membership
  private let store: ShardStore
  private let executor: ShardExecutor
  private let driver: JobDriver
  private let lanes = LaneTable()
  private let registry: Registry
  private let accounts: Accounts?
  private let auditing: Auditing
  private let door: StreamDoor
  private let rendezvous: LinkRendezvous
  private let library: ModelLibrary
  private let keeper: WitnessKeeper
  private let atoms: AtomKeeper
  private let departure: Departure
  private let throughput: Throughput
  private let reach: Reach
  private let relays: RelayHost
  private let desk: CallDesk
  private let mapper: PortMapper?

  public var peer: PeerID { configuration.identity.id }

  public init(_ configuration: NodeConfiguration, _ system: NodeSystem) throws {
    self.configuration = configuration
    self.system = system
    let (clock, random, threads) = (system.clock, system.random, system.threads)
    let party = HandshakeParty(
      identity: configuration.identity, network: configuration.network.id,
      networkKey: configuration.network.key)
    let peer = configuration.identity.id
    library = ModelLibrary(blobs: system.blobs)
    courier = Courier(transport: system.datagrams, party: party, clock: clock, random: random)
    discovery = Discovery(peer: peer, courier: courier, clock: clock, random: random)
    var record = configuration.record
    let ledger =
      configuration.ledger
      ?? EmbeddedLedger(configuration.identity, network: configuration.network.id)
    record.payment = configuration.accounts.map { Accounts.payment($0, ledger) }
    let ways = Ways(peer: peer)
    let membership = Membership(
      identity: configuration.identity, record: record, courier: courier,
      ways: ways, startsAlone: !configuration.bootstrap.isEmpty, clock: clock, random: random)
    self.membership = membership
    desk = CallDesk(clock: clock)
    if let terms = configuration.accounts {
      accounts = try Accounts(
        terms: terms, peer: peer, ledger: ledger,
        store: AccountStore(documents: system.documents), membership: membership, clock: clock,
        threads: threads)
    } else {
      accounts = nil
    }
    auditing = try Auditing(
      identity: configuration.identity, interval: configuration.auditInterval,
      store: AuditStore(documents: system.documents), random: random)
    door = StreamDoor(
      party: party, transport: system.streams, clock: clock, random: random,
      waiting: configuration.waiting,
      others: OtherWays(
        ways: ways, desk: desk, threads: threads,
        record: { await membership.record(of: $0) },
        call: { await membership.send(ReachMessage.call($1).gossip, to: $0) }))
    reach = Reach(
      ways: ways, membership: membership, courier: courier, door: door, clock: clock)
    relays = RelayHost(
      door: door, membership: membership, threads: threads,
      isWilling: configuration.record.services.contains(.relay))
    mapper = PortMapper(
      gateway: system.gateway, port: record.endpoints.first?.port, membership: membership,
      clock: clock, random: random)
    rendezvous = LinkRendezvous(clock: clock)
    atoms = AtomKeeper(clock: clock)
    departure = Departure(clock: clock)
    throughput = Throughput(clock: clock)
    store = ShardStore(
      peer: peer, library: library, membership: membership, door: door, keeper: atoms,
      clock: clock, threads: threads)
    executor = ShardExecutor(
      peer: peer, resources: configuration.resources, library: library, store: store,
      membership: membership, door: door, rendezvous: rendezvous, throughput: throughput,
      accounts: accounts, auditing: auditing, clock: clock, threads: threads)
    keeper = WitnessKeeper(clock: clock)
    driver = JobDriver(
      peer: peer, store: store, executor: executor, membership: membership, keeper: keeper,
      door: door, accounts: accounts, auditing: auditing, lanes: lanes, clock: clock,
      random: random, threads: threads)
    registry = try Registry(
      identity: configuration.identity, logs: system.logs, policy: configuration.publishers,
      membership: membership, clock: clock, random: random, journal: system.journal)
  }

  /// Takes part in the mesh until cancelled, or until `stop`.
  public func run() async {
    let record = configuration.record
    let beacon = Beacon(
      peer: peer, version: record.version,
      endpoints: Array(record.endpoints.prefix(Limits.endpointsPerPeer)))
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.courier.run { await self.hear($0) } }
      group.addTask { await self.membership.run { await self.hear($0) } }
      group.addTask {
        await self.discovery.run(beacon, bootstrap: self.configuration.bootstrap)
      }
      group.addTask { await self.store.run() }
      group.addTask { await self.registry.run { await self.store.adopt(offers: $0) } }
      group.addTask { await self.keeper.run() }
      for (number, source) in self.configuration.sources.enumerated() {
        group.addTask {
          await source.run { await self.registry.adopt($0, from: number) }
        }
      }
      if let mapper = self.mapper { group.addTask { await mapper.run() } }
      if let accounts = self.accounts { group.addTask { await accounts.run() } }
      group.addTask { await self.lanes.run() }
      group.addTask { await self.acceptStreams() }
      group.addTask { await self.reach.run { await self.host($0) } }
      group.addTask { await self.departure.untilStopped() }
      group.addTask { await self.throughput.run(record.compute, self.membership) }
      await group.next()
      group.cancelAll()
      system.datagrams.close()
      system.streams.close()
    }
  }

  // MARK: Who hears what

  private func hear(_ event: CourierEvent) async {
    switch event {
    case .message(let bytes, let peer, let endpoint):
      await membership.receive(bytes, from: peer, at: endpoint)
    case .connected(let peer, let endpoint): await membership.contact(peer, at: endpoint)
    case .beacon(let bytes, let endpoint): await discovery.handle(.beacon(bytes, from: endpoint))
    case .refused(let endpoint): await membership.refused(at: endpoint)
    }
  }

  private func hear(_ news: MembershipNews) async {
    switch news {
    case .joined(let peer, let endpoint):
      system.journal(.joined(peer, at: endpoint))
      await discovery.handle(.joined(peer, endpoint))
      await reach.joined(peer, at: endpoint)
      await registry.greet(peer)
    case .lost(let peer):
      system.journal(.lost(peer))
      await discovery.handle(.lost(peer))
      await courier.forget(peer)
      await executor.lost(peer)
      await reach.lost(peer)
      door.forget(peer)
    case .epoch(let view):
      system.journal(.view(view.id, peers: view.peers.count))
      lanes.retireAll()
      await store.adopt(view: view)
    case .ledger(let bytes, let peer):
      if let tag = bytes.first, AccountMessage.tags.contains(tag) {
        await accounts?.receive(bytes, from: peer)
      } else {
        await registry.receive(bytes, from: peer)
      }
    case .reach(let bytes, let peer): await reach.receive(bytes, from: peer)
    }
  }

  private func acceptStreams() async {
    await withDiscardingTaskGroup { group in
      for await stream in system.streams.accepted {
        group.addTask { await self.serve(stream) }
      }
    }
  }

  /// One connection of another peer, from its first byte to its last.
  private func serve(_ stream: any ByteStream) async {
    guard let connection = try? await door.answer(stream) else { return }
    await host(connection)
  }

  /// The streams of one connection, until it ends or turns out to be one that this peer asked for.
  private func host(_ connection: SealedLink) async {
    await door.hosting(connection) { connection in
      let number = await StreamHost(clock: system.clock, threads: system.threads)
        .runUntilTurned(connection) { await self.serve($0) }
      if let number {
        await desk.deliver(connection, number)
      } else {
        await membership.doubt(connection.peer)
      }
    }
  }

  /// A connection that another peer carries: its own handshake, then one stream.
  private func serveTunnel(_ link: any FrameLink) async {
    guard let connection = try? await door.answerTunnel(link) else { return link.shutdown() }
    await host(connection)
  }

  /// One stream, from its hello to its end. The number of a call that it answers; nil: of none.
  private func serve(_ link: any FrameLink) async -> UInt64? {
    let room = ThreadRoom(system.threads.thread(name: "stream"))
    defer { room.close() }
    let deadline = system.clock.now() + .seconds(5)
    let hello = try? await room.perform {
      try StreamHello(bytes: link.receive(.hello, deadline: deadline))
    }
    switch hello {
    case nil: link.shutdown()
    case .shard:
      let server = ShardServer(blobs: system.blobs, keeper: atoms)
      await withTaskCancellationHandler {
        try? await room.perform { try server.serve(link) }
      } onCancel: {
        link.shutdown()
      }
      link.shutdown()
    case .job:
      await withTaskCancellationHandler {
        await executor.serve(link)
      } onCancel: {
        link.shutdown()
      }
    case .witness(let job): await keeper.serve(link, of: job, in: room)
    case .partials(let job, let term, let rank):
      await rendezvous.deposit(link, for: .init(job: job, term: term, rank: rank))
    case .called(let number):
      link.shutdown()
      return number
    case .relay(let target): await relays.serve(link, to: target)
    case .relayed: await serveTunnel(link)
    }
    return nil
  }

  // MARK: NodeService

  public func peers() async -> [PeerStatus] { await membership.statuses() }

  public func models() async throws -> [ModelStatus] {
    var statuses: [ModelStatus] = []
    for entry in await registry.models() {
      let count = await store.held(entry.model)
      statuses.append(ModelStatus(entry: entry, held: count?.held, atoms: count?.of))
    }
    return statuses
  }

  public func plan(
    model: String, objective: PlanObjective, context: Int?
  ) async throws -> PlannedModel {
    let entry = try await registry.resolve(model)
    let manifest = try await store.manifest(entry.model)
    let view = await membership.view()
    let start = system.clock.now()
    let plan = try MeshPlan(
      model: entry.model, manifest: manifest, records: view.records, objective: objective,
      context: context ?? min(manifest.shape.context, 2_048),
      distrusted: Set(driver.avoided(view.records)))
    return PlannedModel(
      entry: entry, manifest: manifest, report: plan.report, plan: plan.id, view: view.id,
      duration: system.clock.now() - start)
  }

  public func prepare(_ request: GenerationRequest) async throws -> GenerationRequest {
    try await driver.prepare(registry.resolve(request.model), request)
  }

  public func generate(
    _ request: GenerationRequest, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    try await JobJournal(system.journal, emit).noting { emit in
      try await departure.driving {
        try await driver.generate(registry.resolve(request.model), request, emit: emit)
      }
    }
  }

  public func embed(_ request: EmbeddingRequest) async throws -> EmbeddingOutcome {
    try await departure.driving {
      try await driver.embed(registry.resolve(request.model), request)
    }
  }

  public func resume(
    _ job: JobID, shown: Int, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    guard let record = await keeper.record(of: job) else { throw NodeError.unknownJob }
    let former = await keeper.driver(of: job)
    return try await JobJournal(system.journal, emit).noting { emit in
      try await departure.driving {
        try await driver.resume(
          record, registry.resolve(record.model.raw.hex), shown: shown, after: former, emit: emit)
      }
    }
  }

  /// Whether this peer could go on with a job.
  package func keeps(_ job: JobID) async -> Bool { await keeper.record(of: job) != nil }

  package var isLeaving: Bool { get async { await executor.isLeaving } }

  public func serves(api: Endpoint) { keeper.serves(api: api) }

  public func importModel(
    path: String, name: String?, progress: @escaping @Sendable (UInt64, UInt64) -> Void
  ) async throws -> ModelEntry {
    let room = ThreadRoom(system.threads.thread(name: "import"))
    defer { room.close() }
    let (library, openModel) = (library, system.openModel)
    let (model, bytes) = try await room.perform {
      let model = try library.importModel(try openModel(path), progress: progress)
      let manifest = try library.manifest(model)
      return (model, manifest.byteCount + manifest.tokenizerByteCount)
    }
    return try await registry.register(
      name: name ?? ModelLibrary.name(ofFile: path), model: model, byteCount: bytes)
  }

  public func registryEntries() async -> [ModelEntry] { await registry.all() }

  public func registryEvents() async -> AsyncStream<RegistryEvent> { await registry.events() }

  public func publish(
    model: String, name: String, location: String
  ) async throws -> ModelEntry {
    let known = try await registry.resolve(model)
    return try await registry.register(
      name: name, model: known.model, byteCount: known.byteCount, location: location)
  }

  public func retire(name: String) async throws -> ModelEntry {
    try await registry.retire(name: name)
  }

  public func credits() async -> CreditsReport? {
    await accounts?.report().adding(auditing)
  }

  public func settle(_ payer: PeerID?) async throws -> Int {
    guard let accounts else { throw NodeError.noAccounts }
    return try await accounts.settle(payer)
  }

  public func leave(progress: @escaping @Sendable (LeaveProgress) -> Void) async {
    let isFirst = departure.begin()
    if isFirst { system.journal(.leaving) }
    // Plans of both kinds are made without this peer from now on; it still answers and gives.
    await membership.update { $0.services = [] }
    await executor.leave()
    if isFirst { await departure.untilIdle { progress(.jobs(running: $0)) } }
    let alone = await store.handOver { progress(.atoms(left: $0, of: $1)) }
    await membership.leave()
    progress(.left(unplaced: alone))
  }

  /// Hands over what it computes for others and says goodbye, without waiting for anything else.
  public func depart() async {
    departure.begin()
    await executor.leave()
    await membership.leave()
  }

  public func stop() { departure.stop() }
}
