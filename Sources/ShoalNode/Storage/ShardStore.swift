// Holds the atoms that are this peer's: those it computes with and those it keeps for others.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
internal import ShoalSecurity

actor ShardStore {
  private let peer: PeerID
  let library: ModelLibrary
  let membership: Membership
  let lanes: HolderLanes
  let keeper: AtomKeeper
  let clock: any MeshClock
  let disk: ThreadRoom
  private var manifests: [ModelID: ModelManifest] = [:]
  private(set) var searches: [ModelID: HolderSearch] = [:]
  /// What is to be here of each model under the present view.
  private(set) var assigned: [ModelID: Set<AtomKey>] = [:]
  /// Of the models asked for lately: building one takes longer than a token.
  private var tokenizers: [BlobID: Tokenizer] = [:]
  private(set) var view: MeshView?
  /// Since when neither its members nor what is to be here have changed.
  private(set) var calmSince = Moment(nanoseconds: 0)
  private(set) var offers: [ModelEntry] = []
  private let alarm = Alarm()
  private var isFetching = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Copies of each atom that the mesh keeps.
  static let copies = 2
  /// A vocabulary with merges takes some tens of megabytes.
  private static let tokenizersKept = 4
  /// What one turn of the background fetches before others get theirs.
  private static let turnBytes: UInt64 = 32 << 20
  /// Holders that say nothing are asked again that long, after such pauses.
  private static let silencePatience = Duration.seconds(3)
  private static let silencePause = Duration.milliseconds(200)

  init(
    peer: PeerID, library: ModelLibrary, membership: Membership, door: StreamDoor,
    keeper: AtomKeeper, clock: any MeshClock, threads: any ThreadSource
  ) {
    self.peer = peer
    self.library = library
    self.membership = membership
    self.keeper = keeper
    self.clock = clock
    lanes = HolderLanes(
      library: library, membership: membership, door: door, clock: clock, threads: threads)
    disk = ThreadRoom(threads.thread(name: "store"))
  }

  // MARK: Models

  /// The manifest of a model, from here or from whoever has it.
  func manifest(_ model: ModelID) async throws -> ModelManifest {
    if let known = manifests[model] { return known }
    let library = library
    if !(try await disk.perform { library.contains(model) }) {
      try await fetch(
        [WantedBlob(blob: BlobID(model.raw), byteCount: nil)], of: model, progress: { _ in })
    }
    let manifest = try await disk.perform { try library.manifest(model) }
    manifests[model] = manifest
    return manifest
  }

  func tokenizer(_ manifest: ModelManifest) async throws -> Tokenizer {
    if let known = tokenizers[manifest.tokenizer] { return known }
    try await fetch(
      [WantedBlob(blob: manifest.tokenizer, byteCount: manifest.tokenizerByteCount)],
      of: model(of: manifest), progress: { _ in })
    let library = library
    let tokenizer = try await disk.perform { try library.tokenizer(manifest) }
    if tokenizers.count == Self.tokenizersKept { tokenizers.removeAll() }
    tokenizers[manifest.tokenizer] = tokenizer
    return tokenizer
  }

  /// How many atoms of a model are here; nil before its manifest is.
  func held(_ model: ModelID) async -> (held: Int, of: Int)? {
    let library = library
    let known = manifests[model]
    return try? await disk.perform {
      let manifest = try known ?? library.manifest(model)
      let held = manifest.atoms.count { library.blobs.contains($0.blob) }
      return (held, manifest.atoms.count)
    }
  }

  /// Keeps the atoms of `keys`, those that are here and those that come, until the lease ends.
  nonisolated func lease(_ manifest: ModelManifest, _ keys: [AtomKey]) -> AtomLease {
    let wanted = Set(keys)
    return keeper.lease(manifest.atoms.filter { wanted.contains($0.key) }.map(\.blob))
  }

  /// Makes sure that the atoms of `keys` are here.
  ///
  /// - Parameters:
  ///   - distrusted: peers that are not asked.
  ///   - progress: told how many bytes are still to come, and of how many.
  func ensure(
    _ manifest: ModelManifest, _ keys: [AtomKey], distrusted: Set<PeerID> = [],
    progress: @escaping @Sendable (UInt64, UInt64) -> Void
  ) async throws {
    let missing = try await missing(manifest, keys)
    let total = missing.reduce(0) { $0 + $1.byteCount }
    guard total > 0 else { return }
    let counter = ByteCounter(total: total, report: progress)
    try await fetch(
      missing.map { WantedBlob(blob: $0.blob, byteCount: $0.byteCount) },
      of: model(of: manifest), places: places(missing, in: manifest), distrusted: distrusted,
      progress: { counter.add($0) })
  }

  /// The bytes that the rank of `plan` that lacks most would have to fetch first; nil where a rank
  /// does not answer.
  func mostMissing(of plan: MeshPlan, _ manifest: ModelManifest) async -> UInt64? {
    var most: UInt64 = 0
    for member in plan.members {
      guard let share = plan.rank(of: member)?.share else { return nil }
      let wanted = Set(share.keys(manifest.cut))
      let atoms = manifest.atoms.filter { wanted.contains($0.key) }
      guard let held = await held(atoms.map(\.blob), at: member) else { return nil }
      let missing = zip(atoms, held).filter { !$1 }.reduce(UInt64(0)) { $0 + $1.0.byteCount }
      most = max(most, missing)
    }
    return most
  }

  private func held(_ blobs: [BlobID], at member: PeerID) async -> [Bool]? {
    let library = library
    if member == peer {
      return try? await disk.perform { blobs.map { library.blobs.contains($0) } }
    }
    guard let record = await membership.record(of: member), let lane = await lanes.open(record)
    else { return nil }
    defer { lane.close() }
    return try? await lane.held(blobs.map { WantedBlob(blob: $0, byteCount: nil) })
  }

  /// Which model a manifest is of: it was given out here.
  private func model(of manifest: ModelManifest) -> ModelID? {
    manifests.first { $0.value == manifest }?.key
  }

  /// Where in the manifest atoms stand: what storage plans call them by.
  func places(_ atoms: [AtomEntry], in manifest: ModelManifest) -> [Int] {
    let wanted = Set(atoms.map(\.key))
    return manifest.atoms.indices.filter { wanted.contains(manifest.atoms[$0].key) }
  }

  private func missing(_ manifest: ModelManifest, _ keys: [AtomKey]) async throws -> [AtomEntry] {
    let library = library
    return try await disk.perform { library.missing(manifest, keys) }
  }

  // MARK: What is to be here

  /// A new epoch, or a change of the registry.
  func adopt(view: MeshView? = nil, offers: [ModelEntry]? = nil) {
    if let view {
      if view.peers != self.view?.peers { calmSince = clock.now() }
      self.view = view
    }
    self.offers = offers ?? self.offers
    alarm.ring()
  }

  /// Takes up what is this peer's, whenever the view or the registry changes, until cancelled.
  func run() async {
    var retry: Moment?
    while !Task.isCancelled {
      await alarm.sleep(until: retry, clock)
      retry = nil
      for offer in offers {
        do {
          if try await !settle(offer) { retry = clock.now() + .milliseconds(50) }
        } catch {
          retry = clock.now() + .seconds(1)
        }
      }
      if let moment = await makeRoom() { retry = min(retry ?? moment, moment) }
      await announceHoldings()
    }
  }

  /// Fetches some of what is missing of one model. True: nothing more is.
  private func settle(_ offer: ModelEntry) async throws -> Bool {
    guard let view else { return true }
    let manifest = try await manifest(offer.model)
    _ = try await tokenizer(manifest)
    let keys = assignment(offer.model, manifest, view.records)
    if assigned[offer.model] != Set(keys) { calmSince = clock.now() }
    assigned[offer.model] = Set(keys)
    let missing = try await missing(manifest, keys)
    var turn: [AtomEntry] = []
    var bytes: UInt64 = 0
    for atom in missing where bytes < Self.turnBytes {
      turn.append(atom)
      bytes += atom.byteCount
    }
    guard !turn.isEmpty else { return true }
    try await fetch(
      turn.map { WantedBlob(blob: $0.blob, byteCount: $0.byteCount) }, of: offer.model,
      places: places(turn, in: manifest), progress: { _ in })
    return turn.count == missing.count
  }

  /// The atoms that this peer computes with under the plan of now, and those it keeps for others.
  private func assignment(
    _ model: ModelID, _ manifest: ModelManifest, _ records: [CapabilityRecord]
  ) -> [AtomKey] {
    var keys: Set<AtomKey> = []
    if let plan = try? MeshPlan(
      model: model, manifest: manifest, records: records, objective: .latency,
      context: min(manifest.shape.context, 2_048), distrusted: []),
      let rank = plan.rank(of: peer)
    {
      keys.formUnion(rank.share.keys(manifest.cut))
    }
    let capacities = records.map { StorageCapacity(DeviceCapacity($0)) }.filter {
      $0.bytes > .zero
    }
    if let stored = try? StoragePlan(
      model: model, sizes: manifest.atoms.map(\.byteCount), over: capacities,
      copies: Self.copies), let place = stored.peers.firstIndex(of: peer)
    {
      keys.formUnion(stored.atoms[place].map { manifest.atoms[$0].key })
      searches[model, default: HolderSearch()].adopt(stored)
    }
    return keys.sorted()
  }

  private func announceHoldings() async {
    var holdings: [ModelHolding] = []
    for offer in offers.prefix(Limits.modelsPerRecord) {
      guard let (held, total) = await held(offer.model), held > 0 else { continue }
      holdings.append(ModelHolding(model: offer.model, isComplete: held == total))
    }
    let sorted = holdings.sorted { $0.model < $1.model }
    await membership.update { $0.models = sorted }
  }

  // MARK: Fetching

  /// Brings blobs from live peers. A holder that is too busy to answer is asked again for a while.
  ///
  /// - Parameter places: of the wanted atoms in the manifest of `model`; none for other blobs.
  private func fetch(
    _ wanted: [WantedBlob], of model: ModelID?, places: [Int] = [],
    distrusted: Set<PeerID> = [],
    progress: @escaping @Sendable (UInt64) -> Void
  ) async throws {
    let end = clock.now() + Self.silencePatience
    while true {
      do {
        return try await fetchNow(
          wanted, of: model, places: places, distrusted: distrusted, progress: progress)
      } catch let error as FetchError {
        guard case .holdersSilent = error, clock.now() < end else { throw error }
        try await clock.sleep(until: clock.now() + Self.silencePause)
      }
    }
  }

  /// One fetch at a time, so that no blob is fetched twice at once.
  private func fetchNow(
    _ wanted: [WantedBlob], of model: ModelID?, places: [Int], distrusted: Set<PeerID>,
    progress: @escaping @Sendable (UInt64) -> Void
  ) async throws {
    await takeTurn()
    defer { endTurn() }
    let library = library
    // Atoms of equal bytes are one blob, and one lane's to bring.
    var seen: Set<BlobID> = []
    let different = wanted.filter { seen.insert($0.blob).inserted }
    let lacking = try await disk.perform {
      different.filter { !library.blobs.contains($0.blob) }
    }
    guard !lacking.isEmpty else { return }
    let search = model.flatMap { searches[$0] } ?? HolderSearch()
    let fetch = await lanes.open(search, model, places, without: distrusted)
    defer { for lane in fetch.lanes { lane.close() } }
    guard let model else { return try await fetch.run(lacking, progress: progress) }
    do {
      try await fetch.run(lacking, progress: progress)
      searches[model]?.tried(foundAll: true)
    } catch {
      searches[model, default: HolderSearch()].tried(foundAll: false)
      throw error
    }
  }

  private func takeTurn() async {
    guard isFetching else {
      isFetching = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func endTurn() {
    if waiting.isEmpty { isFetching = false } else { waiting.removeFirst().resume() }
  }
}
