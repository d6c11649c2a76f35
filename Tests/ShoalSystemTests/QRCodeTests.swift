// QR codes against those of the Python package qrcode 8.2, of the same version, level and mask.

import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct QRCodeTests {
  private static func rows(_ code: QRCode) -> String {
    (0..<code.size).map { row in
      (0..<code.size).map { code[row, $0] ? "1" : "0" }.joined()
    }.joined(separator: "\n")
  }

  /// Text of so many letters, the same in the program that made the expected codes.
  private static func text(_ count: Int, lowercase: Bool) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    let text = String((0..<count).map { alphabet[($0 * $0 + 7 * $0) % 32] })
    return lowercase ? text.lowercased() : text
  }

  @Test func `a small code has these modules`() throws {
    let code = try QRCode("HELLO 123", mask: 0)
    #expect(
      Self.rows(code) == """
        111111100101101111111
        100000100111001000001
        101110101101101011101
        101110100101001011101
        101110100010101011101
        100000100000101000001
        111111101010101111111
        000000001101100000000
        111011111111011000100
        000011010010001100001
        100001111110100011000
        010111000110001101110
        100000100010101010101
        000000001011010110101
        111111101111011111100
        100000101111110101010
        101110101101011001111
        101110100010001010010
        101110101100100111001
        100000101100001001011
        111111101110101010101
        """)
  }

  struct Expected: Sendable {
    let version: Int
    let count: Int
    let lowercase: Bool
    let mask: Int
    let hash: String
  }

  static let codes = [
    Expected(
      version: 7, count: 200, lowercase: false, mask: 1,
      hash: "762c26c2b3fb382ee638c5a7058dd002be6b52726020603e6de6cfb8a7e19115"),
    Expected(
      version: 10, count: 382, lowercase: false, mask: 2,
      hash: "95f0584d686771bd7a05ac83768a80b03d5519ed5280c56273a68cc4e28dd808"),
    Expected(
      version: 13, count: 600, lowercase: false, mask: 4,
      hash: "9c536454eec466bdd15467a403cd8c34442c29463413ee74c52d639736c46ead"),
    Expected(
      version: 18, count: 700, lowercase: true, mask: 5,
      hash: "d7f084de6a94757859d653a866b1bb82dfd2d272c00396cf6947c2a7ff4ab296"),
    Expected(
      version: 32, count: 1_850, lowercase: true, mask: 6,
      hash: "ef3014f3f219fb8198ed2703c2a408c240f47703d6c0bc5adfcefba488de8bcd"),
    Expected(
      version: 40, count: 4_296, lowercase: false, mask: 7,
      hash: "f017add1c47f5709709f1649dabdd3bf6919987aeeaa2e765f6d636c4672b702"),
  ]

  @Test(arguments: codes.indices)
  func `larger codes, of blocks that are uneven and masks of every kind, have these modules`(
    _ index: Int
  ) throws {
    let expected = Self.codes[index]
    let code = try QRCode(
      Self.text(expected.count, lowercase: expected.lowercase), mask: expected.mask)
    #expect(code.version == expected.version)
    #expect(BLAKE2b.hash(Array(Self.rows(code).utf8)).hex == expected.hash)
  }

  @Test func `what no code holds is refused with both numbers`() throws {
    #expect(try QRCode(String(repeating: "A", count: 4_296)).version == 40)
    #expect(throws: QRCodeError.tooLong(bits: 23_651, limit: 23_648)) {
      try QRCode(String(repeating: "A", count: 4_297))
    }
    #expect(throws: QRCodeError.self) { try QRCode(String(repeating: "a", count: 2_954)) }
    #expect(try QRCode("").version == 1)
  }

  @Test func `the drawing has each module, and four light ones around`() throws {
    let code = try QRCode("shoal")
    for colours in [false, true] {
      let lines = code.drawing(colours: colours).split(separator: "\n").map { line in
        line.replacing("\u{1b}[30;107m", with: "").replacing("\u{1b}[0m", with: "")
      }
      #expect(lines.count == (code.size + 9) / 2)
      for (number, line) in lines.enumerated() {
        #expect(line.count == code.size + 8)
        for (place, character) in line.enumerated() {
          for (half, marks) in ["\u{2580}\u{2588}", "\u{2584}\u{2588}"].enumerated() {
            let (row, column) = (2 * number + half - 4, place - 4)
            let inside = 0..<code.size
            let isDark =
              inside.contains(row) && inside.contains(column) ? code[row, column] : false
            #expect(marks.contains(character) == isDark)
          }
        }
      }
    }
  }

  @Test func `an invite of one bootstrap address is a code within 80 columns`()
    throws
  {
    var chance = RandomSourceGenerator(Entropy())
    let network = try NetworkDescriptor(
      name: "home", admission: .invite, salt: .zero, privateKey: NetworkKey(using: &chance),
      bootstrap: ["192.0.2.1:7432"])
    let invite = Invite(
      to: network, by: PeerIdentity(using: &chance), expiresAt: UnixTime(seconds: 1_900_000_000),
      useLimit: 1, using: &chance)
    let code = try QRCode(invite.text)
    #expect(code.size + 8 <= 80)
  }
}
