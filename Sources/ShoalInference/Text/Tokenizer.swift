// Text to tokens and back, for one vocabulary.

/// A tokenizer. Building one indexes its vocabulary (tens of milliseconds for 128k tokens); copies
/// share the index.
public struct Tokenizer: Sendable {
  public let definition: TokenizerDefinition

  private enum Model: Sendable {
    case pairs(PairModel)
    case scoredPairs(ScoredPairModel)
    case unigram(UnigramModel)
    case wordPiece(WordPieceModel)
    case wordLevel(WordLevelModel)
  }

  /// The same way with and without control tokens in it.
  private struct Splitters: Sendable {
    let raw: AddedTokenSplitter
    let normalized: AddedTokenSplitter

    init(
      _ definition: TokenizerDefinition, _ normalizers: [NormalizerPass],
      where isWanted: (AddedToken) -> Bool
    ) {
      raw = AddedTokenSplitter(definition, where: { isWanted($0) && !$0.isNormalized })
      // What is looked for in normalised text is normalised, too.
      normalized = AddedTokenSplitter(
        definition,
        spelled: { text in normalizers.reduce(text) { $1.apply($0, isFirst: true) } },
        where: { isWanted($0) && $0.isNormalized })
    }
  }

  private let model: Model
  private let normalizers: [NormalizerPass]
  private let cuts: [CutPass]
  private let vocabulary: ByteStringIndex
  private let userTokens: Splitters
  private let allTokens: Splitters
  private let ends: Set<TokenID>
  let text: TokenText

