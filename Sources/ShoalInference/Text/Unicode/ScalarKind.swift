// What a character is, as one bit of a word: general category, white space, script where a
// pre-tokenizer asks for it. Sets of characters are then masks.

/// Bits of a scalar. Bit n is general category n; white space and Han have one each.
struct ScalarKind: OptionSet, Hashable, Sendable {
  let rawValue: UInt32

  static let uppercaseLetter = ScalarKind(rawValue: 1 << 0)
  static let lowercaseLetter = ScalarKind(rawValue: 1 << 1)
  static let titlecaseLetter = ScalarKind(rawValue: 1 << 2)
  static let modifierLetter = ScalarKind(rawValue: 1 << 3)
  static let otherLetter = ScalarKind(rawValue: 1 << 4)
  static let nonspacingMark = ScalarKind(rawValue: 1 << 5)
  static let spacingMark = ScalarKind(rawValue: 1 << 6)
  static let enclosingMark = ScalarKind(rawValue: 1 << 7)
  static let decimalNumber = ScalarKind(rawValue: 1 << 8)
  static let letterNumber = ScalarKind(rawValue: 1 << 9)
  static let otherNumber = ScalarKind(rawValue: 1 << 10)
  static let connectorPunctuation = ScalarKind(rawValue: 1 << 11)
  static let dashPunctuation = ScalarKind(rawValue: 1 << 12)
  static let openPunctuation = ScalarKind(rawValue: 1 << 13)
  static let closePunctuation = ScalarKind(rawValue: 1 << 14)
  static let initialPunctuation = ScalarKind(rawValue: 1 << 15)
  static let finalPunctuation = ScalarKind(rawValue: 1 << 16)
  static let otherPunctuation = ScalarKind(rawValue: 1 << 17)
  static let mathSymbol = ScalarKind(rawValue: 1 << 18)
  static let currencySymbol = ScalarKind(rawValue: 1 << 19)
  static let modifierSymbol = ScalarKind(rawValue: 1 << 20)
  static let otherSymbol = ScalarKind(rawValue: 1 << 21)
  static let spaceSeparator = ScalarKind(rawValue: 1 << 22)
  static let lineSeparator = ScalarKind(rawValue: 1 << 23)
  static let paragraphSeparator = ScalarKind(rawValue: 1 << 24)
  static let control = ScalarKind(rawValue: 1 << 25)
  static let format = ScalarKind(rawValue: 1 << 26)
  static let surrogate = ScalarKind(rawValue: 1 << 27)
  static let privateUse = ScalarKind(rawValue: 1 << 28)
  static let unassigned = ScalarKind(rawValue: 1 << 29)
  /// The property White_Space.
  static let whitespace = ScalarKind(rawValue: 1 << 30)
  static let han = ScalarKind(rawValue: 1 << 31)

