// JSON as patterns (RFC 8259): the rules that every schema's grammar shares. Where the RFC has no
// bound, there is one here, since a model may go on for ever: of white space and of digits.

struct JSONPatterns {
  /// Numbers of the shared rules; the whole text is rule 0.
  static let space = BytePattern.rule(1)
  static let character = BytePattern.rule(2)
  static let string = BytePattern.rule(3)
  static let number = BytePattern.rule(4)
  static let integer = BytePattern.rule(5)
  static let value = BytePattern.rule(6)
  static let object = BytePattern.rule(7)
  static let array = BytePattern.rule(8)

  /// In the order of their numbers.
  static func rules(whole: BytePattern) -> [BytePattern] {
    [
      .sequence([space, whole]),
      .optional(
        .choice([
          .text(" "), .sequence([.text("\n"), .times(.any(of: " \t"), least: 0, most: 16)]),
        ])),
      .choice(plainCharacters + [escape]),
      quoted(.times(character, least: 0, most: nil)),
      .sequence([integer, .optional(fraction), .optional(exponent)]),
      .sequence([
        .optional(.text("-")),
        .choice([.text("0"), .sequence([.range(0x31...0x39), digits(0, 17)])]),
      ]),
      .choice([
        object, array, string, number, .text("true"), .text("false"), .text("null"),
      ]),
      braced("{", members(of: string, value), "}"),
      list(of: value, least: 0, most: nil),
    ]
  }

  static func quoted(_ text: BytePattern) -> BytePattern {
    .sequence([.text("\""), text, .text("\"")])
  }

  /// Space before and after, unless there is nothing between.
  static func braced(_ open: String, _ inner: BytePattern, _ close: String) -> BytePattern {
    .sequence([.text(open), space, .optional(.sequence([inner, space])), .text(close)])
  }

  static func member(_ key: BytePattern, _ value: BytePattern) -> BytePattern {
    .sequence([key, .text(":"), space, value])
  }

  static let comma = BytePattern.sequence([.text(","), space])

  /// One or more members with any keys.
  static func members(of key: BytePattern, _ value: BytePattern) -> BytePattern {
    let member = member(key, value)
    return .sequence([member, .times(.sequence([comma, member]), least: 0, most: nil)])
  }

  static func list(of item: BytePattern, least: Int, most: Int?) -> BytePattern {
    if most == 0 { return .sequence([.text("["), space, .text("]")]) }
    let items = BytePattern.sequence([
      item,
      .times(.sequence([comma, item]), least: max(0, least - 1), most: most.map { $0 - 1 }),
    ])
    return least == 0
      ? braced("[", items, "]") : .sequence([.text("["), space, items, space, .text("]")])
  }

  /// UTF-8 (RFC 3629, section 4), without quote, backslash and control characters.
  private static let plainCharacters: [BytePattern] = {
    let tail = BytePattern.range(0x80...0xbf)
    let one = ByteSet((0x20...0x7f).filter { $0 != 0x22 && $0 != 0x5c })
    return [
      .bytes(one),
      .sequence([.range(0xc2...0xdf), tail]),
      .sequence([.literal([0xe0]), .range(0xa0...0xbf), tail]),
      .sequence([.bytes(ByteSet(Array(0xe1...0xec) + [0xee, 0xef])), tail, tail]),
      .sequence([.literal([0xed]), .range(0x80...0x9f), tail]),
      .sequence([.literal([0xf0]), .range(0x90...0xbf), tail, tail]),
      .sequence([.range(0xf1...0xf3), tail, tail, tail]),
      .sequence([.literal([0xf4]), .range(0x80...0x8f), tail, tail]),
    ]
  }()

  /// Without halves of surrogate pairs: each escape is one character.
  private static let escape: BytePattern = {
    let digit = BytePattern.any(of: "0123456789abcdefABCDEF")
    let basic = BytePattern.choice([
      .sequence([.any(of: "0123456789abcefABCEF"), digit]),
      .sequence([.any(of: "dD"), .any(of: "01234567")]),
    ])
    return .sequence([
      .text("\\"),
      .choice([.any(of: "\"\\/bfnrt"), .sequence([.text("u"), basic, digit, digit])]),
    ])
  }()

  private static func digits(_ least: Int, _ most: Int) -> BytePattern {
    .times(.range(0x30...0x39), least: least, most: most)
  }

  private static let fraction = BytePattern.sequence([.text("."), digits(1, 17)])
  private static let exponent = BytePattern.sequence([
    .any(of: "eE"), .optional(.any(of: "+-")), digits(1, 2),
  ])
}
