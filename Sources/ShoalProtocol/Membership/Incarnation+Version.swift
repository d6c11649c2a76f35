// How the number that orders claims about a peer is made up: a signed part and a part for denials.

/// SWIM (section 4.2) lets a peer deny a suspicion by raising its incarnation. Here the upper 48
/// bits are the version of the peer's signed record, and the lower 16 count denials since. So a
/// denial needs no new record (views and plans stay as they are), while nobody but the peer itself
/// can move the upper part: a claim beyond the signed version is heard only with the record.
extension Incarnation {
  /// Versions are below this: milliseconds since 1970 fit until the year 10889.
  public static let versionBound: UInt64 = 1 << 48

  /// `version` must be below `versionBound`.
  public init(version: UInt64, denials: UInt16 = 0) {
    precondition(version < Self.versionBound, "version \(version)")
    self.init(version << 16 | UInt64(denials))
  }

  public var version: UInt64 { value >> 16 }
  public var denials: UInt16 { UInt16(truncatingIfNeeded: value) }
}
