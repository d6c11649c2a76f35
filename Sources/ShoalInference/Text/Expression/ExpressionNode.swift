// A regular expression as a tree: the constructs that pre-tokenizers use.

/// A set of characters: kinds, complements of kinds, ranges; the whole negated or not.
struct ScalarSet: Hashable, Sendable {
  var kinds: ScalarKind = []
  /// Of each of these, every scalar that is none of the kinds.
  var complements: [ScalarKind] = []
  var ranges: [ClosedRange<UInt32>] = []
  /// Sets within the set, such as a negated one.
  var nested: [ScalarSet] = []
  var isNegated = false

  init() {}
  init(_ scalar: UInt32) { ranges = [scalar...scalar] }
  init(kinds: ScalarKind, isNegated: Bool = false) {
    if isNegated { complements = [kinds] } else { self.kinds = kinds }
  }

  /// What `\w` matches in Oniguruma: beside Unicode's words the numbers of Latin-1.
  static let word: ScalarSet = {
    var set = ScalarSet(kinds: .word)
    set.ranges = ScalarKind.alphabeticSymbols + [0xb2...0xb3, 0xb9...0xb9, 0xbc...0xbe]
    return set
  }()

  /// A class of characters that no hyphen makes the beginning of a range.
  init(class set: ScalarSet, isNegated: Bool = false) {
    var set = set
    set.isNegated = isNegated
    nested = [set]
  }

  func contains(_ scalar: UInt32, _ kind: ScalarKind) -> Bool {
    let isIn =
      !kinds.isDisjoint(with: kind) || complements.contains { $0.isDisjoint(with: kind) }
      || ranges.contains { $0.contains(scalar) } || nested.contains { $0.contains(scalar, kind) }
    return isIn != isNegated
  }

  /// Adds the other case of what is listed.
  mutating func ignoreCase() throws(ExpressionError) {
    for range in ranges {
      guard range.count <= 128 else { throw .unsupported("case folding of a long range") }
      for scalar in range {
        for folded in Self.cases(of: scalar) where !ranges.contains(where: { $0.contains(folded) })
        {
          ranges.append(folded...folded)
        }
      }
    }
  }

  /// Its single-scalar upper and lower case, and what shares them: U+017F with s, U+212A with k.
  private static func cases(of scalar: UInt32) -> [UInt32] {
    guard let scalar = Unicode.Scalar(scalar) else { return [] }
    var cases: [UInt32] = []
    for mapped in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
      let scalars = mapped.unicodeScalars
      if scalars.count == 1, let only = scalars.first { cases.append(only.value) }
    }
    if scalar == "s" || scalar == "S" { cases.append(0x17f) }
    if scalar == "k" || scalar == "K" { cases.append(0x212a) }
    return cases
  }
}

/// How a repetition gives way.
enum RepeatMode: Hashable, Sendable { case greedy, lazy, possessive }

/// A place in a text.
enum ExpressionAnchor: Hashable, Sendable {
  case textStart, textEnd, textEndOrLastLine, lineStart, lineEnd, wordBoundary, noWordBoundary
}

indirect enum ExpressionNode: Hashable, Sendable {
  case empty
  case set(ScalarSet)
  case sequence([ExpressionNode])
  case alternation([ExpressionNode])
  case repeated(ExpressionNode, least: Int, most: Int?, RepeatMode)
  case look(ExpressionNode, ahead: Bool, wanted: Bool)
  case atomic(ExpressionNode)
  case anchor(ExpressionAnchor)

  /// Whether it can match nothing at all.
  var matchesEmpty: Bool {
    switch self {
    case .empty, .look, .anchor: true
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.matchesEmpty)
    case .alternation(let parts): parts.contains(where: \.matchesEmpty)
    case .repeated(let node, let least, _, _): least == 0 || node.matchesEmpty
    case .atomic(let node): node.matchesEmpty
    }
  }

  /// How many scalars it matches, if that is fixed.
  var length: Int? {
    switch self {
    case .empty, .look, .anchor: return 0
    case .set: return 1
    case .sequence(let parts):
      var total = 0
      for part in parts {
        guard let length = part.length else { return nil }
        total += length
      }
      return total
    case .alternation(let parts):
      let lengths = Set(parts.map(\.length))
      return lengths.count == 1 ? lengths.first ?? nil : nil
    case .repeated(let node, let least, let most, _):
      guard least == most, let length = node.length else { return nil }
      return least * length
    case .atomic(let node): return node.length
    }
  }
}

/// Why an expression was refused.
public enum ExpressionError: Error, Hashable, Sendable {
  /// A construct that is read but not executed here, by name.
  case unsupported(String)
  case unexpected(offset: Int, wanted: String)
  case truncated
  case tooLarge(field: String, limit: Int)
}

extension ExpressionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupported(let construct): "\(construct) is not supported"
    case .unexpected(let offset, let wanted): "\(wanted) expected at character \(offset)"
    case .truncated: "it ends too early"
    case .tooLarge(let field, let limit): "more than \(limit) \(field)"
    }
  }
}
