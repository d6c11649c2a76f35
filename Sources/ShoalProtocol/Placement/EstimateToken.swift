// What a token costs: reading the weights, and meeting after each sum.

extension TokenEstimate {
  /// One peer alone: it reads everything and waits for nobody.
  package init(_ work: StageWork, alone candidate: Candidate) {
    computeNanoseconds = TokenEstimate.reading(work.totalReadBytes, at: candidate.rate)
    synchronisationNanoseconds = 0
  }

  /// A barrier follows attention, feed-forward and vocabulary alike, so each of them takes as long
  /// as its slowest rank:
  /// `sum over kinds of max over ranks (slots * bytes / rate) + synchronisations * round`.
  package init(_ work: StageWork, _ shares: StageShares, among candidates: [Candidate]) {
    var compute: UInt64 = 0
    for kind in SlotKind.allCases {
      let slot = work.kinds[kind]
      let slowest = candidates.indices.map { index in
        let bytes = min(
          slot.totalReadBytes, slot.readBytes(slots: shares.counts[kind][index]))
        return TokenEstimate.reading(bytes, at: candidates[index].rate)
      }.max()
      compute = Saturating.sum(compute, slowest ?? 0)
    }
    let common = candidates.map { TokenEstimate.reading(work.commonReadBytes, at: $0.rate) }
    computeNanoseconds = Saturating.sum(compute, common.max() ?? 0)
    let ranks = candidates.indices.lazy.filter { shares.hasWork($0) }.map { candidates[$0] }
    synchronisationNanoseconds = Saturating.product(
      work.synchronisations, TokenEstimate.round(Array(ranks), partialBytes: work.partialBytes))
  }

  /// One all-reduce by the cheaper of two collectives: every rank sends its partial to every other
  /// (one wait, n-1 partials), or reduce-scatter and all-gather (two waits, 2(n-1)/n partials;
  /// Thakur, Rabenseifner, Gropp, 2005). The slowest link and the slowest waiter set the pace.
  package static func round(_ ranks: [Candidate], partialBytes: UInt64) -> UInt64 {
    guard ranks.count > 1 else { return 0 }
    let wait = ranks.map(\.synchronisationNanoseconds).max() ?? 0
    let link = ranks.map(\.linkBytesPerSecond).min() ?? 0
    let others = UInt64(ranks.count - 1)
    let direct = Saturating.sum(
      wait, reading(Saturating.product(partialBytes, others), at: link))
    let twoStep = Saturating.sum(
      Saturating.product(wait, 2),
      reading(Saturating.product(partialBytes, 2 * others) / UInt64(ranks.count), at: link))
    return min(direct, twoStep)
  }

  /// Nanoseconds to move `bytes`, rounded down; for ever at a rate of zero.
  private static func reading(_ bytes: UInt64, at rate: UInt64) -> UInt64 {
    Saturating.ratio(bytes, times: 1_000_000_000, over: rate).quotient
  }
}
