// Who stores what: every atom at R peers, in different failure domains where there are any, within
// small sets of buddies. A pure function, so that nobody has to ask where an atom lies.

/// A peer that stores atoms for the mesh.
public struct StorageCapacity: Hashable, Sendable {
  public let peer: PeerID
  public let bytes: ByteCount
  /// Peers of one domain fail together.
  public let failureDomain: UInt64

  public init(peer: PeerID, bytes: ByteCount, failureDomain: UInt64) {
    self.peer = peer
    self.bytes = bytes
    self.failureDomain = failureDomain
  }

  public init(_ capacity: DeviceCapacity) {
    self.init(
      peer: capacity.peer, bytes: capacity.storage, failureDomain: capacity.failureDomain)
  }
}

public enum StorageError: Error, Hashable, Sendable {
  case tooManyPeers(limit: Int, announced: Int)
  case tooManyAtoms(limit: Int, announced: Int)
  case peerTwice(PeerID)
  /// `atom` found no room for its first copy.
  case noRoom(atom: Int, size: ByteCount, needed: ByteCount, available: ByteCount)
}

public struct StoragePlan: Hashable, Sendable {
  /// Peers that offered storage, ascending.
  public let peers: [PeerID]
  /// For each peer the atoms it stores, ascending.
  public let atoms: [[Int]]
  /// For each atom its holders, by place in `peers`; the first found first.
  public let holders: [[Int]]
  /// Atoms with fewer than `copies`: too few peers, or no room.
  public let short: [Int]

  /// A double failure loses an atom only if both peers share one; with random scatter nearly every
  /// pair of peers does (Cidon et al., "Copysets", USENIX ATC 2013). So the further copies of all
  /// that a peer holds lie with this many others.
  public static let buddies = 4

  /// `sizes` are the atoms' bytes in the order of the manifest of `model`.
  public init(
    model: ModelID, sizes: [UInt64], over capacities: [StorageCapacity], copies: Int = 2
  ) throws(StorageError) {
    guard capacities.count <= Limits.peers else {
      throw .tooManyPeers(limit: Limits.peers, announced: capacities.count)
    }
    guard sizes.count <= Limits.storedAtoms else {
      throw .tooManyAtoms(limit: Limits.storedAtoms, announced: sizes.count)
    }
    let sorted = capacities.sorted { $0.peer < $1.peer }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.peer == next.peer {
      throw .peerTwice(one.peer)
    }
    let wanted = max(1, min(copies, sorted.count))
    var dealer = StorageDealer(model: model, sizes: sizes, peers: sorted, copies: wanted)
    try dealer.dealFirstCopies()
    for _ in stride(from: 1, to: wanted, by: 1) { dealer.dealFurtherCopies() }
    peers = sorted.map(\.peer)
    holders = dealer.holders
    short = holders.indices.filter { dealer.holders[$0].count < copies }
    var atoms = [[Int]](repeating: [], count: sorted.count)
    for (atom, places) in dealer.holders.enumerated() {
      for place in places { atoms[place].append(atom) }
    }
    self.atoms = atoms
  }
}
