// How a story went over time, sampled: who ran, who agreed, who held what.

/// Twice a second of virtual time.
package struct Timeline: Sendable {
  package struct Sample: Sendable {
    /// Thousandths of the running peers that stand on the most common view.
    package let agreeingPerMille: Int
    package let running: Int
    /// Atoms without a live holder, with one, with more.
    package let atoms: (none: Int, one: Int, more: Int)
    /// By peer: thousandths of its assignment that are on its disk; nil: it does not run.
    package let held: [Int?]
  }

  package static let interval = 500
  package private(set) var samples: [Sample] = []
  /// When faults begin and end, in samples.
  package var churn = 0...0

  package init() {}

  package mutating func add(_ sample: Sample) { samples.append(sample) }
}
