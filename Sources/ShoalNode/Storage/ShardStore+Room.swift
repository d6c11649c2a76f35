// Copies go from this disk: to make room for what is to be here, or with the peer that leaves. Both
// ask others first whether they keep what goes (`AtomKeeping` says why, and what their word means).

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol

extension Limits {
  /// Between two looks for somebody who keeps what is to go.
  static let roomPause = Duration.seconds(5)
  static let handOverPause = Duration.milliseconds(200)
  /// A peer that leaves waits that long for the next atom to find its place elsewhere.
  static let handOverPatience = Duration.seconds(10)
}

extension ShardStore {
  // MARK: Making room

  /// Drops what others keep, as far as the disk holds more than it may.
  ///
  /// - Returns: when to look again; nil: at the next change.
  func makeRoom() async -> Moment? {
    do {
      var excess = try await diskBudget().excess
      guard excess > 0 else { return nil }
      let calm = calmSince + Limits.dropCalm
      guard clock.now() >= calm else { return calm }
      for offer in offers where excess > 0 {
        let manifest = try await manifest(offer.model)
        let surplus = try await surplus(of: offer.model, manifest)
        for turn in turns(surplus) where excess > 0 {
          let freed = try await drop(turn, of: offer.model, manifest, upTo: excess)
          excess -= min(excess, freed)
        }
      }
      return excess > 0 ? clock.now() + Limits.roomPause : nil
    } catch {
      return clock.now() + Limits.roomPause
    }
  }

  private func diskBudget() async throws -> DiskBudget {
    let (library, offers, assigned) = (library, offers, assigned)
    let budget = await membership.ownRecord().disk.bytes
    return try await disk.perform {
      var incoming: UInt64 = 0
      for offer in offers where library.contains(offer.model) {
        let missing = library.missing(
          try library.manifest(offer.model), assigned[offer.model] ?? [])
        incoming += missing.reduce(0) { $0 + $1.byteCount }
      }
      return DiskBudget(
        budget: budget, held: try library.blobs.totalBytes().bytes, incoming: incoming,
        free: try library.blobs.freeBytes().bytes)
    }
  }

  /// The atoms of a model that are here and need not be, the largest first: fewest have to go.
  private func surplus(
    of model: ModelID, _ manifest: ModelManifest
  ) async throws -> [AtomEntry] {
    guard let kept = assigned[model] else { return [] }
    return try await held(manifest).filter { !kept.contains($0.key) }
      .sorted { ($1.byteCount, $0.blob) < ($0.byteCount, $1.blob) }
  }

  private func held(_ manifest: ModelManifest) async throws -> [AtomEntry] {
    let library = library
    return try await disk.perform {
      manifest.atoms.filter { library.blobs.contains($0.blob) }
    }
  }

  /// In a mesh where not everybody is asked at once, so few atoms at a time that all their holders
  /// are among those who are.
  private func turns(_ atoms: [AtomEntry]) -> [ArraySlice<AtomEntry>] {
    let isSmall = view?.count ?? 0 <= HolderSearch.width
    let size = isSmall ? ShardMessage.questionLimit : HolderSearch.width / Self.copies
    return stride(from: 0, to: atoms.count, by: size).map {
      atoms[$0..<min(atoms.count, $0 + size)]
    }
  }

  /// Drops those of `atoms` that enough others promise to keep; answers with the bytes.
  private func drop(
    _ atoms: ArraySlice<AtomEntry>, of model: ModelID, _ manifest: ModelManifest,
    upTo excess: UInt64
  ) async throws -> UInt64 {
    let calm = calmSince
    let asked = keeper.beginDrop(atoms.map(\.blob))
    defer { keeper.endDrop(asked) }
    guard !asked.isEmpty else { return 0 }
    for (peer, blobs) in await promises(asked, of: model, places(Array(atoms), in: manifest)) {
      keeper.promised(blobs, by: peer)
    }
    // They may be wanted here by now.
    guard calmSince == calm else { return 0 }
    let (keeper, library) = (keeper, library)
    let wanted = Set(asked)
    return try await disk.perform {
      var freed: UInt64 = 0
      for atom in atoms where freed < excess && wanted.contains(atom.blob) {
        guard keeper.commitDrop(atom.blob, copies: Self.copies) else { continue }
        try library.blobs.remove(atom.blob)
        freed += atom.byteCount
      }
      return freed
    }
  }

  /// Who promises to keep which of `blobs`.
  private func promises(
    _ blobs: [BlobID], of model: ModelID, _ places: [Int]
  ) async -> [(peer: PeerID, blobs: [BlobID])] {
    let asked = await lanes.open(searches[model] ?? HolderSearch(), model, places)
    defer { for lane in asked.lanes { lane.close() } }
    return await withTaskGroup(of: (PeerID, [Bool]?).self) { group in
      for lane in asked.lanes {
        group.addTask { (lane.peer, try? await lane.promised(blobs)) }
      }
      var kept: [(peer: PeerID, blobs: [BlobID])] = []
      for await (peer, answers) in group {
        guard let answers else { continue }
        kept.append((peer, zip(blobs, answers).filter(\.1).map(\.0)))
      }
      return kept
    }
  }

  // MARK: Leaving

  /// Waits until others hold all that is here, as often as the mesh keeps copies or as there are
  /// others, or until that makes no headway.
  ///
  /// - Parameter progress: told how many atoms still wait, and of how many.
  /// - Returns: atoms that stay without.
  func handOver(progress: @Sendable (_ left: Int, _ total: Int) -> Void) async -> Int {
    var waiting: [(model: ModelID, manifest: ModelManifest, atoms: [AtomEntry])] = []
    for offer in offers {
      guard let manifest = try? await manifest(offer.model),
        let atoms = try? await held(manifest)
      else { continue }
      waiting.append((offer.model, manifest, atoms))
    }
    let total = waiting.reduce(0) { $0 + $1.atoms.count }
    var (left, since) = (total, clock.now())
    while left > 0 {
      let wanted = min(Self.copies, await othersWhoStore())
      guard wanted > 0 else { break }
      for index in waiting.indices {
        let (model, manifest, atoms) = waiting[index]
        waiting[index].atoms = await unplaced(atoms, of: model, manifest, copies: wanted)
      }
      let now = waiting.reduce(0) { $0 + $1.atoms.count }
      progress(now, total)
      if now < left { (left, since) = (now, clock.now()) }
      guard left > 0, clock.now() - since < Limits.handOverPatience else { break }
      do { try await clock.sleep(until: clock.now() + Limits.handOverPause) } catch { break }
    }
    return left
  }

  private func unplaced(
    _ atoms: [AtomEntry], of model: ModelID, _ manifest: ModelManifest, copies: Int
  ) async -> [AtomEntry] {
    var counts: [BlobID: Int] = [:]
    for turn in turns(atoms) {
      let places = places(Array(turn), in: manifest)
      for (_, blobs) in await promises(turn.map(\.blob), of: model, places) {
        for blob in blobs { counts[blob, default: 0] += 1 }
      }
    }
    return atoms.filter { counts[$0.blob, default: 0] < copies }
  }

  private func othersWhoStore() async -> Int {
    var count = 0
    for peer in await membership.livePeers() {
      if await membership.record(of: peer)?.services.contains(.storage) == true { count += 1 }
    }
    return count
  }
}
