// Deals copies of atoms to peers within their bytes: first copies by quota rendezvous, further ones
// to the buddies of whoever has the first.

struct StorageDealer {
  private(set) var holders: [[Int]]
  private let sizes: [UInt64]
  private let peers: [StorageCapacity]
  private let copies: UInt64
  private let atomSeeds: [UInt64]
  private let peerSeeds: [UInt64]
  private let weights: [UInt64]
  /// What each should hold of all copies, and what it holds.
  private let targets: [UInt64]
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
    let total = sizes.reduce(0, Saturating.sum)
    // Nobody needs room for more than one copy of everything. In MiB weights stay below 2^32.
    let caps = peers.map { min($0.bytes.bytes, total) }
    weights = peers.map { max(1, min($0.bytes.bytes >> 20, 1 << 32)) }
    targets =
      Apportionment.largestRemainder(
        Saturating.product(total, self.copies), weights: weights, caps: caps) ?? caps
    heaviest = sizes.max() ?? 0
    held = [UInt64](repeating: 0, count: peers.count)
    holders = [[Int]](repeating: [], count: sizes.count)
  }

  /// The stable matching of atoms and peers under byte quotas, the strongest pair first; both sides
  /// rank by the same score. Then what is left over goes wherever there is room.
  mutating func dealFirstCopies() throws(StorageError) {
    let quotas = targets.map { Saturating.sum($0 / copies, heaviest) }
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

  /// One more copy of each atom where one can be had: at a buddy within its target, at a buddy with
  /// room, at a peer of another domain, at any other peer.
  mutating func dealFurtherCopies() {
    let buddies = peers.indices.map { self.buddies(of: $0) }
    let limits = peers.map(\.bytes.bytes)
    let soft = targets.map { Saturating.sum($0, heaviest) }
    for atom in sizes.indices {
      guard let first = holders[atom].first else { continue }
      let near = ranked(buddies[first], for: atom)
      if give(atom, toFirstOf: near, within: soft) { continue }
      if give(atom, toFirstOf: near, within: limits) { continue }
      let all = ranked(peers.indices, for: atom)
      let domains = Set(holders[atom].map { peers[$0].failureDomain })
      let apart = all.filter { !domains.contains(peers[$0].failureDomain) }
      if give(atom, toFirstOf: apart, within: limits) { continue }
      _ = give(atom, toFirstOf: all, within: limits)
    }
  }

  /// The peers that hold the further copies of what `place` holds: of other domains, each domain
  /// once before any twice; of its own domain only where there is no other.
  private func buddies(of place: Int) -> [Int] {
    let others = peers.indices.filter { $0 != place }
    let apart = others.filter { peers[$0].failureDomain != peers[place].failureDomain }
    let scored = (apart.isEmpty ? others : apart).map { other in
      (
        score: RendezvousScore.of(
          slot: peerSeeds[place], peer: peerSeeds[other], weight: weights[other]), place: other
      )
    }
    var seen: [UInt64: Int] = [:]
    let rounds = scored.sorted { ($0.score, $0.place) < ($1.score, $1.place) }.map { pair in
      let round = seen[peers[pair.place].failureDomain, default: 0]
      seen[peers[pair.place].failureDomain] = round + 1
      return (round: round, score: pair.score, place: pair.place)
    }
    return rounds.sorted { ($0.round, $0.score, $0.place) < ($1.round, $1.score, $1.place) }
      .prefix(StoragePlan.buddies).map(\.place)
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
