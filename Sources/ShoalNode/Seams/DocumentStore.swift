// The seam to small named files of one peer: its identity, its settings, its registry.

/// Documents that are replaced whole, never half. Calls block on the disk.
public protocol DocumentStore: Sendable {
  /// Nil where there is none.
  func read(_ name: String) throws -> [UInt8]?
  /// `isSecret` keeps other users of the machine from reading it.
  func write(_ name: String, _ bytes: [UInt8], isSecret: Bool) throws
  /// No effect where there is none.
  func remove(_ name: String) throws
}
