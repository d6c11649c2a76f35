// The registry of models on this peer, kept equal to everybody else's by gossip.

internal import ShoalLedger
internal import ShoalProtocol
internal import ShoalSecurity

actor Registry {
  private let identity: PeerIdentity
  private let log: RegistryLog
  private let policy: PublisherPolicy
  private let membership: Membership
  private let clock: any MeshClock
  private var generator: RandomSourceGenerator
  private let journal: Journal
  private var registry: EmbeddedRegistry
  private var changed: @Sendable ([ModelEntry]) async -> Void = { _ in }
  private var watchers: [Int: AsyncStream<RegistryEvent>.Continuation] = [:]
  private var nextWatcher = 0
  /// Names of other sources, retired ones included, by source.
  private var others: [Int: [ModelEntry]] = [:]

  /// How often digests are compared with one random peer.
  private static let interval = Duration.seconds(2)
  /// Peers that news is passed on to; whoever made it tells everybody.
  private static let relays = 4
  /// A greeting, heads, a question and an answer: four datagrams of even a slow link.
  private static let catchUpPause = Duration.milliseconds(500)

  init(
    identity: PeerIdentity, logs: any LogStore, policy: PublisherPolicy, membership: Membership,
    clock: any MeshClock, random: any RandomSource, journal: @escaping Journal
  ) throws {
    self.identity = identity
    self.policy = policy
    self.membership = membership
    self.clock = clock
    generator = RandomSourceGenerator(random)
    self.journal = journal
    log = RegistryLog(store: logs, identity: identity)
    registry = try log.load()
  }

  /// Compares with others until cancelled; `changed` is called with the models that this peer takes
  /// up, at first and after each change.
  func run(_ changed: @escaping @Sendable ([ModelEntry]) async -> Void) async {
    self.changed = changed
    await changed(offers)
    while !Task.isCancelled {
      try? await clock.sleep(until: clock.now() + Self.interval)
      let peers = await membership.livePeers()
      guard let peer = peers.randomElement(using: &generator) else { continue }
      await greet(peer)
    }
    for watcher in watchers.values { watcher.finish() }
  }

  /// Models whose publishers are allowed, and that are small enough.
  private var offers: [ModelEntry] {
    models().filter { policy.admits($0, own: identity.id) }
  }

  /// Tells a peer what is known here, in 32 bytes.
  func greet(_ peer: PeerID) async { await send(registry.book.greeting, to: peer) }

  func receive(_ bytes: [UInt8], from peer: PeerID) async {
    guard let message = try? LogMessage(bytes: bytes) else { return }
    let (reaction, events) = registry.receive(message)
    if reaction.isNews {
      // Kept before it is passed on; a disk that refuses is asked again after the next start.
      try? log.keep(reaction)
      var others = await membership.livePeers().filter { $0 != peer }
      others.shuffle(using: &generator)
      await spread(reaction.news, to: Array(others.prefix(Self.relays)))
      await tell(events)
    }
    for reply in reaction.replies { await send(reply, to: peer) }
  }

  // MARK: What is known

  /// Models on offer, sorted by name.
  func models() -> [ModelEntry] {
    guard !others.isEmpty else { return registry.models }
    return (registry.models + elsewhere.filter { !$0.isRetired }).sorted {
      ($0.name, $0.publisher) < ($1.name, $1.publisher)
    }
  }

  func all() -> [ModelEntry] { registry.all + elsewhere }

  private var elsewhere: [ModelEntry] { others.sorted { $0.key < $1.key }.flatMap(\.value) }

  func resolve(_ name: String) throws -> ModelEntry {
    guard let entry = models().named(name, own: identity.id) else {
      throw NodeError.unknownModel(name, known: models().map(\.name))
    }
    return entry
  }

  /// What happens from now on. Someone who reads too slowly misses the oldest.
  func events() -> AsyncStream<RegistryEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: RegistryEvent.self, bufferingPolicy: .bufferingNewest(256))
    let number = nextWatcher
    nextWatcher += 1
    watchers[number] = continuation
    return stream
  }

  /// Takes all names of another source, which says them whole each time.
  func adopt(_ entries: [ModelEntry], from source: Int) async {
    let before = Set(others[source] ?? [])
    others[source] = entries
    await tell(entries.filter { !before.contains($0) }.map { .seen(RegistryNews($0)) })
  }

  // MARK: This peer's own changes

  func register(
    name: String, model: ModelID, byteCount: UInt64, location: String = ""
  ) async throws -> ModelEntry {
    try await catchUp()
    let entry = try registry.registration(
      of: name, as: model, byteCount: byteCount, location: location, by: identity.id,
      written: clock.unixMilliseconds())
    if let entry { try await publish(entry) }
    guard let known = registry.entry(of: name, by: identity.id) else {
      throw RegistryError.notRegistered(name)
    }
    return known
  }

  func retire(name: String) async throws -> ModelEntry {
    try await catchUp()
    try await publish(
      registry.retirement(
        of: name, revision: nil, by: identity.id, written: clock.unixMilliseconds()))
    guard let known = registry.entry(of: name, by: identity.id) else {
      throw RegistryError.notRegistered(name)
    }
    return known
  }

  /// Takes in what a command without a running peer wrote. And before its first entry a peer asks
  /// others: an identity that was brought to a new machine has a log that only they know.
  private func catchUp() async throws {
    try reload()
    let own = LogName(author: identity.id, topic: .registry)
    guard registry.book.head(own).sequence == 0 else { return }
    let peers = await membership.livePeers().prefix(Self.relays)
    guard !peers.isEmpty else { return }
    for peer in peers { await greet(peer) }
    try await clock.sleep(until: clock.now() + Self.catchUpPause)
  }

  private func reload() throws {
    let kept = try log.load()
    let own = LogName(author: identity.id, topic: .registry)
    for entry in kept.book.entries(own, after: registry.book.head(own).sequence) {
      _ = registry.append(entry)
    }
  }

  private func publish(_ entry: LogEntry) async throws {
    let signed = try log.publish(entry)
    let events = registry.append(signed)
    await spread(LogReaction(appended: [signed]).news, to: await membership.livePeers())
    await tell(events)
  }

  // MARK: Telling

  private func tell(_ events: [RegistryEvent]) async {
    for event in events { journal(.name(event)) }
    for (number, watcher) in watchers {
      for event in events {
        if case .terminated = watcher.yield(event) { watchers[number] = nil }
      }
    }
    await changed(offers)
  }

  private func spread(_ messages: [LogMessage], to peers: [PeerID]) async {
    for peer in peers {
      for message in messages { await send(message, to: peer) }
    }
  }

  private func send(_ message: LogMessage, to peer: PeerID) async {
    await membership.send(ledger: message.bytes, to: peer)
  }
}
