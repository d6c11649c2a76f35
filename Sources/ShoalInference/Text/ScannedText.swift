// Text as the pre-tokenizers see it: characters by class, found once, and the cuts that the
// families' regular expressions make, written out by hand. Swift's Regex is too slow for this.

/// What the pre-tokenizers tell apart.
enum ScalarClass: UInt8 {
  case letter
  case number
  case space
  case punctuation
  case other

  /// By general category: `\p{L}`, `\p{N}`, `\s`, `\p{P}`, everything else.
  init(_ scalar: Unicode.Scalar) {
    let properties = scalar.properties
    if properties.isWhitespace {
      self = .space
      return
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      self = .number
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      self = .punctuation
    case _:
      self = .other
    }
  }

  static let ascii: [ScalarClass] = (UInt8(0)..<128).map { ScalarClass(Unicode.Scalar($0)) }
}

/// Characters with their classes and where they start in the UTF-8.
struct ScannedText {
  private var scalars: [UInt32] = []
  private var classes: [ScalarClass] = []
  /// One more than there are characters.
  private(set) var offsets: [Int] = []

  var count: Int { scalars.count }

  init(_ text: [UInt8]) {
    scalars.reserveCapacity(text.count)
    classes.reserveCapacity(text.count)
    offsets.reserveCapacity(text.count + 1)
    var decoder = UTF8()
    var bytes = text.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&bytes) {
      scalars.append(scalar.value)
      classes.append(
        scalar.value < 128 ? ScalarClass.ascii[Int(scalar.value)] : ScalarClass(scalar))
      offsets.append(offset)
      offset += UTF8.width(scalar)
    }
    offsets.append(offset)
  }

  /// Appends where each word in `range` ends.
  func cut(_ range: Range<Int>, by pass: WordPass, into ends: inout [Int]) {
    var at = range.lowerBound
    while at < range.upperBound {
      at = end(of: pass, at, range.upperBound)
      ends.append(at)
    }
  }

  private func end(of pass: WordPass, _ at: Int, _ limit: Int) -> Int {
    switch pass {
    case .gpt2:
      return contraction(at, limit, anyCase: false) ?? gpt2Word(at, limit) ?? spaces(at, limit)
    case .gpt4(let digits):
      return contraction(at, limit, anyCase: true) ?? gpt4Word(at, limit, digits: digits)
        ?? lines(at, limit) ?? spaces(at, limit)
    case .punctuation(let backtick):
      return runOrGap(at, limit) { isPunctuation($0, backtick: backtick) }
    case .numbers:
      return runOrGap(at, limit) { classes[$0] == .number }
    case .digits:
      return classes[at] == .number ? at + 1 : run(at, limit) { classes[$0] != .number }
    case .digitTriples:
      return isTriple(at, limit)
        ? at + 3 : run(at + 1, limit) { !isTriple($0, limit) }
    }
  }
}

extension ScannedText {
  /// The first index from `at` on that `belongs` denies.
  private func run(_ at: Int, _ limit: Int, _ belongs: (Int) -> Bool) -> Int {
    var at = at
    while at < limit, belongs(at) { at += 1 }
    return at
  }

  /// A run of what belongs, or else of what does not.
  private func runOrGap(_ at: Int, _ limit: Int, _ belongs: (Int) -> Bool) -> Int {
    belongs(at) ? run(at, limit, belongs) : run(at, limit) { !belongs($0) }
  }

  private func isPunctuation(_ index: Int, backtick: Bool) -> Bool {
    guard classes[index] != .punctuation else { return true }
    switch Unicode.Scalar(scalars[index]) {
    case "$", "+", "<", "=", ">", "^", "~", "|": return true
    case "`": return backtick
    case _: return false
    }
  }

  private func isTriple(_ at: Int, _ limit: Int) -> Bool {
    at + 3 <= limit && scalars[at..<at + 3].allSatisfy { (0x30...0x39).contains($0) }
  }

  private func isNewline(_ index: Int) -> Bool { scalars[index] == 10 || scalars[index] == 13 }

  private func isSign(_ index: Int) -> Bool {
    classes[index] == .other || classes[index] == .punctuation
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d`
  private func contraction(_ at: Int, _ limit: Int, anyCase: Bool) -> Int? {
    guard scalars[at] == 0x27, at + 1 < limit else { return nil }
    // ASCII letters differ from their lower case in one bit; no other character becomes one.
    let lower = { (index: Int) -> Unicode.Scalar? in
      let scalar = self.scalars[index]
      return Unicode.Scalar(anyCase && (0x41...0x5a).contains(scalar) ? scalar | 0x20 : scalar)
    }
    switch lower(at + 1) {
    case "s", "t", "m", "d": return at + 2
    case "r", "v": return at + 2 < limit && lower(at + 2) == "e" ? at + 3 : nil
    case "l": return at + 2 < limit && lower(at + 2) == "l" ? at + 3 : nil
    case _: return nil
    }
  }

  /// One space or none, then letters, numbers or signs.
  private func gpt2Word(_ at: Int, _ limit: Int) -> Int? {
    let start = scalars[at] == 0x20 ? at + 1 : at
    guard start < limit else { return nil }
    switch classes[start] {
    case .letter: return run(start, limit) { classes[$0] == .letter }
    case .number: return run(start, limit) { classes[$0] == .number }
    case .punctuation, .other: return run(start, limit) { isSign($0) }
    case .space: return nil
    }
  }

  private func gpt4Word(_ at: Int, _ limit: Int, digits: Int) -> Int? {
    if classes[at] == .number {
      return run(at, min(limit, at + digits)) { classes[$0] == .number }
    }
    let startsWord = classes[at] == .letter || (at + 1 < limit && classes[at + 1] == .letter)
    if startsWord, !isNewline(at) {
      return run(at + 1, limit) { classes[$0] == .letter }
    }
    let start = scalars[at] == 0x20 ? at + 1 : at
    guard start < limit, isSign(start) else { return nil }
    let end = run(start, limit) { isSign($0) }
    return run(end, limit) { isNewline($0) }
  }

  /// White space up to and with the last line end of a run of it.
  private func lines(_ at: Int, _ limit: Int) -> Int? {
    let end = run(at, limit) { classes[$0] == .space }
    return (at..<end).last { isNewline($0) }.map { $0 + 1 }
  }

  /// White space, less its last character if a word follows. One character if there is none.
  private func spaces(_ at: Int, _ limit: Int) -> Int {
    let end = run(at, limit) { classes[$0] == .space }
    if end == at { return at + 1 }
    return end < limit && end - at > 1 ? end - 1 : end
  }
}
