// The registry of models on this peer, kept equal to everybody else's by gossip.

internal import ShoalLedger
internal import ShoalProtocol
internal import ShoalSecurity

actor Registry {
  private let identity: PeerIdentity
  private let document: RegistryDocument
  private let membership: Membership
  private let clock: any MeshClock
  private var generator: RandomSourceGenerator
  private var registry: EmbeddedRegistry
  private var changed: @Sendable ([ModelEntry]) async -> Void = { _ in }

  /// How often digests are compared with one random peer.
  private static let interval = Duration.seconds(2)

  init(
    identity: PeerIdentity, documents: any DocumentStore, membership: Membership,
    clock: any MeshClock, random: any RandomSource
  ) throws {
    self.identity = identity
    self.membership = membership
    self.clock = clock
    generator = RandomSourceGenerator(random)
    document = RegistryDocument(documents: documents, identity: identity)
    registry = try document.load()
  }

  /// Compares with others until cancelled; `changed` is called with the models on offer, at first
  /// and after each change.
  func run(_ changed: @escaping @Sendable ([ModelEntry]) async -> Void) async {
    self.changed = changed
    await changed(registry.models)
    while !Task.isCancelled {
      try? await clock.sleep(until: clock.now() + Self.interval)
      let peers = await membership.livePeers()
      guard let peer = peers.randomElement(using: &generator) else { continue }
      await greet(peer)
    }
  }

  private var digest: Bytes32 { unsafe registry.digest(BLAKE2b.contentHash) }

  /// Tells a peer what is known here, in 32 bytes.
  func greet(_ peer: PeerID) async {
    await send(.digest(digest), to: peer)
  }

  func receive(_ bytes: [UInt8], from peer: PeerID) async {
    guard let message = try? RegistryMessage(bytes: bytes) else { return }
    switch message {
    case .digest(let theirs):
      guard theirs != digest else { return }
      await sendAll(to: peer)
    case .entries(let entries):
      // `reduce`, not `contains`: every entry is to be merged.
      let isNews = entries.reduce(false) { registry.merge($1) || $0 }
      if isNews { await spread(except: peer) }
    }
  }

  func models() -> [ModelEntry] { registry.models }

  func resolve(_ name: String) throws -> ModelEntry {
    guard let entry = registry.resolve(name, own: identity.id) else {
      throw NodeError.unknownModel(name, known: registry.models.map(\.name))
    }
    return entry
  }

  func register(name: String, model: ModelID, byteCount: UInt64) async throws -> ModelEntry {
    let entry = try document.register(
      name: name, model: model, byteCount: byteCount, now: clock.unixMilliseconds())
    _ = registry.merge(document.sign(entry))
    await spread(except: identity.id)
    return entry
  }

  /// Keeps what is new, acts on it, and tells the others.
  private func spread(except source: PeerID) async {
    try? document.save(registry)
    await changed(registry.models)
    for peer in await membership.livePeers() where peer != source { await greet(peer) }
  }

  private func sendAll(to peer: PeerID) async {
    for message in RegistryMessage.batches(of: registry.all) { await send(message, to: peer) }
    // What the other has and this one lacks comes back the same way.
    await greet(peer)
  }

  private func send(_ message: RegistryMessage, to peer: PeerID) async {
    await membership.send(ledger: message.bytes, to: peer)
  }
}
