// How words become tokens: the kinds of model, each with what it may vary.

/// Rules of BPE by an ordered list of pairs.
public struct PairRules: Hashable, Sendable {
  /// Whether a word that is a token as a whole is taken without merging.
  public var ignoresMerges = false
  /// Whether a character without a token is spelled by tokens such as `<0x0A>`.
  public var spellsUnknownBytes = false
  /// Whether neighbouring unknown characters are one unknown token.
  public var fusesUnknown = false
  /// Before every piece of a word but the first; usually nothing.
  public var continuingPrefix = ""
  /// After the last piece of a word; usually nothing.
  public var endSuffix = ""

  public init() {}
}

/// Rules of SentencePiece's BPE, where the score of what two pieces merge into orders the merges.
public struct ScoredPairRules: Hashable, Sendable {
  /// Whether neighbouring unknown characters are one unknown token.
  public var fusesUnknown = false
  /// Whether a word that is a token as a whole is taken without merging, as tiktoken does.
  public var takesWholeWords = false

  public init() {}
}

/// Rules of the unigram language model.
public struct UnigramRules: Hashable, Sendable {
  public var spellsUnknownBytes = false
  /// Whether sums of scores are rounded to a `Float` each time, as SentencePiece does.
  public var addsInSinglePrecision = false

  public init() {}
}

/// Rules of WordPiece.
public struct WordPieceRules: Hashable, Sendable {
  /// Before the first piece of a word: nothing, or U+2581 in GGUF files.
  public var wordPrefix = ""
  /// Before every other piece: `##`, or nothing in GGUF files.
  public var continuingPrefix = "##"
  /// A word of more characters is unknown.
  public var longestWord = 100

  /// A length that no word has.
  public static let unlimited = Int(Int32.max)

  public init() {}
}

/// How words become tokens.
public enum TokenizerModel: Hashable, Sendable {
  case pairs(PairRules)
  case scoredPairs(ScoredPairRules)
  case unigram(UnigramRules)
  case wordPiece(WordPieceRules)
  case wordLevel
}

/// A token that is found in a text before anything else looks at it.
public struct AddedToken: Hashable, Sendable {
  public var token: TokenID
  /// Whether white space before it is part of it.
  public var takesSpaceBefore = false
  /// Whether white space after it is part of it.
  public var takesSpaceAfter = false
  /// Whether letters or digits may not touch it.
  public var isWholeWord = false
  /// Whether it is looked for in the normalised text instead of the text as it came.
  public var isNormalized = false

  public init(_ token: TokenID) { self.token = token }
}

/// One step of the way from tokens to text, as in Hugging Face's `tokenizer.json`.
public enum DecodingStep: Hashable, Sendable {
  /// GPT-2's letters become bytes.
  case byteLevel
  /// Tokens such as `<0x0A>` become bytes.
  case byteFallback
  case replace(TextPattern, with: String)
  /// The replacement becomes a space; at the start of the text, nothing, unless the scheme is
  /// `never`.
  case metaspace(replacement: String, PrefixScheme)
  /// Pieces that continue lose the prefix, all others but the first get a space before them; clean-
  /// up takes spaces before marks out again.
  case wordPiece(prefix: String, cleansUp: Bool)
  /// GGUF's WordPiece: pieces that begin with the prefix begin words.
  case wordStart(prefix: String)
  /// A suffix that ends words becomes a space, at the end of the text nothing.
  case wordEnd(suffix: String)
  /// Takes up to so many of the character off every token, or the text if it was joined before.
  case strip(String, start: Int, end: Int)
  /// Joins the tokens: steps after this one see one text.
  case fuse
  /// Puts spaces between tokens.
  case spaced
}
