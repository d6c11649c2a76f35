// A text whose author is not one: a chat template's own words, which may name control tokens, and
// a user's, which may not.

/// A text in spans, each trusted to name control tokens or not.
public struct MarkedText: Hashable, Sendable {
  public struct Span: Hashable, Sendable {
    public var text: String
    public var isTrusted: Bool
  }

  /// Neighbours differ in trust; none is empty.
  public private(set) var spans: [Span] = []

  public init() {}

  public mutating func append(_ text: String, isTrusted: Bool) {
    guard !text.isEmpty else { return }
    if let last = spans.indices.last, spans[last].isTrusted == isTrusted {
      spans[last].text += text
    } else {
      spans.append(Span(text: text, isTrusted: isTrusted))
    }
  }

  /// All of it, without the marks.
  public var text: String { spans.map(\.text).joined() }

  enum Part {
    case token(TokenID)
    case text([UInt8], isFirst: Bool)
  }

  /// Cut at the control tokens of trusted spans; what stands between two of them is one text.
  func parts(_ splitter: AddedTokenSplitter, _ isControl: (TokenID) -> Bool) -> [Part] {
    var parts: [Part] = []
    var text: [UInt8] = []
    var isFirst = true
    for span in spans {
      let bytes = Array(span.text.utf8)
      guard span.isTrusted else {
        text += bytes
        continue
      }
      for match in splitter.split(bytes) {
        switch match {
        case .text(let range): text += bytes[range]
        case .token(let token, let range):
          guard isControl(token) else {
            text += bytes[range]
            continue
          }
          if !text.isEmpty { parts.append(.text(text, isFirst: isFirst)) }
          text = []
          isFirst = false
          parts.append(.token(token))
        }
      }
    }
    if !text.isEmpty { parts.append(.text(text, isFirst: isFirst)) }
    return parts
  }
}
