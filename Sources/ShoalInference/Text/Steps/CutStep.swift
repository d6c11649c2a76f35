// How a text is cut into words; tokens never cross from one word into the next. The names and
// meanings are those of the pre-tokenizers in Hugging Face's `tokenizer.json`.

/// What becomes of the matches at which a text is cut.
public enum SplitBehavior: UInt8, Hashable, Sendable {
  case removed = 0
  case isolated = 1
  case mergedWithPrevious = 2
  case mergedWithNext = 3
  /// Neighbouring matches are one word, and so is what lies between two.
  case contiguous = 4
}

/// One way to cut words into smaller ones.
public enum CutStep: Hashable, Sendable {
  case split(TextPattern, SplitBehavior, isInverted: Bool)
  /// Bytes become GPT-2's letters, after a space in front where there is none, and after GPT-2's
  /// expression has cut the text.
  case byteLevel(addsSpace: Bool, cuts: Bool)
  /// Spaces become `replacement`, one is put in front by `scheme`, and each begins a word.
  case metaspace(replacement: String, PrefixScheme, splits: Bool)
  /// `\w+|[^\w\s]+`, by Rust's idea of a word.
  case whitespace
  case whitespaceSplit
  /// BERT's: at white space, and around every punctuation.
  case bert
  case digits(individual: Bool)
  case punctuation(SplitBehavior)

  static let gpt2Expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
}

/// A text and its words.
package struct CutText: Sendable {
  package var text: [UInt8]
  /// Ascending, without overlap; what is in none of them is gone.
  package var words: [Range<Int>]

  package init(_ text: [UInt8]) {
    self.text = text
    words = text.isEmpty ? [] : [0..<text.count]
  }
}

/// A step with what it looks for compiled.
package struct CutPass: Sendable {
  private enum Finder: Sendable {
    case pattern(CompiledPattern)
    case kinds(@Sendable (UInt32, ScalarKind) -> Bool)
  }

  private struct Cut: Sendable {
    let finder: Finder
    let behavior: SplitBehavior
    var isInverted = false
  }

  /// What is done to every word before the cuts.
  private enum Preparation: Sendable {
    case none
    case space
    case metaspace(replacement: [UInt8], PrefixScheme)
  }

  private let preparation: Preparation
  private let cuts: [Cut]
  private let spellsBytes: Bool

  package init(_ step: CutStep) throws(TokenizerError) {
    var preparation = Preparation.none
    var spellsBytes = false
    switch step {
    case .split(let pattern, let behavior, let isInverted):
      cuts = [
        Cut(
          finder: .pattern(try CompiledPattern(pattern)), behavior: behavior,
          isInverted: isInverted)
      ]
    case .byteLevel(let addsSpace, let splits):
      let expression = TextPattern.expression(CutStep.gpt2Expression)
      cuts =
        splits
        ? [Cut(finder: .pattern(try CompiledPattern(expression)), behavior: .isolated)] : []
      if addsSpace { preparation = .space }
      spellsBytes = true
    case .metaspace(let replacement, let scheme, let splits):
      preparation = .metaspace(replacement: Array(replacement.utf8), scheme)
      let pattern = try CompiledPattern(.literal(replacement))
      cuts = splits ? [Cut(finder: .pattern(pattern), behavior: .mergedWithNext)] : []
    case .whitespace:
      cuts = [
        Self.kinds(.removed) { $1.contains(.whitespace) },
        Self.kinds(.contiguous) { scalar, _ in ScalarKind.isWord(scalar) },
      ]
    case .whitespaceSplit: cuts = [Self.kinds(.removed) { $1.contains(.whitespace) }]
    case .bert:
      cuts = [
        Self.kinds(.removed) { $1.contains(.whitespace) }, Self.kinds(.isolated, Self.isBertMark),
      ]
    case .digits(let individual):
      cuts = [
        Self.kinds(individual ? .isolated : .contiguous) { !$1.isDisjoint(with: .number) }
      ]
    case .punctuation(let behavior): cuts = [Self.kinds(behavior, Self.isBertMark)]
    }
    self.preparation = preparation
    self.spellsBytes = spellsBytes
  }

  private static func kinds(
    _ behavior: SplitBehavior, _ belongs: @escaping @Sendable (UInt32, ScalarKind) -> Bool
  ) -> Cut {
    Cut(finder: .kinds(belongs), behavior: behavior)
  }

  /// ASCII signs count as punctuation for BERT, whatever Unicode calls them.
  @Sendable private static func isBertMark(_ scalar: UInt32, _ kind: ScalarKind) -> Bool {
    switch scalar {
    case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
    case _: !kind.isDisjoint(with: .punctuation)
    }
  }

  /// - Parameter isFirst: whether the text stands at the very beginning.
  package func apply(_ cut: inout CutText, isFirst: Bool) {
    prepare(&cut, isFirst: isFirst)
    for step in cuts {
      var words: [Range<Int>] = []
      words.reserveCapacity(cut.words.count)
      for word in cut.words { Self.cut(word, of: cut.text, step, into: &words) }
      cut.words = words
    }
    if spellsBytes { Self.rewrite(&cut) { $0.flatMap { ByteLevelAlphabet.spellings[Int($0)] } } }
  }
}

