// Which sequences of a lane begin alike, so that what is computed for one serves another
// (docs/decisions/0083-prefixes-within-a-lane.md).

/// Whether keys and values of a prefix are the same in every sequence of a model.
public enum PrefixSharing: Hashable, Sendable {
  /// Its past is a state, which holds one past only.
  case never
  /// Angles depend on how long a sequence may become.
  case inEqualContexts
  case always
}

/// What a sequence begins with, from another one of its lane.
struct SharedPrefix: Hashable, Sendable {
  let slot: Int
  /// Positions.
  let count: Int
}

/// A sequence that ranks hold, as one that begins may look at it.
struct HeldSequence: Sendable {
  let slot: Int
  /// How long a job takes tells what others asked: only those of one user share.
  let user: String
  let context: Int
  let log: [UInt32]
  /// Positions that ranks know, and that they will know when its prompt has been read.
  let known: Int
  let coming: Int
}

/// What is best for a sequence that is to begin.
enum PrefixChoice: Hashable, Sendable {
  case begin(SharedPrefix?)
  /// Another one is reading what this one begins with.
  case wait

  /// Fewer positions are computed as fast as they are copied.
  static let least = 16

  /// - Parameter log: tokens of the one that is to begin, all of which are known.
  init(
    _ log: [UInt32], user: String, context: Int, among held: [HeldSequence],
    _ sharing: PrefixSharing
  ) {
    var (best, coming) = (SharedPrefix?.none, 0)
    for other in held where other.user == user && sharing.allows(context, other.context) {
      // The last token is computed in any case: its logits are wanted.
      let alike = zip(log.dropLast(), other.log).prefix { $0 == $1 }.count
      let now = min(alike, other.known)
      if now >= Self.least, now > best?.count ?? 0 {
        best = SharedPrefix(slot: other.slot, count: now)
      }
      coming = max(coming, min(alike, other.coming))
    }
    self = coming >= Self.least && coming > best?.count ?? 0 ? .wait : .begin(best)
  }
}

extension PrefixSharing {
  fileprivate func allows(_ context: Int, _ other: Int) -> Bool {
    switch self {
    case .never: false
    case .inEqualContexts: context == other
    case .always: true
    }
  }
}
