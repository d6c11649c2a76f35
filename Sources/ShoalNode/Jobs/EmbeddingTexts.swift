// From texts to what ranks are told; the same checks alone and over the mesh.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

/// The texts of a request as a model reads them.
public struct EmbeddingTexts: Sendable {
  /// Texts that lost their end.
  public let truncated: [Int]
  public let order: EmbeddingOrder

  /// Positions of one step: enough that a sum costs little beside the products, few enough that
  /// nobody waits long for a step.
  private static let stepPositions = 512

  public init(
    _ request: EmbeddingRequest, manifest: ModelManifest, tokenizer: Tokenizer
  ) throws(NodeError) {
    let shape = manifest.shape
    guard shape.recurrent == nil, let pooling = Self.pooling(request, shape) else {
      throw .makesNoVectors(request.model)
    }
    let limit = Self.longestText(shape)
    var (texts, truncated): ([EncodedText], [Int]) = ([], [])
    for (index, text) in request.texts.enumerated() {
      let (all, ending) = Self.read(text, tokenizer)
      guard all.count > 0 else { throw .emptyText(index) }
      if let bad = all.tokens.first(where: { $0 >= shape.vocabulary }) {
        throw .tokenOutOfRange(bad, vocabulary: shape.vocabulary)
      }
      guard all.hasTypes(below: max(1, shape.embedding.tokenTypes)) else {
        throw .tokenTypes(index, known: shape.embedding.tokenTypes)
      }
      if all.count <= limit {
        texts.append(all)
        continue
      }
      guard request.truncates, ending < limit else {
        throw .textTooLong(index, tokens: all.count, limit: limit)
      }
      texts.append(
        EncodedText(
          Array(all.tokens[..<(limit - ending)] + all.tokens.suffix(ending)),
          types: Array(all.types.prefix(limit))))
      truncated.append(index)
    }
    self.truncated = truncated
    // Where frequencies depend on the context, it is the same whatever texts there are.
    let isFixed = shape.attention.rotaries.contains(where: \.scaling.dependsOnContext)
    order = EmbeddingOrder(
      texts: texts, pooling: pooling,
      budget: isFixed ? TextLayout.positions(tokens: limit) : Self.stepPositions,
      leastContext: isFixed ? TextLayout.positions(tokens: limit) : 0,
      positions: TextLayout.positions)
  }

  private static func pooling(
    _ request: EmbeddingRequest, _ shape: Hyperparameters
  ) -> PoolingOptions? {
    let stated = shape.head.pooling
    guard let kind = request.pooling ?? stated?.kind else { return nil }
    return PoolingOptions(kind, isNormalised: request.isNormalised ?? stated?.isNormalised ?? true)
  }

  /// Tokens of the longest text that one step holds.
  static func longestText(_ shape: Hyperparameters) -> Int {
    min(shape.context, Limits.textTokens, Limits.textElements / shape.hidden)
  }

  /// The tokens of a text, and how many special ones stand behind it.
  private static func read(
    _ text: EmbeddingRequest.Text, _ tokenizer: Tokenizer
  ) -> (tokens: EncodedText, ending: Int) {
    switch text {
    case .tokens(let tokens): return (tokens, 0)
    case .text(let text):
      let all = tokenizer.encode(text, addSpecial: true, parseSpecial: false)
      let bare = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
      let begin = (0...max(0, all.count - bare.count)).first {
        all[$0...].starts(with: bare)
      }
      return (
        EncodedText(all.map { UInt32($0) }), begin.map { all.count - bare.count - $0 } ?? 0
      )
    }
  }
}

extension TextVector {
  /// One hash over the rows of all texts.
  public static func digest(_ vectors: [TextVector]) -> Bytes32 {
    BLAKE2b.hash(vectors.flatMap(\.hash.bytes))
  }
}