extension CutPass {
  private func prepare(_ cut: inout CutText, isFirst: Bool) {
    switch preparation {
    case .none: return
    case .space:
      Self.rewrite(&cut) { $0.first == 0x20 ? Array($0) : [0x20] + $0 }
    case .metaspace(let replacement, let scheme):
      let start = cut.words.first?.lowerBound
      Self.rewrite(&cut) { word in
        var spelled: [UInt8] = []
        spelled.reserveCapacity(word.count + replacement.count)
        for byte in word {
          if byte == 0x20 { spelled += replacement } else { spelled.append(byte) }
        }
        let adds = scheme == .always || scheme == .first && isFirst && word.startIndex == start
        return adds && !spelled.starts(with: replacement) ? replacement + spelled : spelled
      }
    }
  }

  private static func rewrite(_ cut: inout CutText, _ spell: (ArraySlice<UInt8>) -> [UInt8]) {
    var text: [UInt8] = []
    text.reserveCapacity(cut.text.count * 2)
    for index in cut.words.indices {
      let start = text.count
      text += spell(cut.text[cut.words[index]])
      cut.words[index] = start..<text.count
    }
    cut.text = text
  }

  private static func cut(
    _ word: Range<Int>, of text: [UInt8], _ step: Cut, into words: inout [Range<Int>]
  ) {
    let start = words.count
    var followsMatch = false
    for (piece, isMatch) in pieces(of: word, text, step) {
      let joins =
        switch step.behavior {
        case .removed, .isolated: false
        case .mergedWithPrevious: isMatch && !followsMatch
        case .mergedWithNext: !isMatch && followsMatch
        case .contiguous: isMatch == followsMatch
        }
      followsMatch = isMatch
      if joins, words.count > start, let last = words.popLast() {
        words.append(last.lowerBound..<piece.upperBound)
      } else if !piece.isEmpty, !isMatch || step.behavior != .removed {
        words.append(piece)
      }
    }
  }

  /// The matches in a word and what lies between them; where a cut is inverted, one for the other.
  private static func pieces(
    of word: Range<Int>, _ text: [UInt8], _ step: Cut
  ) -> [(range: Range<Int>, isMatch: Bool)] {
    var pieces: [(Range<Int>, Bool)] = []
    var at = word.lowerBound
    for match in matches(step.finder, text, word) {
      if at < match.lowerBound { pieces.append((at..<match.lowerBound, step.isInverted)) }
      pieces.append((match, !step.isInverted))
      at = match.upperBound
    }
    if at < word.upperBound { pieces.append((at..<word.upperBound, step.isInverted)) }
    return pieces
  }

  private static func matches(
    _ finder: Finder, _ text: [UInt8], _ word: Range<Int>
  ) -> [Range<Int>] {
    switch finder {
    case .pattern(let pattern): return pattern.matches(text, word)
    case .kinds(let belongs):
      let scalars = ScalarText(text[word])
      return (0..<scalars.count).filter { belongs(scalars.scalars[$0], scalars.kinds[$0]) }.map {
        word.lowerBound + scalars.offsets[$0]..<word.lowerBound + scalars.offsets[$0 + 1]
      }
    }
  }
}
