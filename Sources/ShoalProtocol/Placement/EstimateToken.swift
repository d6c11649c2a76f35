// What a token costs: reading the weights, meeting after each sum, and passing from stage to stage.

extension TokenEstimate {
  /// The stages one after the other, and what is handed over between them.
  package init(_ stages: [FormationStage]) {
    var (compute, synchronisation, handover, slowest) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    for (number, stage) in stages.enumerated() {
      let own = stage.time
      var hop: UInt64 = 0
      if number + 1 < stages.count {
        let next = stages[number + 1]
        hop = TokenEstimate.handover(
          from: stage.working, to: next.working, bytes: next.work.handoverBytes)
      }
      compute = Saturating.sum(compute, own.compute)
      synchronisation = Saturating.sum(synchronisation, own.synchronisation)
      handover = Saturating.sum(handover, hop)
      slowest = max(
        slowest, Saturating.sum(Saturating.sum(own.compute, own.synchronisation), hop))
    }
    self.init(
      computeNanoseconds: compute, synchronisationNanoseconds: synchronisation,
      handoverNanoseconds: handover, slowestStageNanoseconds: slowest)
  }

  /// What a stage takes for a token by itself. A barrier follows attention, feed-forward and
  /// vocabulary alike, so each of them takes as long as its slowest rank:
  /// `sum over kinds of max over ranks (slots * bytes / rate) + synchronisations * round`.
  package static func stage(
    _ work: StageWork, _ shares: StageShares, among candidates: [Candidate]
  ) -> (compute: UInt64, synchronisation: UInt64) {
    if candidates.count == 1 { return (reading(work.totalReadBytes, at: candidates[0].rate), 0) }
    var compute: UInt64 = 0
    for kind in SlotKind.allCases {
      let slot = work.kinds[kind]
      let slowest = candidates.indices.map { index in
        let bytes = min(
          slot.totalReadBytes, slot.readBytes(slots: shares.counts[kind][index]))
        return reading(bytes, at: candidates[index].rate)
      }.max()
      compute = Saturating.sum(compute, slowest ?? 0)
    }
    let common = candidates.map { reading(work.commonReadBytes, at: $0.rate) }
    let ranks = candidates.indices.lazy.filter { shares.hasWork($0) }.map { candidates[$0] }
    return (
      Saturating.sum(compute, common.max() ?? 0),
      Saturating.product(
        work.synchronisations, round(Array(ranks), partialBytes: work.partialBytes))
    )
  }

  /// One all-reduce among ranks. The slowest link and the slowest waiter set the pace; where ranks
  /// are of several cliques, those are the ways between cliques.
  package static func round(_ ranks: [Candidate], partialBytes: UInt64) -> UInt64 {
    let isOutside = ranks.contains { $0.clique != ranks[0].clique }
    return round(
      ranks.count, wait: ranks.map { $0.wait(outside: isOutside) }.max() ?? 0,
      link: ranks.map { $0.link(outside: isOutside) }.min() ?? 0, partialBytes: partialBytes)
  }

  /// Every rank sends its partial to every other: one wait, n-1 partials.
  static func round(_ count: Int, wait: UInt64, link: UInt64, partialBytes: UInt64) -> UInt64 {
    guard count > 1 else { return 0 }
    return Saturating.sum(
      wait, reading(Saturating.product(partialBytes, UInt64(count - 1)), at: link))
  }

  /// One hidden state from a stage to the next: each column crosses once. Inside a clique its parts
  /// go over links of their own; the way out of a clique is one for all.
  static func handover(
    from senders: [Candidate], to receivers: [Candidate], bytes: UInt64
  ) -> UInt64 {
    let ranks = senders + receivers
    let isOutside = ranks.contains { $0.clique != ranks[0].clique }
    let wait = ranks.map { $0.wait(outside: isOutside) }.max() ?? 0
    let link = ranks.map { $0.link(outside: isOutside) }.min() ?? 0
    let share = isOutside ? bytes : bytes / UInt64(max(1, receivers.count))
    return Saturating.sum(wait, reading(share, at: link))
  }

  /// Nanoseconds to move `bytes`, rounded down; for ever at a rate of zero.
  static func reading(_ bytes: UInt64, at rate: UInt64) -> UInt64 {
    Saturating.ratio(bytes, times: 1_000_000_000, over: rate).quotient
  }
}
