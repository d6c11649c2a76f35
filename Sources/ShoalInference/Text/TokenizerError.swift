// Why a vocabulary was refused.

public import ShoalProtocol

public enum TokenizerError: Error, Hashable, Sendable {
  /// `tokenizer.ggml.model` of a GGUF file, or `model.type` of a `tokenizer.json`.
  case unknownModel(String, known: [String])
  /// `tokenizer.ggml.pre` of a file.
  case unknownPreTokenizer(String, known: [String])
  /// A part of a file that is read but not known here, and where it stands.
  case unknownPart(path: String, name: String)
  case expression(String, ExpressionError)
  /// SentencePiece's table of replacements leads outside of itself.
  case charsmap(offset: Int)
  /// A SentencePiece model that is no protocol buffer, or none of that kind.
  case sentencePiece(offset: Int, reason: String)
  /// A file of tokens, merges or ranks, and the line that is none.
  case line(file: String, line: Int)
  case missing(field: String)
  case count(field: String, expected: Int, found: Int)
  case tooMany(field: String, limit: Int, found: Int)
  case tokenTooLong(token: TokenID, limit: Int, bytes: Int)
  case unknownTokenType(token: TokenID, type: Int)
  case score(token: TokenID, value: Double)
  /// A special token that the vocabulary does not have.
  case outside(field: String, token: Int, vocabulary: Int)
  case duplicate(TokenID, TokenID)
  /// A key of a GGUF file.
  case metadata(GGUFError)
  case json(file: String, JSONError)
  /// A canonical definition that cannot be read.
  case wire(WireError)
}

extension TokenizerError: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    switch self {
    case .unknownModel(let name, let known):
      "unknown tokenizer \(name); known: \(known.joined(separator: ", "))"
    case .unknownPreTokenizer(let name, let known):
      "unknown pre-tokenizer \(name); known: \(known.joined(separator: ", "))"
    case .unknownPart(let path, let name): "tokenizer: \(path) is \(name), which is not known"
    case .expression(let text, let error):
      "tokenizer: the expression \(text.debugDescription): \(error)"
    case .charsmap(let offset): "tokenizer: charsmap is damaged at byte \(offset)"
    case .sentencePiece(let offset, let reason):
      "tokenizer.model: \(reason) at byte \(offset)"
    case .line(let file, let line): "\(file): line \(line) is not what it should be"
    case .missing(let field): "tokenizer: \(field) is missing"
    case .count(let field, let expected, let found):
      "tokenizer: \(found) \(field) for \(expected) tokens"
    case .tooMany(let field, let limit, let found):
      "tokenizer: \(found) \(field), the limit is \(limit)"
    case .tokenTooLong(let token, let limit, let bytes):
      "tokenizer: token \(token) has \(bytes) bytes, the limit is \(limit)"
    case .unknownTokenType(let token, let type):
      "tokenizer: token \(token) has the unknown type \(type)"
    case .score(let token, let value): "tokenizer: token \(token) has the score \(value)"
    case .outside(let field, let token, let vocabulary):
      "tokenizer: \(field) is token \(token) of \(vocabulary)"
    case .duplicate(let first, let second): "tokenizer: tokens \(first) and \(second) are equal"
    case .metadata(let error): error.description
    case .json(let file, let error): "\(file): \(error)"
    case .wire(let error): "tokenizer: \(error)"
    }
  }
}
