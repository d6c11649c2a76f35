// Why a vocabulary was refused.

public import ShoalProtocol

public enum TokenizerError: Error, Hashable, Sendable {
  /// `tokenizer.ggml.model` of a file.
  case unknownModel(String, known: [String])
  /// `tokenizer.ggml.pre` of a file.
  case unknownPreTokenizer(String, known: [String])
  case missing(field: String)
  case count(field: String, expected: Int, found: Int)
  case tooMany(field: String, limit: Int, found: Int)
  case tokenTooLong(token: TokenID, limit: Int, bytes: Int)
  case unknownTokenType(token: TokenID, type: Int)
  case score(token: TokenID, value: Float)
  /// A special token that the vocabulary does not have.
  case outside(field: String, token: Int, vocabulary: Int)
  case duplicate(TokenID, TokenID)
  /// A key of a GGUF file.
  case metadata(GGUFError)
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
    case .wire(let error): "tokenizer: \(error)"
    }
  }
}
