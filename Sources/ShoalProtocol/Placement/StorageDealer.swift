// Deals copies of atoms to peers within their bytes: the first by rendezvous, further ones to the
// buddies of whoever has the first, so that little moves when a peer comes or goes.

struct StorageDealer {
  private(set) var holders: [[Int]]
  private let sizes: [UInt64]
  private let peers: [StorageCapacity]
  private let copies: UInt64
  private let atomSeeds: [UInt64]
  private let peerSeeds: [UInt64]
  private let weights: [UInt64]
  private let heaviest: UInt64
  private var held: [UInt64]

  private struct Pair {
    let score: UInt64
    let atom: Int32
    let place: Int32
  }

  /// How many peers an atom asks before it counts as left over: enough that few are.
  private static let proposals = 16

  init(model: ModelID, sizes: [UInt64], peers: [StorageCapacity], copies: Int) {
    self.sizes = sizes
    self.peers = peers
    self.copies = UInt64(copies)
    let seed = RendezvousScore.seed(model)
    atomSeeds = sizes.indices.map { RendezvousScore.mixed(seed &+ UInt64($0)) }
    peerSeeds = peers.map { RendezvousScore.seed($0.peer) }
    // In MiB weights stay below 2^32.
    weights = peers.map { max(1, min($0.bytes.bytes >> 20, 1 << 32)) }
    heaviest = sizes.max() ?? 0
    held = [UInt64](repeating: 0, count: peers.count)
    holders = [[Int]](repeating: [], count: sizes.count)
  }

  /// Each atom to the peer that it ranks highest, so that a peer that comes takes its share and
  /// nothing else moves. Where a peer is full, both sides rank by the same score and the strongest
  /// pair comes first: the one stable matching. A peer's part for first copies is a matter of its
  /// own bytes alone; what is left over goes wherever there is room.
  mutating func dealFirstCopies() throws(StorageError) {
    let quotas = peers.map { Saturating.sum($0.bytes.bytes / copies, heaviest) }
    var pairs = sizes.indices.flatMap { atom in strongest(for: atom) }
    pairs.sort { ($0.score, $0.atom, $0.place) < ($1.score, $1.atom, $1.place) }
    for pair in pairs where holders[Int(pair.atom)].isEmpty {
      give(Int(pair.atom), to: Int(pair.place), within: quotas)
    }
    for atom in sizes.indices where holders[atom].isEmpty {
      let places = ranked(peers.indices, for: atom)
      for bound in [quotas, peers.map(\.bytes.bytes)] where holders[atom].isEmpty {
        for place in places where holders[atom].isEmpty { give(atom, to: place, within: bound) }
      }
      guard !holders[atom].isEmpty else {
        throw .noRoom(
          atom: atom, size: ByteCount(sizes[atom]),
          needed: ByteCount(sizes.reduce(0, Saturating.sum)),
          available: ByteCount(peers.map(\.bytes.bytes).reduce(0, Saturating.sum)))
      }
    }
  }

  /// One more copy of each atom where one can be had: at the buddy whose seat the atom has, at
  /// another buddy, at a peer of another domain, at any other peer.
  mutating func dealFurtherCopies() {
    // Of those who hold a first copy: of a thousand peers and a small model that is a few.
    var buddies = [[Int?]?](repeating: nil, count: peers.count)
    let limits = peers.map(\.bytes.bytes)
    let domainCount = Set(peers.map(\.failureDomain)).count
    for atom in sizes.indices {
      guard let first = holders[atom].first else { continue }
      let domains = Set(holders[atom].map { peers[$0].failureDomain })
      // The low half of the seed: the high half decided on the first copy.
      let seat = Int(atomSeeds[atom] & 0xFFFF) + holders[atom].count
      let seats = buddies[first] ?? (0..<StoragePlan.buddies).map { buddy(of: first, seat: $0) }
      buddies[first] = seats
      let near = seats.indices.compactMap { seats[(seat + $0) % seats.count] }
      let nearApart = near.filter { !domains.contains(peers[$0].failureDomain) }
      if give(atom, toFirstOf: nearApart, within: limits) { continue }
      if domainCount <= domains.count, give(atom, toFirstOf: near, within: limits) { continue }
      let all = ranked(peers.indices, for: atom)
      let apart = all.filter { !domains.contains(peers[$0].failureDomain) }
      if give(atom, toFirstOf: apart, within: limits) { continue }
      _ = give(atom, toFirstOf: all, within: limits)
    }
  }

  /// Who sits on one of a peer's seats: of another domain, or of any where there is no other. Each
  /// seat is a rendezvous of its own, so whoever comes takes some seats and leaves the rest alone.
  private func buddy(of place: Int, seat: Int) -> Int? {
    let slot = RendezvousScore.mixed(peerSeeds[place] &+ UInt64(seat))
    var best: (isNear: Bool, score: UInt64, place: Int)?
    for other in peers.indices where other != place {
      let isNear = peers[other].failureDomain == peers[place].failureDomain
      if isNear, best?.isNear == false { continue }
      let score = RendezvousScore.of(slot: slot, peer: peerSeeds[other], weight: weights[other])
      guard let present = best, !(present.isNear && !isNear), present.score <= score else {
        best = (isNear, score, other)
        continue
      }
    }
    return best?.place
  }

  private func score(_ atom: Int, _ place: Int) -> UInt64 {
    RendezvousScore.of(slot: atomSeeds[atom], peer: peerSeeds[place], weight: weights[place])
  }

  private func ranked(_ places: some Sequence<Int>, for atom: Int) -> [Int] {
    places.map { (score: score(atom, $0), place: $0) }
      .sorted { ($0.score, $0.place) < ($1.score, $1.place) }.map(\.place)
  }

  /// The strongest pairs of one atom, found in one pass.
  private func strongest(for atom: Int) -> [Pair] {
    var best: [Pair] = []
    best.reserveCapacity(StorageDealer.proposals + 1)
    for place in peers.indices {
      let pair = Pair(score: score(atom, place), atom: Int32(atom), place: Int32(place))
      if best.count == StorageDealer.proposals {
        guard pair.score < best[best.count - 1].score else { continue }
        best.removeLast()
      }
      let index = best.firstIndex { $0.score > pair.score } ?? best.count
      best.insert(pair, at: index)
    }
    return best
  }

  private mutating func give(
    _ atom: Int, toFirstOf places: [Int], within bounds: [UInt64]
  ) -> Bool {
    places.contains { give(atom, to: $0, within: bounds) }
  }

  @discardableResult
  private mutating func give(_ atom: Int, to place: Int, within bounds: [UInt64]) -> Bool {
    let bound = min(bounds[place], peers[place].bytes.bytes)
    let after = Saturating.sum(held[place], sizes[atom])
    guard after <= bound, !holders[atom].contains(place) else { return false }
    held[place] = after
    holders[atom].append(place)
    return true
  }
}
