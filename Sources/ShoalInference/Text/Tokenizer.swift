// Text to tokens and back, for one vocabulary.

/// A tokenizer. Building one indexes its vocabulary (tens of milliseconds for 128k tokens); copies
/// share the index.
public struct Tokenizer: Sendable {
  public let definition: TokenizerDefinition

  private enum Encoder: Sendable {
    case sentencePiece(SentencePieceBPE)
    case byteLevel(ByteLevelBPE)
  }

  private let encoder: Encoder
  private let vocabulary: ByteStringIndex
  /// The bytes that each token adds to a text.
  private let pieces: ByteStrings
  private let userTokens: SpecialTokenSplitter
  private let allTokens: SpecialTokenSplitter
  private let ends: Set<TokenID>

  /// Throws what `TokenizerDefinition.validate` does, and `.duplicate` for two equal tokens.
  public init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    try definition.validate()
    var vocabulary = ByteStringIndex(reserving: definition.tokens.count)
    for (index, token) in definition.tokens.enumerated() {
      // Empty tokens fill gaps in a vocabulary; no text has them.
      if token.isEmpty {
        vocabulary.append(token)
        continue
      }
      let (position, isNew) = vocabulary.insert(token)
      guard isNew else { throw .duplicate(TokenID(position), TokenID(index)) }
    }
    switch (definition.kind, definition.preTokenizer) {
    case (.sentencePiece, _):
      encoder = .sentencePiece(SentencePieceBPE(definition, vocabulary))
    case (.byteLevel, let preTokenizer?):
      encoder = .byteLevel(ByteLevelBPE(definition, preTokenizer, vocabulary))
    case (.byteLevel, nil):
      throw .missing(field: "pre-tokenizer")
    }
    self.definition = definition
    self.vocabulary = vocabulary
    pieces = Self.pieces(definition)
    userTokens = SpecialTokenSplitter(definition, types: [.userDefined])
    allTokens = SpecialTokenSplitter(definition, types: [.userDefined, .control, .unknown])
    ends = Set(definition.endOfGeneration)
  }

  /// How many tokens there are. Every id is below.
  public var count: Int { definition.tokens.count }

  /// The tokens of a text.
  ///
  /// - Parameters:
  ///   - addSpecial: whether the beginning and end tokens that the model wants are put around it.
  ///   - parseSpecial: whether control tokens spelled out in `text` become those tokens. Never for
  ///     text that a stranger wrote. Tokens that the vocabulary's author defined are always found.
  public func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
    let bytes = Array(text.utf8)
    var tokens: [TokenID] = []
    if addSpecial, definition.addsBeginning, let beginning = definition.beginning {
      tokens.append(beginning)
    }
    var followsToken = true
    for part in (parseSpecial ? allTokens : userTokens).split(bytes) {
      switch part {
      case .token(let token):
        tokens.append(token)
        followsToken = true
      case .text(let range):
        switch encoder {
        case .sentencePiece(let encoder):
          let prefix = definition.addsSpacePrefix && followsToken
          encoder.encode(bytes[range], prefix: prefix, into: &tokens)
        case .byteLevel(let encoder):
          encoder.encode(bytes[range], into: &tokens)
        }
        followsToken = false
      }
    }
    if addSpecial, definition.addsEnd, let end = definition.end { tokens.append(end) }
    return tokens
  }

  /// The bytes that a token adds to a text, which need not be whole characters. A control token
  /// gives its name. Empty for an id that the vocabulary does not have.
  public func bytes(of token: TokenID) -> [UInt8] {
    pieces.indices.contains(Int(token)) ? Array(pieces[Int(token)]) : []
  }

  /// Whether a token steers the model and is not meant to be read.
  public func isControl(_ token: TokenID) -> Bool {
    guard definition.types.indices.contains(Int(token)) else { return false }
    let type = definition.types[Int(token)]
    return type == .control || type == .unknown
  }

  /// Whether a model that chose this token has finished.
  public func isEndOfGeneration(_ token: TokenID) -> Bool { ends.contains(token) }

  /// The token that is spelled so in the vocabulary, such as `<|im_start|>`.
  public func token(spelled text: String) -> TokenID? {
    vocabulary.find(text.utf8).map { TokenID($0) }
  }

  /// The text of a whole sequence, without its control tokens and the space that encoding added.
  public func decode(_ tokens: [TokenID]) -> String {
    var detokenizer = StreamingDetokenizer(self, continuing: false)
    var text = ""
    for token in tokens { text += detokenizer.append(token) }
    return text + detokenizer.finish()
  }

  private static func pieces(_ definition: TokenizerDefinition) -> ByteStrings {
    var pieces = ByteStrings()
    pieces.reserve(strings: definition.tokens.count)
    for (token, type) in zip(definition.tokens, definition.types) {
      switch type {
      case .control, .unknown, .userDefined: pieces.append(token)
      case .byte: pieces.append(byte(of: token))
      case .unused, .undefined: pieces.append([])
      case .normal:
        switch definition.kind {
        case .sentencePiece: pieces.append(unescape(token))
        case .byteLevel: pieces.append(ByteLevelAlphabet.decode(token))
        }
      }
    }
    return pieces
  }

  /// The byte of a token such as `<0x0A>`.
  private static func byte(of token: ArraySlice<UInt8>) -> [UInt8] {
    let text = String(decoding: token, as: UTF8.self)
    guard token.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">"),
      let byte = UInt8(text.dropFirst(3).dropLast(), radix: 16)
    else { return Array(token) }
    return [byte]
  }

  private static func unescape(_ token: ArraySlice<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    var index = token.startIndex
    while index < token.endIndex {
      if token[index...].starts(with: SentencePieceBPE.space) {
        plain.append(UInt8(ascii: " "))
        index += SentencePieceBPE.space.count
      } else {
        plain.append(token[index])
        index += 1
      }
    }
    return plain
  }
}
