// The seam to the logs of the ledger on disk (docs/decisions/0073-logs-of-authors.md).

public import ShoalLedger

/// Keeps entries of logs, and proofs that logs fork. Calls block on the disk; what was given is
/// durable when they return. Several processes of one machine may use one store.
public protocol LogStore: Sendable {
  /// Everything that is kept: entries by log, in order, and forks.
  func load() throws -> LogContents

  /// Adds entries, each at the end of its log. One that is there already has no effect.
  func append(_ entries: [SignedLogEntry]) throws

  /// Adds a proof and forgets the entries from its place on.
  func add(_ proof: ForkProof) throws
}

public struct LogContents: Sendable {
  public var entries: [SignedLogEntry]
  public var forks: [ForkProof]

  public init(entries: [SignedLogEntry] = [], forks: [ForkProof] = []) {
    (self.entries, self.forks) = (entries, forks)
  }
}
