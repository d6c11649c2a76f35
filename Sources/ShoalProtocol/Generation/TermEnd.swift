// Who is to blame when a step fails: several ranks notice one death, each sees another neighbour
// go, and only the right one may be left out.

/// What the entry last heard of one rank when a step went wrong.
public enum RankWord: Hashable, Sendable {
  /// It answered the step, so it is alive.
  case answered
  /// It says why it cannot go on, so it is alive too.
  case failed(JobFailure)
  /// Its link has ended.
  case closed
  /// It said nothing for that long.
  case silent(milliseconds: Int)
  case unasked

  var isSpoken: Bool {
    switch self {
    case .answered, .failed: true
    case .closed, .silent, .unasked: false
    }
  }
}

/// How one term of a job came to its end before the job did.
public struct TermEnd: Error, Hashable, Sendable {
  public let failure: JobFailure
  /// Peers that the next term does without, sorted.
  public let blamed: [PeerID]

  public init(_ failure: JobFailure, blamed: [PeerID] = []) {
    self.failure = failure
    self.blamed = blamed.sorted()
  }

  /// Judges from what every rank said. The words win over what others say of somebody: whoever
  /// spoke is alive, and its neighbours may have seen its link end because it gave up first.
  ///
  /// - Parameters:
  ///   - words: one for each of `members`.
  ///   - entry: who judges; never blamed for being unreachable by a rank, the rank is.
  public init(words: [RankWord], members: [PeerID], entry: PeerID) {
    let ranks = zip(members, words).map { (peer: $0, word: $1) }
    let said = ranks.compactMap { rank -> (peer: PeerID, failure: JobFailure)? in
      if case .failed(let failure) = rank.word { (rank.peer, failure) } else { nil }
    }
    if let final = said.first(where: { $0.failure.blame == .nobody }) {
      self.init(final.failure)
      return
    }
    if let found = Self.dishonest(said, entry: entry) {
      self = found
      return
    }
    let refusing = said.filter { $0.failure.blame == .speaker }
    let closed = ranks.filter { $0.word == .closed && $0.peer != entry }.map(\.peer)
    let accused = Self.accused(said, entry: entry)
    let spoken = Set(ranks.filter(\.word.isSpoken).map(\.peer))
    let vanished = accused.filter { !spoken.contains($0.peer) && !closed.contains($0.peer) }
    let silent = ranks.filter { rank in
      if case .silent = rank.word { rank.peer != entry } else { false }
    }
    let gone = Set(closed + vanished.map(\.peer))
    if let first = closed.first ?? vanished.first?.peer {
      let failure = vanished.first { $0.peer == first }?.failure ?? .peerLost(first)
      self.init(failure, blamed: Array(gone.union(refusing.map(\.peer))))
    } else if let first = refusing.first {
      self.init(first.failure, blamed: refusing.map(\.peer))
    } else if let first = accused.first {
      // Both live, and the way between them does not: one of the two is too many.
      self.init(first.failure, blamed: [first.peer])
    } else if let first = silent.first, case .silent(let milliseconds) = first.word {
      self.init(.deadline(first.peer, milliseconds: milliseconds), blamed: silent.map(\.peer))
    } else {
      // Only the entry's own rank is missing: a machine that is short of time, not of a peer.
      let own = ranks.first { $0.peer == entry }
      let missing =
        if case .silent(let milliseconds) = own?.word {
          JobFailure.deadline(entry, milliseconds: milliseconds)
        } else {
          JobFailure.peerLost(entry)
        }
      self.init(said.first?.failure ?? missing)
    }
  }

  /// Whom a rank has caught; the entry's own rank is believed before others. All else that is said
  /// then, of links that ended, is what follows from it. A rank that accuses the entry's own is
  /// judged like one that cannot reach it.
  private static func dishonest(
    _ said: [(peer: PeerID, failure: JobFailure)], entry: PeerID
  ) -> TermEnd? {
    let found = said.filter {
      if case .dishonest(let peer) = $0.failure { peer != entry } else { false }
    }
    guard let first = found.first(where: { $0.peer == entry }) ?? found.first,
      case .peer(let peer) = first.failure.blame
    else { return nil }
    return TermEnd(first.failure, blamed: [peer])
  }

  /// Whom failures name, the most often named first, then by name. A rank that cannot reach the
  /// entry's own rank is itself what cannot be reached.
  private static func accused(
    _ said: [(peer: PeerID, failure: JobFailure)], entry: PeerID
  ) -> [(peer: PeerID, failure: JobFailure)] {
    var named: [PeerID: (count: Int, failure: JobFailure)] = [:]
    for (speaker, failure) in said {
      guard case .peer(let accused) = failure.blame else { continue }
      let peer = accused == entry ? speaker : accused
      named[peer] = ((named[peer]?.count ?? 0) + 1, named[peer]?.failure ?? failure)
    }
    return named.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      .map { ($0.key, $0.value.failure) }
  }
}

extension JobFailure {
  enum Blame: Hashable {
    /// The one who says so cannot serve; others may.
    case speaker
    case peer(PeerID)
    /// Views differ for a moment; trying again helps.
    case moment
    /// Nobody else could do better.
    case nobody
  }

  var blame: Blame {
    switch self {
    case .peerLost(let peer), .deadline(let peer, _), .protocolViolation(let peer, _),
      .dishonest(let peer):
      .peer(peer)
    case .unknownModel, .noMemory, .diskFull, .diskFailed, .missingAtoms, .holdersSilent,
      .damagedAtom, .modelRefused, .busy, .leaving, .unexplained, .unpaid, .creditExhausted:
      .speaker
    case .planDiffers, .notInPlan, .recordRefused: .moment
    case .staleTerm, .numericRange, .contextFull, .cancelled: .nobody
    }
  }
}
