// Everything that decides how a model's text becomes tokens and tokens become text. A tokenizer is
// built from this alone, so a peer that fetched these bytes tokenises as the peer does that
// imported the model.

import ShoalProtocol

/// A token of a vocabulary: its row in the embedding. Never negative in a vocabulary; an `Int32`
/// as in every file format and kernel that holds lists of them.
public typealias TokenID = Int32

/// A vocabulary and its rules, with nothing left to be guessed. The way of a text: added tokens
/// are found, what is between them is normalised, cut into words, and each word encoded.
public struct TokenizerDefinition: Hashable, Sendable {
  /// What a token stands for, by SentencePiece's numbers.
  public enum TokenType: UInt8, Hashable, Sendable {
    case undefined = 0
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  public var model: TokenizerModel
  public var normalizers: [NormalizerStep] = []
  public var cuts: [CutStep] = []
  public var decoding: [DecodingStep] = []
  /// As the vocabulary spells them: spaces as U+2581 (SentencePiece) or bytes as letters (GPT-2).
  /// An empty one is a gap that no text has.
  public var tokens: ByteStrings
  /// One per token.
  public var types: [TokenType]
  /// One per token where the model is scored, else empty.
  public var scores: [Double] = []
  /// Left, right, left, right: pairs that merge, the most urgent first; for `TokenizerModel.pairs`.
  public var merges = ByteStrings()
  /// What is found in texts as a whole, in ascending order.
  public var added: [AddedToken] = []
  /// Put before and after a text if asked for special tokens.
  public var before: [TokenID] = []
  public var after: [TokenID] = []
  /// What the model calls the beginning and end of a text: chat templates name them.
  public var beginning: TokenID?
  public var end: TokenID?
  public var unknown: TokenID?
  /// What an unknown token adds to a text; nothing in most.
  public var unknownText = ""
  /// After any of these a model has finished. Sorted.
  public var endOfGeneration: [TokenID] = []

  public init(model: TokenizerModel, tokens: ByteStrings, types: [TokenType]) {
    self.model = model
    self.tokens = tokens
    self.types = types
  }

  /// Checks what the parts promise each other. A tokenizer checks that tokens differ, and that
  /// expressions are ones that it can run.
  public func validate() throws(TokenizerError) {
    try limit("tokens", tokens.count, Limits.tokens)
    try limit("merges", merges.count / 2, Limits.merges)
    guard merges.count.isMultiple(of: 2) else { throw .missing(field: "half of a merge") }
    try limit("normalizers", normalizers.count, Limits.tokenizerSteps)
    try limit("pre-tokenizers", cuts.count, Limits.tokenizerSteps)
    try limit("decoders", decoding.count, Limits.tokenizerSteps)
    try count("token types", types.count)
    switch model {
    case .scoredPairs, .unigram: try count("scores", scores.count)
    case .pairs, .wordPiece, .wordLevel: break
    }
    if let bad = scores.firstIndex(where: { !$0.isFinite }) {
      throw .score(token: TokenID(bad), value: scores[bad])
    }
    for (index, token) in tokens.enumerated() where token.count > Limits.tokenBytes {
      throw .tokenTooLong(token: TokenID(index), limit: Limits.tokenBytes, bytes: token.count)
    }
    for token in before { try inVocabulary("template", token) }
    for token in after { try inVocabulary("template", token) }
    for token in [beginning, end, unknown] { try inVocabulary("special", token) }
    for token in endOfGeneration { try inVocabulary("end of generation", token) }
    for added in added { try inVocabulary("added", added.token) }
  }

  private func limit(_ field: String, _ found: Int, _ limit: Int) throws(TokenizerError) {
    guard found <= limit else { throw .tooMany(field: field, limit: limit, found: found) }
  }

  private func count(_ field: String, _ found: Int) throws(TokenizerError) {
    guard found == tokens.count else {
      throw .count(field: field, expected: tokens.count, found: found)
    }
  }

  private func inVocabulary(_ field: String, _ token: TokenID?) throws(TokenizerError) {
    guard let token else { return }
    guard tokens.indices.contains(Int(token)) else {
      throw .outside(field: field, token: Int(token), vocabulary: tokens.count)
    }
  }
}
