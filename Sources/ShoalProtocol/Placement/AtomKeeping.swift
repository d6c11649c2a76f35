// What stays on a disk and what may go: no copy is dropped before as many others as the mesh keeps
// have promised to stay.

extension Limits {
  /// How long a promise binds whoever gave it. Much longer than a drop may take, so that it still
  /// holds when the drop is done, on any clock.
  public static let promiseLife = Duration.seconds(60)
  /// From the first question to the drop.
  public static let dropRound = Duration.seconds(15)
  /// Members of the mesh, and what is to be where, have not changed for so long before anything is
  /// dropped: whoever has only just gone may be back, and its copies with it.
  public static let dropCalm = Duration.seconds(10)
}

/// One peer's promises, leases and drops.
///
/// Two peers that could each spare a copy must not rely on each other. So a promise binds: whoever
/// gave one drops nothing of it for `Limits.promiseLife`, and whoever is about to drop a copy
/// promises nothing. At each drop as many others as there are to be copies hold the blob and are
/// bound, whatever they think of who should hold it.
public struct AtomKeeping: Sendable {
  private struct Drop: Sendable {
    let begun: Moment
    var keepers: Set<PeerID> = []
    /// It is being removed: nothing calls it off.
    var isGoing = false
  }

  /// How many running jobs use a blob.
  private var leases: [BlobID: Int] = [:]
  /// Until when this peer is bound.
  private var promises: [BlobID: Moment] = [:]
  private var drops: [BlobID: Drop] = [:]

  public init() {}

  // MARK: Jobs

  /// A job needs these; drops of them that have not come to the removal are called off.
  public mutating func lease(_ blobs: some Sequence<BlobID>) {
    for blob in blobs {
      leases[blob, default: 0] += 1
      if drops[blob]?.isGoing == false { drops[blob] = nil }
    }
  }

  public mutating func release(_ blobs: some Sequence<BlobID>) {
    for blob in blobs {
      guard let count = leases[blob] else { continue }
      leases[blob] = count > 1 ? count - 1 : nil
    }
  }

  // MARK: Others

  /// Binds this peer to keep those of `held`, which are on its disk, that it is not about to drop.
  /// One answer for each.
  public mutating func promise(_ held: [BlobID], at now: Moment) -> [Bool] {
    promises = promises.filter { $0.value > now }
    return held.map { blob in
      guard drops[blob] == nil else { return false }
      promises[blob] = now + Limits.promiseLife
      return true
    }
  }

  // MARK: Drops

  /// Those of `blobs` that others may be asked to keep, so that this peer can drop them.
  public mutating func beginDrop(_ blobs: [BlobID], at now: Moment) -> [BlobID] {
    let free = blobs.filter { blob in
      leases[blob] == nil && drops[blob] == nil && promises[blob].map { $0 <= now } ?? true
    }
    for blob in free { drops[blob] = Drop(begun: now) }
    return free
  }

  /// `keeper` has promised to keep these.
  public mutating func promised(_ blobs: [BlobID], by keeper: PeerID) {
    for blob in blobs { drops[blob]?.keepers.insert(keeper) }
  }

  /// Whether a blob may go now. True binds the caller to remove it and to call `endDrop`.
  public mutating func commitDrop(_ blob: BlobID, copies: Int, at now: Moment) -> Bool {
    guard let drop = drops[blob], drop.keepers.count >= copies,
      now - drop.begun < Limits.dropRound
    else { return false }
    drops[blob]?.isGoing = true
    return true
  }

  /// The drops of these are done, or given up.
  public mutating func endDrop(_ blobs: [BlobID]) {
    for blob in blobs { drops[blob] = nil }
  }
}

/// How much must go for what is to be on a disk to fit.
public struct DiskBudget: Sendable, Hashable {
  /// What the store may fill.
  public let budget: UInt64
  /// What it fills now.
  public let held: UInt64
  /// What is still to come.
  public let incoming: UInt64
  /// What the disk itself has left.
  public let free: UInt64

  public init(budget: UInt64, held: UInt64, incoming: UInt64, free: UInt64) {
    (self.budget, self.held, self.incoming, self.free) = (budget, held, incoming, free)
  }

  public var excess: UInt64 {
    let wanted = Saturating.sum(held, incoming)
    let overBudget = wanted - min(wanted, budget)
    return max(overBudget, incoming - min(incoming, free))
  }
}
