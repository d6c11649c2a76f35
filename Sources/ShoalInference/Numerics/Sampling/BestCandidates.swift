// The best few of many logits, kept in memory that is taken once.

/// Gathers the best candidates of slices of logits that come one after the other.
public struct BestCandidates: Sendable {
  /// In order: the higher logit first, the lower token among equals.
  public private(set) var candidates: [Candidate] = []
  private var limit = 0
  /// What a logit must exceed: that of the worst kept, once the list is full.
  private var threshold = -Float.infinity

  public init() {}

  /// Forgets all. Memory is taken where `limit` is larger than ever before.
  public mutating func reset(keeping limit: Int) {
    candidates.removeAll(keepingCapacity: true)
    candidates.reserveCapacity(limit + 1)
    self.limit = limit
    threshold = limit > 0 ? -.infinity : .infinity
  }

  /// Takes in logits, whose first is that of `firstToken`. Slices come with ascending tokens, so
  /// that an equal logit never displaces an earlier one. -infinity and NaN are no candidates.
  public mutating func take(_ logits: UnsafeBufferPointer<Float>, firstToken: Int) {
    for index in logits.indices where unsafe logits[index] > threshold {
      insert(unsafe Candidate(token: firstToken + index, logit: logits[index]))
    }
  }

  private mutating func insert(_ candidate: Candidate) {
    var (low, high) = (0, candidates.count)
    while low < high {
      let middle = (low + high) / 2
      if candidates[middle].logit >= candidate.logit { low = middle + 1 } else { high = middle }
    }
    candidates.insert(candidate, at: low)
    if candidates.count > limit { candidates.removeLast() }
    if candidates.count == limit { threshold = candidates[limit - 1].logit }
  }
}
