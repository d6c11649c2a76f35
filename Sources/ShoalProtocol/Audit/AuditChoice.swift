// What a rank recomputes of the others' work, and in which step: decided by chance of its own, so
// that nobody can know beforehand.

/// One rank's part of the feed-forward sum of one layer.
public struct AuditTarget: Hashable, Sendable {
  /// Its place in the stage.
  public let rank: Int
  public let layer: Int

  public init(rank: Int, layer: Int) {
    self.rank = rank
    self.layer = layer
  }
}

/// One after the other, so that an auditor opens the atoms of one target at a time. A rank that is
/// new here comes first, in every step; after that one step of `interval` is audited.
public struct AuditChoice: Sendable {
  private struct Candidate {
    let rank: Int
    /// In the order in which they come; each once before any comes again.
    var layers: [Int]
    var next = 0
    /// Audits until it is not new any more.
    var left: Int
  }

  private let interval: Int
  private var candidates: [Candidate] = []

  /// - Parameter interval: at least 1.
  public init(interval: Int) {
    precondition(interval > 0)
    self.interval = interval
  }

  /// - Parameters:
  ///   - layers: those whose atoms can be opened here.
  ///   - left: audits until it is not new any more.
  public mutating func add(
    rank: Int, layers: [Int], left: Int, using generator: inout some RandomNumberGenerator
  ) {
    guard !layers.isEmpty else { return }
    candidates.append(
      Candidate(rank: rank, layers: layers.shuffled(using: &generator), left: left))
  }

  /// What is to be opened next; nil: nothing can be.
  public mutating func next(using generator: inout some RandomNumberGenerator) -> AuditTarget? {
    guard !candidates.isEmpty else { return nil }
    var index = Int.random(in: candidates.indices, using: &generator)
    for (place, candidate) in candidates.enumerated()
    where candidate.left > candidates[index].left { index = place }
    if candidates[index].next == candidates[index].layers.count {
      candidates[index].layers.shuffle(using: &generator)
      candidates[index].next = 0
    }
    defer { candidates[index].next += 1 }
    let candidate = candidates[index]
    return AuditTarget(rank: candidate.rank, layer: candidate.layers[candidate.next])
  }

  /// Whether the step that begins is audited.
  public func isDue(
    _ target: AuditTarget, using generator: inout some RandomNumberGenerator
  ) -> Bool {
    let isNew = candidates.contains { $0.rank == target.rank && $0.left > 0 }
    return isNew || Int.random(in: 0..<interval, using: &generator) == 0
  }

  /// What was recomputed is what that rank said.
  public mutating func passed(_ target: AuditTarget) {
    for index in candidates.indices
    where candidates[index].rank == target.rank && candidates[index].left > 0 {
      candidates[index].left -= 1
    }
  }

  /// Its atoms can be opened no longer.
  public mutating func lost(_ target: AuditTarget) {
    for index in candidates.indices where candidates[index].rank == target.rank {
      candidates[index].layers.removeAll { $0 == target.layer }
      candidates[index].next = 0
    }
    candidates.removeAll { $0.layers.isEmpty }
  }
}