  /// Throws what `TokenizerDefinition.validate` does, `.duplicate` for two equal tokens, and
  /// `.expression` for an expression that cannot be run.
  public init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    try definition.validate()
    self.definition = definition
    vocabulary = try Self.index(definition)
    model = try Self.model(definition, vocabulary)
    var normalizers: [NormalizerPass] = []
    for step in definition.normalizers { normalizers.append(try NormalizerPass(step)) }
    self.normalizers = normalizers
    var cuts: [CutPass] = []
    for step in definition.cuts { cuts.append(try CutPass(step)) }
    self.cuts = cuts
    text = try TokenText(definition)
    let types = definition.types
    userTokens = Splitters(definition, normalizers) { types[Int($0.token)] == .userDefined }
    allTokens = Splitters(definition, normalizers) { _ in true }
    ends = Set(definition.endOfGeneration)
  }

  private static func index(
    _ definition: TokenizerDefinition
  ) throws(TokenizerError) -> ByteStringIndex {
    var vocabulary = ByteStringIndex(reserving: definition.tokens.count)
    for (index, token) in definition.tokens.enumerated() {
      if token.isEmpty {
        vocabulary.append(token)
        continue
      }
      let (position, isNew) = vocabulary.insert(token)
      guard isNew else { throw .duplicate(TokenID(position), TokenID(index)) }
    }
    return vocabulary
  }

  /// A model that no text can move to give a control token: it does not know their spelling.
  private static func model(
    _ definition: TokenizerDefinition, _ vocabulary: ByteStringIndex
  ) throws(TokenizerError) -> Model {
    var known = ByteStringIndex(reserving: definition.tokens.count)
    for (index, token) in definition.tokens.enumerated() {
      let isControl = definition.types[index] == .control || definition.types[index] == .unknown
      if isControl || token.isEmpty { known.append(token) } else { _ = known.insert(token) }
    }
    switch definition.model {
    case .pairs(let rules): return .pairs(PairModel(definition, rules, known))
    case .scoredPairs(let rules): return .scoredPairs(ScoredPairModel(definition, rules, known))
    case .unigram(let rules): return .unigram(try UnigramModel(definition, rules, vocabulary))
    case .wordPiece(let rules): return .wordPiece(try WordPieceModel(definition, rules, known))
    case .wordLevel: return .wordLevel(WordLevelModel(definition, known))
    }
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
    var tokens = addSpecial ? definition.before : []
    encode(Array(text.utf8), parseSpecial: parseSpecial, isFirst: true, into: &tokens)
    if addSpecial { tokens += definition.after }
    return tokens
  }

  /// The tokens of a text that is part trusted, part not: only in trusted spans do control tokens
  /// that are spelled out become those tokens. What is between two control tokens is normalised
  /// and cut as one text, so that a span's end makes no difference to any other text.
  public func encode(_ text: MarkedText, addSpecial: Bool) -> [TokenID] {
    var tokens = addSpecial ? definition.before : []
    for part in text.parts(allTokens.raw, isControl) {
      switch part {
      case .token(let token): tokens.append(token)
      case .text(let bytes, let isFirst):
        encode(bytes, parseSpecial: false, isFirst: isFirst, into: &tokens)
      }
    }
    if addSpecial { tokens += definition.after }
    return tokens
  }

  private func encode(
    _ bytes: [UInt8], parseSpecial: Bool, isFirst: Bool, into tokens: inout [TokenID]
  ) {
    let splitters = parseSpecial ? allTokens : userTokens
    var merging = PairMerging()
    for part in splitters.raw.split(bytes) {
      switch part {
      case .token(let token, _): tokens.append(token)
      case .text(let range):
        let isFirst = isFirst && range.lowerBound == 0
        var normalized = Array(bytes[range])
        for pass in normalizers { normalized = pass.apply(normalized, isFirst: isFirst) }
        for part in splitters.normalized.split(normalized) {
          switch part {
          case .token(let token, _): tokens.append(token)
          case .text(let range):
            encodeWords(
              Array(normalized[range]), isFirst: isFirst && range.lowerBound == 0, &merging,
              into: &tokens)
          }
        }
      }
    }
  }

  private func encodeWords(
    _ text: [UInt8], isFirst: Bool, _ merging: inout PairMerging, into tokens: inout [TokenID]
  ) {
    var cut = CutText(text)
    for pass in cuts { pass.apply(&cut, isFirst: isFirst) }
    for word in cut.words {
      switch model {
      case .pairs(let model): model.encode(cut.text, word, &merging, into: &tokens)
      case .scoredPairs(let model): model.encode(cut.text, word, &merging, into: &tokens)
      case .unigram(let model): model.encode(cut.text, word, into: &tokens)
      case .wordPiece(let model): model.encode(cut.text, word, into: &tokens)
      case .wordLevel(let model): model.encode(cut.text, word, into: &tokens)
      }
    }
  }

  /// The bytes that a token adds to a text, which need not be whole characters. A control token
  /// gives its name. Empty for an id that the vocabulary does not have.
  public func bytes(of token: TokenID) -> [UInt8] { Array(text.piece(token, isFirst: false)) }

  /// Whether a token steers the model and is not meant to be read.
  public func isControl(_ token: TokenID) -> Bool {
    guard definition.types.indices.contains(Int(token)) else { return false }
    let type = definition.types[Int(token)]
    return type == .control || type == .unknown
  }

  /// Whether a token that steers the model is read all the same, as SentencePiece's unknown is.
  func isVisible(_ token: TokenID) -> Bool {
    token == definition.unknown && !definition.unknownText.isEmpty
  }

  /// Whether a model that chose this token has finished.
  public func isEndOfGeneration(_ token: TokenID) -> Bool { ends.contains(token) }

  /// The token that is spelled so in the vocabulary, such as `<|im_start|>`.
  public func token(spelled text: String) -> TokenID? {
    vocabulary.find(text.utf8).map { TokenID($0) }
  }

  /// The text of a whole sequence, without the space that encoding added.
  ///
  /// - Parameter showsControl: whether control tokens appear by name.
  public func decode(_ tokens: [TokenID], showsControl: Bool = false) -> String {
    var detokenizer = StreamingDetokenizer(self, continuing: false, showsControl: showsControl)
    var text = ""
    for token in tokens { text += detokenizer.append(token) }
    return text + detokenizer.finish()
  }
}
