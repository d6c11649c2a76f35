// Which peers may take part at all, and why the others may not.

/// The peers that a plan may use, ascending, and those it may not.
package struct Entrants: Sendable {
  /// Fastest first, then ascending by peer.
  package private(set) var candidates: [Candidate] = []
  package private(set) var excluded: [ExcludedPeer] = []
  /// Of every candidate and of everybody excluded for memory, ascending by peer.
  package private(set) var available: [AvailableMemory] = []

  package init(
    _ request: PlanRequest, _ work: StageWork, _ capacities: [DeviceCapacity]
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
      if let reason = Entrants.reason(against: capacity, request, work, memory: memory) {
        excluded.append(ExcludedPeer(peer: capacity.peer, reason: reason))
        guard case .noMemory = reason else { continue }
      } else {
        candidates.append(
          Candidate(
            peer: capacity.peer,
            rate: min(1 << 50, capacity.decodeBytesPerSecond[request.shape.precision]),
            room: memory - work.fixedBytes, linkBytesPerSecond: capacity.linkBytesPerSecond,
            synchronisationNanoseconds: capacity.synchronisationNanoseconds,
            clique: capacity.clique, outsideNanoseconds: capacity.outsideNanoseconds,
            outsideBytesPerSecond: min(
              capacity.outsideBytesPerSecond, capacity.linkBytesPerSecond)))
      }
      available.append(AvailableMemory(peer: capacity.peer, available: ByteCount(memory)))
    }
    candidates.sort { ($0.rate, $1.peer) > ($1.rate, $0.peer) }
  }

  /// What a plan may fill: 80 % of what the peer offers.
  private static func offered(_ capacity: DeviceCapacity) -> UInt64 {
    Saturating.ratio(
      capacity.usableMemory.bytes, times: PlacementPlanner.memoryPerMille, over: 1_000
    ).quotient
  }

  private static func reason(
    against capacity: DeviceCapacity, _ request: PlanRequest, _ work: StageWork, memory: UInt64
  ) -> ExclusionReason? {
    if !capacity.isWilling { return .notWilling }
    if request.distrusted.contains(capacity.peer) { return .distrusted }
    if capacity.numerics != request.shape.numerics {
      return .numerics(has: capacity.numerics, needs: request.shape.numerics)
    }
    if capacity.decodeBytesPerSecond[request.shape.precision] == 0 {
      return .lacksPrecision(request.shape.precision)
    }
    if memory < work.leastBytes {
      return .noMemory(needed: ByteCount(work.leastBytes), available: ByteCount(memory))
    }
    return nil
  }
}
