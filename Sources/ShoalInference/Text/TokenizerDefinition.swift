// Everything that decides how a model's text becomes tokens. A tokenizer is built from this alone,
// so a peer that fetched these bytes tokenises as the peer does that imported the model.

import ShoalProtocol

/// A token of a vocabulary: its row in the embedding. Never negative in a vocabulary; an `Int32`
/// as in every file format and kernel that holds lists of them.
public typealias TokenID = Int32

/// A vocabulary and its rules, with nothing left to be guessed.
public struct TokenizerDefinition: Hashable, Sendable {
  /// How text is cut into tokens.
  public enum Kind: UInt8, Hashable, Sendable {
    /// SentencePiece's BPE: pairs merge by the score of what they merge into; what has no token
    /// is spelled in bytes.
    case sentencePiece = 1
    /// GPT-2's BPE: words merge by an ordered list of pairs, over bytes.
    case byteLevel = 2
  }

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

  public var kind: Kind
  /// How text is cut into words before pairs merge. SentencePiece has no such step.
  public var preTokenizer: PreTokenizer?
  /// As the vocabulary spells them: spaces as U+2581 (SentencePiece) or bytes as letters (GPT-2).
  public var tokens: ByteStrings
  /// One per token.
  public var types: [TokenType]
  /// One per token for SentencePiece, else empty.
  public var scores: [Float]
  /// "left right", the most urgent first. Empty for SentencePiece.
  public var merges: ByteStrings
  /// Put before text if asked for special tokens.
  public var beginning: TokenID?
  /// Put after text if asked for special tokens.
  public var end: TokenID?
  public var unknown: TokenID?
  /// After any of these a model has finished. Sorted.
  public var endOfGeneration: [TokenID]
  /// Tokens that swallow the white space after them when parsed from text. Sorted.
  public var swallowingSpace: [TokenID]
  public var addsBeginning: Bool
  public var addsEnd: Bool
  /// Whether text starts with a space that its author did not write.
  public var addsSpacePrefix: Bool
  /// Whether a word that is a token as a whole is taken without merging.
  public var ignoresMerges: Bool

  public init(
    kind: Kind, preTokenizer: PreTokenizer?, tokens: ByteStrings, types: [TokenType],
    scores: [Float], merges: ByteStrings
  ) {
    self.kind = kind
    self.preTokenizer = preTokenizer
    self.tokens = tokens
    self.types = types
    self.scores = scores
    self.merges = merges
    endOfGeneration = []
    swallowingSpace = []
    addsBeginning = false
    addsEnd = false
    addsSpacePrefix = false
    ignoresMerges = false
  }

  /// Checks what the parts promise each other. A tokenizer checks that tokens differ.
  public func validate() throws(TokenizerError) {
    guard tokens.count <= Limits.tokens else {
      throw .tooMany(field: "tokens", limit: Limits.tokens, found: tokens.count)
    }
    guard merges.count <= Limits.merges else {
      throw .tooMany(field: "merges", limit: Limits.merges, found: merges.count)
    }
    try count("token types", types.count)
    switch kind {
    case .sentencePiece:
      try count("scores", scores.count)
      if let bad = scores.firstIndex(where: { !$0.isFinite }) {
        throw .score(token: TokenID(bad), value: scores[bad])
      }
    case .byteLevel:
      guard preTokenizer != nil else { throw .missing(field: "pre-tokenizer") }
    }
    for (index, token) in tokens.enumerated() where token.count > Limits.tokenBytes {
      throw .tokenTooLong(token: TokenID(index), limit: Limits.tokenBytes, bytes: token.count)
    }
    try inVocabulary("beginning", beginning, needed: addsBeginning)
    try inVocabulary("end", end, needed: addsEnd)
    try inVocabulary("unknown", unknown, needed: false)
    for token in endOfGeneration { try inVocabulary("end of generation", token, needed: true) }
    for token in swallowingSpace { try inVocabulary("swallowing space", token, needed: true) }
  }

  private func count(_ field: String, _ found: Int) throws(TokenizerError) {
    guard found == tokens.count else {
      throw .count(field: field, expected: tokens.count, found: found)
    }
  }

  private func inVocabulary(
    _ field: String, _ token: TokenID?, needed: Bool
  ) throws(TokenizerError) {
    guard let token else {
      if needed { throw .missing(field: field) }
      return
    }
    guard tokens.indices.contains(Int(token)) else {
      throw .outside(field: field, token: Int(token), vocabulary: tokens.count)
    }
  }
}
