// What happens to a text before it is cut into words. The names and meanings are those of
// Hugging Face's `tokenizer.json`, which has the richest set; other formats are put in its terms.

/// What a `Replace` or `Split` looks for.
public enum TextPattern: Hashable, Sendable {
  case literal(String)
  /// A regular expression in Oniguruma's syntax.
  case expression(String)
}

/// Which texts something is put in front of.
public enum PrefixScheme: UInt8, Hashable, Sendable {
  case never = 0
  /// Only what stands at the very beginning.
  case first = 1
  /// Also what follows a special token.
  case always = 2
}

/// One step of normalisation.
public enum NormalizerStep: Hashable, Sendable {
  case form(UnicodeForm)
  case lowercase
  /// Drops non-spacing marks.
  case stripAccents
  /// Drops white space at the ends.
  case strip(left: Bool, right: Bool)
  /// Puts this before a text that is not empty.
  case prepend(String, PrefixScheme)
  case replace(TextPattern, with: String)
  /// BERT's: controls dropped, every white space a space; spaces around Chinese characters;
  /// accents dropped; lower case.
  case bert(clean: Bool, chinese: Bool, accents: Bool, lowercase: Bool)
  /// SentencePiece's compiled replacements. By grapheme is how Hugging Face applies them, by
  /// longest prefix how SentencePiece does.
  case charsmap([UInt8], byGrapheme: Bool)
  /// Drops spaces at the ends and all but one within.
  case collapseSpaces
  /// SentencePiece's older clean-up: controls dropped, odd white space a space.
  case nmt
  /// Bytes as GPT-2's letters.
  case byteLevel
}

/// A step with what it looks for compiled.
struct NormalizerPass: Sendable {
  private enum Work: Sendable {
    case step(NormalizerStep)
    case replace(CompiledPattern, [UInt8])
    case charsmap(Charsmap, byGrapheme: Bool)
  }

  private let work: Work

  init(_ step: NormalizerStep) throws(TokenizerError) {
    switch step {
    case .replace(let pattern, let content):
      work = .replace(try CompiledPattern(pattern), Array(content.utf8))
    case .charsmap(let bytes, let byGrapheme):
      work = .charsmap(try Charsmap(bytes), byGrapheme: byGrapheme)
    case .form, .lowercase, .stripAccents, .strip, .prepend, .bert, .collapseSpaces, .nmt,
      .byteLevel:
      work = .step(step)
    }
  }

  func apply(_ text: [UInt8], isFirst: Bool) -> [UInt8] {
    switch work {
    case .replace(let pattern, let content): pattern.replace(text, with: content)
    case .charsmap(let map, true): map.normalizeGraphemes(text)
    case .charsmap(let map, false): map.normalizePrefixes(text)
    case .step(let step): Self.apply(step, text, isFirst: isFirst)
    }
  }

  private static func apply(_ step: NormalizerStep, _ text: [UInt8], isFirst: Bool) -> [UInt8] {
    switch step {
    case .form(let form):
      return mapScalars(text) { form.normalize($0) }
    case .lowercase: return mapScalars(text, lowercased)
    case .stripAccents: return mapScalars(text, withoutAccents)
    case .strip(let left, let right):
      return mapScalars(text) { stripped($0, left: left, right: right) }
    case .prepend(let prefix, let scheme):
      guard !text.isEmpty, scheme == .always || scheme == .first && isFirst else { return text }
      return Array(prefix.utf8) + text
    case .bert(let clean, let chinese, let accents, let lowercase):
      return mapScalars(text) {
        bert($0, clean: clean, chinese: chinese, accents: accents, lowercase: lowercase)
      }
    case .collapseSpaces: return collapsed(text)
    case .nmt: return mapScalars(text, nmt)
    case .byteLevel: return text.flatMap { ByteLevelAlphabet.spellings[Int($0)] }
    // Compiled to work of their own.
    case .replace, .charsmap: return text
    }
  }
}

extension NormalizerPass {
  private static func mapScalars(_ text: [UInt8], _ map: ([UInt32]) -> [UInt32]) -> [UInt8] {
    UTF8Form.bytes(map(ScalarText(text).scalars))
  }

  private static func lowercased(_ scalars: [UInt32]) -> [UInt32] {
    var output: [UInt32] = []
    output.reserveCapacity(scalars.count)
    for value in scalars {
      if value < 128 {
        output.append((0x41...0x5a).contains(value) ? value | 0x20 : value)
      } else if let scalar = Unicode.Scalar(value) {
        output += scalar.properties.lowercaseMapping.unicodeScalars.map(\.value)
      }
    }
    return output
  }

  private static func withoutAccents(_ scalars: [UInt32]) -> [UInt32] {
    scalars.filter { $0 < 0x300 || ScalarKind.of($0).isDisjoint(with: .nonspacingMark) }
  }

  private static func isSpace(_ scalar: UInt32) -> Bool {
    ScalarKind.of(scalar).contains(.whitespace)
  }

  private static func stripped(_ scalars: [UInt32], left: Bool, right: Bool) -> [UInt32] {
    var kept = scalars[...]
    if left { kept = kept.drop(while: isSpace) }
    if right { while let last = kept.last, isSpace(last) { kept.removeLast() } }
    return Array(kept)
  }

  private static func bert(
    _ scalars: [UInt32], clean: Bool, chinese: Bool, accents: Bool, lowercase: Bool
  ) -> [UInt32] {
    var scalars = scalars
    if clean { scalars = cleaned(scalars) }
    if chinese {
      scalars = scalars.flatMap { isChinese($0) ? [0x20, $0, 0x20] : [$0] }
    }
    if accents { scalars = withoutAccents(UnicodeForm.nfd.normalize(scalars)) }
    return lowercase ? lowercased(scalars) : scalars
  }

  /// `clean_text` of BERT's tokenizer: no NUL, U+FFFD or control, every white space a space.
  private static func cleaned(_ scalars: [UInt32]) -> [UInt32] {
    scalars.compactMap { scalar in
      switch scalar {
      case 0x09, 0x0a, 0x0d: return 0x20
      case 0, 0xfffd: return nil
      case _:
        let kind = ScalarKind.of(scalar)
        if !kind.isDisjoint(with: .other) { return nil }
        return kind.contains(.whitespace) ? 0x20 : scalar
      }
    }
  }

  /// The blocks of BERT's `_is_chinese_char`; one bound is as the fast tokenizers have it.
  private static func isChinese(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f,
      0x2b740...0x2b81f, 0x2b920...0x2ceaf, 0xf900...0xfaff, 0x2f800...0x2fa1f:
      true
    case _: false
    }
  }

  private static func collapsed(_ text: [UInt8]) -> [UInt8] {
    let space = UInt8(ascii: " ")
    var output: [UInt8] = []
    output.reserveCapacity(text.count)
    for byte in text where byte != space || (output.last ?? space) != space { output.append(byte) }
    if output.last == space { output.removeLast() }
    return output
  }

  /// The `Nmt` normaliser: which characters go and which become spaces (SentencePiece,
  /// `builder.cc`).
  private static func nmt(_ scalars: [UInt32]) -> [UInt32] {
    scalars.compactMap { scalar in
      switch scalar {
      case 0x01...0x08, 0x0b, 0x0e...0x1f, 0x7f, 0x8f, 0x9f: nil
      case 0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x200b...0x200f, 0x2028, 0x2029, 0x2581, 0xfeff,
        0xfffd:
        0x20
      case _: scalar
      }
    }
  }
}