  static let letter: ScalarKind = [
    .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
  ]
  static let mark: ScalarKind = [.nonspacingMark, .spacingMark, .enclosingMark]
  static let number: ScalarKind = [.decimalNumber, .letterNumber, .otherNumber]
  static let punctuation: ScalarKind = [
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
    .initialPunctuation, .finalPunctuation, .otherPunctuation,
  ]
  static let symbol: ScalarKind = [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
  static let separator: ScalarKind = [.spaceSeparator, .lineSeparator, .paragraphSeparator]
  static let other: ScalarKind = [.control, .format, .surrogate, .privateUse, .unassigned]
  /// Letters, marks and numbers that words are made of; beside them some symbols are.
  static let word: ScalarKind = letter.union(mark).union([
    .decimalNumber, .letterNumber, .connectorPunctuation,
  ])
  /// Symbols of the property Alphabetic: letters in circles and squares.
  static let alphabeticSymbols: [ClosedRange<UInt32>] = [
    0x24b6...0x24e9, 0x1f130...0x1f149, 0x1f150...0x1f169, 0x1f170...0x1f189,
  ]

  /// Whether a scalar is of a word for Rust's `regex`, which is what cuts at words and asks for
  /// them beside `\w` in expressions (Unicode Technical Standard 18, annex C: joiners included).
  static func isWord(_ scalar: UInt32) -> Bool {
    !of(scalar).isDisjoint(with: word) || alphabeticSymbols.contains { $0.contains(scalar) }
      || (0x200c...0x200d).contains(scalar)
  }

  /// By the names of Unicode Standard Annex 44, table 12, and one script.
  static let named: [String: ScalarKind] = [
    "L": letter, "Lu": uppercaseLetter, "Ll": lowercaseLetter, "Lt": titlecaseLetter,
    "Lm": modifierLetter, "Lo": otherLetter, "M": mark, "Mn": nonspacingMark, "Mc": spacingMark,
    "Me": enclosingMark, "N": number, "Nd": decimalNumber, "Nl": letterNumber, "No": otherNumber,
    "P": punctuation, "Pc": connectorPunctuation, "Pd": dashPunctuation, "Ps": openPunctuation,
    "Pe": closePunctuation, "Pi": initialPunctuation, "Pf": finalPunctuation,
    "Po": otherPunctuation, "S": symbol, "Sm": mathSymbol, "Sc": currencySymbol,
    "Sk": modifierSymbol, "So": otherSymbol, "Z": separator, "Zs": spaceSeparator,
    "Zl": lineSeparator, "Zp": paragraphSeparator, "C": other, "Cc": control, "Cf": format,
    "Co": privateUse, "Cn": unassigned, "Han": han, "White_Space": whitespace, "Space": whitespace,
    "Letter": letter, "Number": number, "Punctuation": punctuation, "Punct": punctuation,
  ]

  /// The kind of a scalar.
  static func of(_ scalar: UInt32) -> ScalarKind {
    if scalar < 128 { return ascii[Int(scalar)] }
    guard let scalar = Unicode.Scalar(scalar) else { return .unassigned }
    return slow(scalar)
  }

  private static let ascii: [ScalarKind] = (UInt8(0)..<128).map { slow(Unicode.Scalar($0)) }

  private static func slow(_ scalar: Unicode.Scalar) -> ScalarKind {
    var kind = category(scalar.properties.generalCategory)
    if scalar.properties.isWhitespace { kind.insert(.whitespace) }
    if kind.intersection([.otherLetter, .modifierLetter, .letterNumber, .otherSymbol]) != [],
      hanRanges.contains(where: { $0.contains(scalar.value) })
    {
      kind.insert(.han)
    }
    return kind
  }

  /// The script Han (Scripts.txt of Unicode 15).
  private static let hanRanges: [ClosedRange<UInt32>] = [
    0x2e80...0x2e99, 0x2e9b...0x2ef3, 0x2f00...0x2fd5, 0x3005...0x3005, 0x3007...0x3007,
    0x3021...0x3029, 0x3038...0x303b, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xf900...0xfa6d,
    0xfa70...0xfad9, 0x16fe2...0x16fe3, 0x16ff0...0x16ff1, 0x20000...0x2a6df, 0x2a700...0x2b739,
    0x2b740...0x2b81d, 0x2b820...0x2cea1, 0x2ceb0...0x2ebe0, 0x2f800...0x2fa1d, 0x30000...0x3134a,
    0x31350...0x323af,
  ]

  private static func category(_ category: Unicode.GeneralCategory) -> ScalarKind {
    switch category {
    case .uppercaseLetter: .uppercaseLetter
    case .lowercaseLetter: .lowercaseLetter
    case .titlecaseLetter: .titlecaseLetter
    case .modifierLetter: .modifierLetter
    case .otherLetter: .otherLetter
    case .nonspacingMark: .nonspacingMark
    case .spacingMark: .spacingMark
    case .enclosingMark: .enclosingMark
    case .decimalNumber: .decimalNumber
    case .letterNumber: .letterNumber
    case .otherNumber: .otherNumber
    case .connectorPunctuation: .connectorPunctuation
    case .dashPunctuation: .dashPunctuation
    case .openPunctuation: .openPunctuation
    case .closePunctuation: .closePunctuation
    case .initialPunctuation: .initialPunctuation
    case .finalPunctuation: .finalPunctuation
    case .otherPunctuation: .otherPunctuation
    case .mathSymbol: .mathSymbol
    case .currencySymbol: .currencySymbol
    case .modifierSymbol: .modifierSymbol
    case .otherSymbol: .otherSymbol
    case .spaceSeparator: .spaceSeparator
    case .lineSeparator: .lineSeparator
    case .paragraphSeparator: .paragraphSeparator
    case .control: .control
    case .format: .format
    case .surrogate: .surrogate
    case .privateUse: .privateUse
    case .unassigned: .unassigned
    @unknown case _: .unassigned
    }
  }
}
