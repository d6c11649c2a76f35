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
    let extent = try unsafe LogitExtent(logits, firstToken: firstToken, kernels: kernels)
    var best = BestCandidates()
    best.reset(keeping: limit)
    unsafe best.take(logits, firstToken: firstToken)
    self.init(
      candidates: best.candidates, maximum: extent.maximum,
      sumOfExponentials: extent.sumOfExponentials)
  }
}

/// The two numbers of a summary that need no memory.
public struct LogitExtent: Hashable, Sendable {
  /// The largest logit; -infinity where all are masked, or there are none.
  public let maximum: Float
  /// The sum of e^(logit - maximum); 0 where all are masked.
  public let sumOfExponentials: Float

  /// Of `logits`, whose first is that of `firstToken`. NaN and +infinity end the job.
  public init(
    _ logits: UnsafeBufferPointer<Float>, firstToken: Int, kernels: Kernels
  ) throws(NumericsError) {
    guard let start = logits.baseAddress, !logits.isEmpty else {
      (maximum, sumOfExponentials) = (-.infinity, 0)
      return
    }
    maximum = unsafe kernels.maximum(start, logits.count)
    guard maximum < .infinity else {
      let index = unsafe logits.firstIndex { !($0 < .infinity) }
      throw .notFinite(index: firstToken + (index ?? 0))
    }
    sumOfExponentials =
      maximum > -.infinity
      ? unsafe kernels.sumOfExponentials(start, origin: maximum, logits.count) : 0
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
