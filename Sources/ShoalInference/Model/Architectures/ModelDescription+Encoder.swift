// What encoders have in common: every token sees the whole text, norms stand behind the sums, and
// the last rows are the answer.

internal import ShoalProtocol

extension ModelDescription {
  /// The common part of an encoder's shape, in the arrangement of BERT.
  ///
  /// - Parameters:
  ///   - rotary: nil: positions are learned, and added to the embedding.
  ///   - epsilon: where the header does not say.
  func encoder(
    rotary: RotaryStyle? = nil, activation: Activation = .geluErf, isGated: Bool = false,
    epsilon: Float? = nil
  ) throws -> Hyperparameters {
    for key in [HeaderKey.isDecoder, .hasCrossAttention] where try flag(key, default: false) {
      throw refused(key, "a decoder")
    }
    var shape = try decoder(
      norm: .layer, rotary: rotary, activation: activation, isGated: isGated, epsilon: epsilon)
    shape.attention.isCausal = false
    shape.embedding.isNormed = true
    shape.residual.normalisesInput = false
    shape.residual.normalisesSum = true
    shape.head.isNormed = false
    shape.head.hasLogits = false
    // Where nothing is stated; readers of GGUF files normalise.
    shape.head.pooling = PoolingOptions(.mean, isNormalised: isGGUF)
    return shape
  }

  /// Learned positions as many as the header states, less the first `unused` of them.
  func learnedPositions(_ shape: inout Hyperparameters, unused: Int = 0) throws {
    if let kind = try header.text(.positionKind), kind != "absolute" {
      throw refused(.positionKind, "positions that are \(kind)")
    }
    let rows =
      try isGGUF ? weights.required("position_embd.weight").rows : integer(.context) - unused
    guard rows > 0 else { throw ModelError.missing(key: header.spelling(.context)) }
    shape.embedding.positions = rows
    shape.context = min(shape.context, rows)
  }

  /// Types of tokens, of which the first is added to every one.
  func tokenTypes(_ shape: inout Hyperparameters) throws {
    shape.embedding.tokenTypes =
      try isGGUF
      ? weights.tensor("token_types.weight")?.rows ?? 0 : integer(.tokenTypes, default: 2)
  }

  /// How the model's own files say that a text's rows become one vector; nil: they do not.
  func statedPooling() throws -> PoolingOptions? {
    if let pooling = sentences.pooling { return pooling }
    // `llama_pooling_type` of llama.cpp's `llama.h`; readers of such files normalise.
    switch try header.integer(.poolingType) {
    case nil, 0: return nil
    case 1: return PoolingOptions(.mean, isNormalised: true)
    case 2: return PoolingOptions(.first, isNormalised: true)
    case 3: return PoolingOptions(.last, isNormalised: true)
    case let other?: throw refused(.poolingType, "pooling of type \(other)")
    }
  }
}

extension HeaderKey {
  static let tokenTypes = HeaderKey(nil, "type_vocab_size")
  static let positionKind = HeaderKey(nil, "position_embedding_type")
  static let poolingType = HeaderKey("pooling_type")
  static let isDecoder = HeaderKey(nil, "is_decoder")
  static let hasCrossAttention = HeaderKey(nil, "add_cross_attention")
}
