// Text out of tokens as they come. A token may end inside of a character; text never does.

/// Holds back the bytes of an unfinished character until the tokens that finish it arrive.
public struct StreamingDetokenizer: Sendable {
  private let tokenizer: Tokenizer
  private let showsControl: Bool
  /// Whether the space that encoding put before a text is still to be dropped.
  private var dropsSpace: Bool
  /// At most three bytes.
  private var unfinished: [UInt8] = []

  /// - Parameters:
  ///   - continuing: whether the tokens go on from a text, as generated ones do from a prompt. Only
  ///     the start of a text has a space that nobody wrote.
  ///   - showsControl: whether control tokens appear by name.
  public init(_ tokenizer: Tokenizer, continuing: Bool, showsControl: Bool = false) {
    self.tokenizer = tokenizer
    self.showsControl = showsControl
    dropsSpace = !continuing && tokenizer.definition.addsSpacePrefix
  }

  /// The characters that this token completes. Bytes that can be no character become U+FFFD.
  public mutating func append(_ token: TokenID) -> String {
    if !showsControl, tokenizer.isControl(token) { return "" }
    var bytes = unfinished + tokenizer.bytes(of: token)
    if dropsSpace, let first = bytes.first {
      if first == UInt8(ascii: " ") { bytes.removeFirst() }
      dropsSpace = false
    }
    let whole = bytes.count - Self.unfinishedCount(bytes)
    unfinished = Array(bytes[whole...])
    return String(decoding: bytes[..<whole], as: UTF8.self)
  }

  /// What is left when no more tokens come: U+FFFD for a character that was never finished.
  public mutating func finish() -> String {
    defer { unfinished = [] }
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
