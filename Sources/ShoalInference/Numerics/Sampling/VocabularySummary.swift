// What one block of the vocabulary has to say about the next token, and how blocks are combined.

/// A token that may come next, and its logit.
public struct Candidate: Hashable, Sendable {
  public let token: Int
  public let logit: Float
  public init(token: Int, logit: Float) { (self.token, self.logit) = (token, logit) }

  /// The higher logit first; the lower token among equals.
  @inline(__always)
  static func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
    left.logit > right.logit || (left.logit == right.logit && left.token < right.token)
  }
}

/// The logits of a numeric atom in brief (numerics, rule 10).
public struct VocabularySummary: Hashable, Sendable {
  /// The best, in order.
  public let candidates: [Candidate]
  /// The largest logit; -infinity where all are masked.
  public let maximum: Float
  /// The sum of e^(logit - maximum) over all tokens of the atom; 0 where all are masked.
  public let sumOfExponentials: Float

  /// From parts that a peer sent.
  public init(candidates: [Candidate], maximum: Float, sumOfExponentials: Float) {
    self.candidates = candidates
    self.maximum = maximum
    self.sumOfExponentials = sumOfExponentials
  }

  /// Keeps the best `limit` of `logits`, whose first is that of `firstToken`. A logit of -infinity
  /// is a masked token and never a candidate; NaN and +infinity end the job.
  public init(
    logits: UnsafeBufferPointer<Float>, firstToken: Int, keeping limit: Int, kernels: Kernels
  ) throws(NumericsError) {
    guard let start = logits.baseAddress, !logits.isEmpty else {
      self.init(candidates: [], maximum: -.infinity, sumOfExponentials: 0)
      return
    }
    let maximum = unsafe kernels.maximum(start, logits.count)
    guard maximum < .infinity else {
      let index = unsafe logits.firstIndex { !($0 < .infinity) }
      throw .notFinite(index: firstToken + (index ?? 0))
    }
    guard maximum > -.infinity else {
      self.init(candidates: [], maximum: -.infinity, sumOfExponentials: 0)
      return
    }
    self.init(
      candidates: unsafe VocabularySummary.best(limit, of: logits, firstToken: firstToken),
      maximum: maximum,
      sumOfExponentials: unsafe kernels.sumOfExponentials(start, origin: maximum, logits.count))
  }

  /// Ascending tokens, so that an equal logit never displaces an earlier one.
  private static func best(
    _ limit: Int, of logits: UnsafeBufferPointer<Float>, firstToken: Int
  ) -> [Candidate] {
    var best: [Candidate] = []
    guard limit > 0 else { return best }
    best.reserveCapacity(limit + 1)
    var threshold = -Float.infinity
    for index in logits.indices where unsafe logits[index] > threshold {
      let candidate = unsafe Candidate(token: firstToken + index, logit: logits[index])
      var (low, high) = (0, best.count)
      while low < high {
        let middle = (low + high) / 2
        if best[middle].logit >= candidate.logit { low = middle + 1 } else { high = middle }
      }
      best.insert(candidate, at: low)
      if best.count > limit { best.removeLast() }
      if best.count == limit { threshold = best[limit - 1].logit }
    }
    return best
  }
}

/// All atoms of the vocabulary combined: what a token is chosen from.
public struct VocabularyDistribution: Hashable, Sendable {
  /// The best of all atoms: the higher logit first, the lower token among equals.
  public let candidates: [Candidate]
  /// The largest logit.
  public let maximum: Float
  /// The sum of e^(logit - maximum) over the vocabulary.
  public let sumOfExponentials: Double

  /// Combines `summaries`, which are in the order of their atoms, and keeps the best `limit`.
  public init(_ summaries: [VocabularySummary], keeping limit: Int) {
    var (maximum, sum) = (-Float.infinity, 0.0)
    for summary in summaries where summary.maximum > -.infinity {
      let larger = max(maximum, summary.maximum)
      let carried = sum * Canon.exp(Double(maximum) - Double(larger))
      sum = carried.addingProduct(
        Double(summary.sumOfExponentials), Canon.exp(Double(summary.maximum) - Double(larger)))
      maximum = larger
    }
    self.maximum = maximum
    sumOfExponentials = sum
    let sorted = summaries.flatMap(\.candidates).sorted(by: Candidate.precedes)
    candidates = Array(sorted.prefix(limit))
  }

  /// The natural logarithm of the probability of a token with `logit`, at temperature 1.
  public func logProbability(ofLogit logit: Float) -> Double {
    (Double(logit) - Double(maximum)) - Canon.log(sumOfExponentials)
  }
}
