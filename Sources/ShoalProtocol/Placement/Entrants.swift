// Which peers may take part at all, and why the others may not.

/// The peers that a plan may use, ascending, and those it may not.
package struct Entrants: Sendable {
  /// Fastest first, then ascending by peer.
  package private(set) var candidates: [Candidate] = []
  package private(set) var excluded: [ExcludedPeer] = []
  /// Of every candidate and of everybody excluded for memory, ascending by peer.
  package private(set) var available: [AvailableMemory] = []

  package init(
    _ request: PlanRequest, _ ladder: PrecisionLadder, _ capacities: [DeviceCapacity],
    levels: [PeerID: Int]
  ) throws(PlanError) {
    guard capacities.count <= Limits.peers else {
      throw .tooManyPeers(limit: Limits.peers, announced: capacities.count)
    }
    let sorted = capacities.sorted { $0.peer < $1.peer }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.peer == next.peer {
      throw .peerTwice(one.peer)
    }
    for capacity in sorted {
      let memory = Entrants.offered(capacity)
      let rung = levels[capacity.peer] ?? 0
      let held = ladder.rungs[rung]
      if let reason = Entrants.reason(against: capacity, request, held, memory: memory) {
        excluded.append(ExcludedPeer(peer: capacity.peer, reason: reason))
        guard case .noMemory = reason else { continue }
      } else {
        candidates.append(
          Candidate(
            peer: capacity.peer, rung: rung,
            rate: min(
              1 << 50,
              rung == 0
                ? capacity.decodeBytesPerSecond[request.shape.precision]
                : max(
                  1,
                  held.storedRate(
                    capacity.decodeBytesPerSecond[held.shape.precision], ladder.stored))),
            room: rung == 0
              ? memory - held.work.fixedBytes : held.storedRoom(memory - held.work.fixedBytes),
            linkBytesPerSecond: capacity.linkBytesPerSecond,
            synchronisationNanoseconds: capacity.synchronisationNanoseconds,
            clique: capacity.clique, outsideNanoseconds: capacity.outsideNanoseconds,
            outsideBytesPerSecond: min(
              capacity.outsideBytesPerSecond, capacity.linkBytesPerSecond)))
      }
      available.append(AvailableMemory(peer: capacity.peer, available: ByteCount(memory)))
    }
    candidates.sort { ($0.rate, $1.peer) > ($1.rate, $0.peer) }
  }

  /// What all of them may hold together, in bytes of the stored precision.
  var room: UInt64 { candidates.reduce(0) { Saturating.sum($0, $1.room) } }

  /// What a plan may fill: 80 % of what the peer offers.
  static func offered(_ capacity: DeviceCapacity) -> UInt64 {
    Saturating.ratio(
      capacity.usableMemory.bytes, times: PlacementPlanner.memoryPerMille, over: 1_000
    ).quotient
  }

  private static func reason(
    against capacity: DeviceCapacity, _ request: PlanRequest, _ held: PrecisionLadder.Rung,
    memory: UInt64
  ) -> ExclusionReason? {
    if !capacity.isWilling { return .notWilling }
    if request.distrusted.contains(capacity.peer) { return .distrusted }
    if capacity.numerics != request.shape.numerics {
      return .numerics(has: capacity.numerics, needs: request.shape.numerics)
    }
    if capacity.decodeBytesPerSecond[held.shape.precision] == 0 {
      return .lacksPrecision(held.shape.precision)
    }
    if memory < held.work.leastBytes {
      return .noMemory(needed: ByteCount(held.work.leastBytes), available: ByteCount(memory))
    }
    return nil
  }
}
