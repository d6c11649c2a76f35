// How the rows of a text become one vector: what a model states, or a client asks for.

/// Which rows of a text's last layer count.
public enum Pooling: UInt8, Sendable, Hashable, CaseIterable {
  /// The mean over all tokens, special ones included.
  case mean = 1
  /// The first token's (BERT's [CLS]).
  case first = 2
  /// The last token's: of decoders, the only one that has seen the whole text.
  case last = 3
}

public struct PoolingOptions: Sendable, Hashable {
  public var kind: Pooling
  /// The vector is divided by its length.
  public var isNormalised: Bool

  public init(_ kind: Pooling, isNormalised: Bool) {
    self.kind = kind
    self.isNormalised = isNormalised
  }
}
