// A whole text as a model reads it.

/// Tokens, and of which part of the text each of them is.
public struct EncodedText: Hashable, Sendable, ExpressibleByArrayLiteral {
  public let tokens: [UInt32]
  /// The type of each token (BERT's segments); empty: all are of the first.
  public let types: [UInt8]

  public init(_ tokens: [UInt32], types: [UInt8] = []) {
    self.tokens = tokens
    self.types = types
  }
  public init(arrayLiteral tokens: UInt32...) { self.init(tokens) }

  public var count: Int { tokens.count }
  public func type(_ token: Int) -> Int { types.isEmpty ? 0 : Int(types[token]) }
  /// Whether each token has a type, or none, and all are below `limit`.
  public func hasTypes(below limit: Int) -> Bool {
    types.isEmpty || types.count == tokens.count && types.allSatisfy { $0 < limit }
  }
}
