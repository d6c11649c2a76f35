// How many slots of each kind every rank of a stage gets: by measured rate, within memory.

/// A peer that may take part in a stage.
package struct Candidate: Hashable, Sendable {
  package let peer: PeerID
  /// Of its atoms.
  package let rung: Int
  /// Bytes of the stored precision per second, from 1 to 2^50: at another, as many as stand for
  /// the same slots.
  package let rate: UInt64
  /// What it may hold beside the fixed bytes of a rank, in the same bytes.
  package let room: UInt64
  package let linkBytesPerSecond: UInt64
  package let synchronisationNanoseconds: UInt64
  package let clique: UInt64
  package let outsideNanoseconds: UInt64
  package let outsideBytesPerSecond: UInt64

  /// What meeting it costs in waiting, for those of its clique or of another.
  func wait(outside isOutside: Bool) -> UInt64 {
    isOutside
      ? Saturating.sum(synchronisationNanoseconds, outsideNanoseconds) : synchronisationNanoseconds
  }
  func link(outside isOutside: Bool) -> UInt64 {
    isOutside ? outsideBytesPerSecond : linkBytesPerSecond
  }
}

/// Slots per candidate, in the candidates' order.
package struct StageShares: Sendable {
  package var counts: PerKind<[UInt64]>

  /// Nil where the candidates cannot hold the stage. `isSpread` asks that everybody has at least
  /// one slot of each kind that there are enough of, and of some kind in any case.
  package init?(_ work: StageWork, among candidates: [Candidate], isSpread: Bool = false) {
    let none = [UInt64](repeating: 0, count: candidates.count)
    counts = PerKind(attention: none, feedForward: none, vocabulary: none)
    // What each should hold if slots could be cut at will: in proportion to its rate, up to its
    // room. Every kind is then dealt in these proportions: a barrier follows each, so nobody can
    // make up in one what it missed in another.
    guard
      let targets = Apportionment.largestRemainder(
        work.totalResidentBytes, weights: candidates.map(\.rate), caps: candidates.map(\.room))
    else { return nil }
    let weights = targets.map { max(1, $0) }
    var room = candidates.map(\.room)
    // Heavy slots first: the light ones fill the gaps.
    let kinds = SlotKind.allCases.sorted {
      (work.kinds[$0].residentBytes(slots: 1), $1.rawValue)
        > (work.kinds[$1].residentBytes(slots: 1), $0.rawValue)
    }
    for kind in kinds {
      let slot = work.kinds[kind]
      let caps = room.map { slot.slots(within: $0) }
      guard
        var dealt = Apportionment.largestRemainder(
          UInt64(slot.count), weights: weights, caps: caps)
      else { return nil }
      if isSpread {
        let isNeedy = candidates.indices.map { slot.count >= candidates.count || !hasWork($0) }
        StageShares.even(&dealt, caps: caps, isNeedy: isNeedy)
      }
      counts[kind] = dealt
      for index in room.indices { room[index] -= slot.residentBytes(slots: dealt[index]) }
    }
    if isSpread { shareWithIdle(work, room: room) }
  }

  package func hasWork(_ index: Int) -> Bool {
    SlotKind.allCases.contains { counts[$0][index] > 0 }
  }

  package func readBytes(_ index: Int, of work: StageWork) -> UInt64 {
    SlotKind.allCases.reduce(0) { sum, kind in
      Saturating.sum(sum, work.kinds[kind].readBytes(slots: counts[kind][index]))
    }
  }

  /// Gives one slot to each needy candidate that has none, from whoever has most.
  private static func even(_ dealt: inout [UInt64], caps: [UInt64], isNeedy: [Bool]) {
    for index in dealt.indices where isNeedy[index] && dealt[index] == 0 && caps[index] > 0 {
      guard let most = dealt.max(), most >= 2, let donor = dealt.firstIndex(of: most) else {
        return
      }
      dealt[donor] -= 1
      dealt[index] += 1
    }
  }

  /// Whoever has nothing yet takes one slot of the lightest kind from somebody who keeps another.
  private mutating func shareWithIdle(_ work: StageWork, room: [UInt64]) {
    let kinds = SlotKind.allCases.sorted {
      (work.kinds[$0].residentBytes(slots: 1), $0.rawValue)
        < (work.kinds[$1].residentBytes(slots: 1), $1.rawValue)
    }
    for index in room.indices where !hasWork(index) {
      for kind in kinds where work.kinds[kind].residentBytes(slots: 1) <= room[index] {
        let donors = room.indices.filter { donor in
          counts[kind][donor] > 0 && SlotKind.allCases.reduce(0) { $0 + counts[$1][donor] } >= 2
        }
        guard let donor = donors.max(by: { (counts[kind][$0], $1) < (counts[kind][$1], $0) })
        else { continue }
        counts[kind][donor] -= 1
        counts[kind][index] += 1
        break
      }
    }
  }
}
