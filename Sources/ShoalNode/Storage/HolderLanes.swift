// Opens shard streams to peers that should hold atoms.

internal import ShoalProtocol

struct HolderLanes: Sendable {
  let library: ModelLibrary
  let membership: Membership
  let door: StreamDoor
  let clock: any MeshClock
  let threads: any ThreadSource

  /// Lanes to those whom `search` names, dialled at once. Whom this peer suspects is not waited
  /// for.
  ///
  /// - Parameter places: of the atoms in the manifest of `model`; none for other blobs.
  func open(
    _ search: HolderSearch, _ model: ModelID?, _ places: [Int],
    without distrusted: Set<PeerID> = []
  ) async -> ShardFetch {
    let live = Set(await membership.livePeers()).subtracting(distrusted)
    let suspected = live.intersection(await membership.suspectedHere())
    var records: [PeerID: CapabilityRecord] = [:]
    for peer in live.subtracting(suspected) { records[peer] = await membership.record(of: peer) }
    let known = records.values.sorted { $0.peer < $1.peer }
    let asked = search.peers(for: places, of: model ?? ModelID(.zero), among: known)
    return await withTaskGroup(of: FetchLane?.self) { group in
      for record in asked.compactMap({ records[$0] }) {
        group.addTask { await self.open(record) }
      }
      var lanes: [FetchLane] = []
      var unreachable = suspected.count
      for await lane in group { if let lane { lanes.append(lane) } else { unreachable += 1 } }
      return ShardFetch(lanes: lanes, unreachable: unreachable)
    }
  }

  /// A lane to one peer; nil, and membership is told, where it does not answer.
  func open(_ record: CapabilityRecord) async -> FetchLane? {
    do {
      let link = try await door.dial(record, .shard, within: Limits.rankDial)
      return FetchLane(
        thread: threads.thread(name: "fetch"), link: link, blobs: library.blobs, clock: clock)
    } catch {
      await membership.reportUnreachable(record.peer)
      return nil
    }
  }
}
