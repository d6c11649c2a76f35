// The faults that a simulation can be asked for, by name.

/// One kind of trouble.
public enum FaultKind: String, CaseIterable, Hashable, Sendable {
  case loss
  case duplication
  case reordering
  /// One-way partitions, whole ones among them.
  case partition
  /// Links slower by up to 500 ms.
  case delay
  case bandwidth
  /// Clocks that began elsewhere and drift.
  case skew
  /// Peers slower by 10 to 100 times.
  case slow
  /// Peers that do nothing for up to 20 s, then go on as if nothing had been.
  case stall
  case crash
  /// Restarts with the disk of a while ago, or with a clock that went back.
  case rollback
  /// Flipped bits, on the wire and on disk.
  case flip
  /// Forged records and false claims about others.
  case lie
  /// A second process with the identity of a first.
  case twin
  case join
  case leave

  /// Everything that a mesh is to survive.
  public static let all = Set(allCases)
}
