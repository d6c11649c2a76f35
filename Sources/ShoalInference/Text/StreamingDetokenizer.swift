// Text out of tokens as they come. A token may end inside of a character; text never does.

/// Holds back the bytes of an unfinished character until the tokens that finish it arrive.
public struct StreamingDetokenizer: Sendable {
  private let tokenizer: Tokenizer
  private let showsControl: Bool
  /// Whether no token has come yet that is read.
  private var isFirst: Bool
  /// How often what encoding put before a text may still be dropped.
  private var drops: Int
  /// At most three bytes of a character, and a space that only counts if a token follows.
  private var unfinished: [UInt8] = []

  /// - Parameters:
  ///   - continuing: whether the tokens go on from a text, as generated ones do from a prompt. Only
  ///     the start of a text has a space that nobody wrote.
  ///   - showsControl: whether control tokens appear by name.
  public init(_ tokenizer: Tokenizer, continuing: Bool, showsControl: Bool = false) {
    self.tokenizer = tokenizer
    self.showsControl = showsControl
    isFirst = !continuing
    drops = continuing ? 0 : tokenizer.text.droppedCount
  }

  /// The characters that this token completes. Bytes that can be no character become U+FFFD.
  public mutating func append(_ token: TokenID) -> String {
    if !showsControl, tokenizer.isControl(token), !tokenizer.isVisible(token) { return "" }
    let text = tokenizer.text
    var bytes = unfinished + text.piece(token, isFirst: isFirst)
    isFirst = false
    while drops > 0, !bytes.isEmpty {
      guard bytes.starts(with: text.droppedAtStart) else {
        drops = 0
        break
      }
      bytes.removeFirst(text.droppedAtStart.count)
      drops -= 1
    }
    var whole = bytes.count - Self.unfinishedCount(bytes)
    if text.holdsLastSpace, whole == bytes.count, bytes.last == UInt8(ascii: " ") { whole -= 1 }
    unfinished = Array(bytes[whole...])
    return String(decoding: bytes[..<whole], as: UTF8.self)
  }

  /// What is left when no more tokens come: U+FFFD for a character that was never finished.
  public mutating func finish() -> String {
    defer { unfinished = [] }
    if tokenizer.text.holdsLastSpace, unfinished == [UInt8(ascii: " ")] { return "" }
    return String(decoding: unfinished, as: UTF8.self)
  }

  /// How many bytes at the end begin a character that needs more.
  private static func unfinishedCount(_ bytes: [UInt8]) -> Int {
    for count in 1...3 where count <= bytes.count {
      let byte = bytes[bytes.count - count]
      if byte & 0xc0 == 0x80 { continue }
      return UTF8Form.length(of: byte) > count && byte < 0xf8 ? count : 0
    }
    return 0
  }
}
