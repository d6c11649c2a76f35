// The parts that tensors play. A role fixes a tensor's shape and how it is dealt to atoms: stated
// here once, for all architectures.

/// The part that a tensor plays in a model. The raw value is stored in atoms.
public enum TensorRole: UInt8, Sendable, Hashable, CaseIterable {
  case embedding = 0
  case outputNorm = 1
  case output = 2
  case attentionNorm = 3
  case query = 4
  case key = 5
  case value = 6
  case attentionOutput = 7
  case queryBias = 8
  case keyBias = 9
  case valueBias = 10
  case feedForwardNorm = 11
  case gate = 12
  case up = 13
  case down = 14
  case gateBias = 15
  case upBias = 16
  case downBias = 17
  case attentionOutputBias = 18
  case queryNorm = 19
  case keyNorm = 20
  /// After attention: on its output, or on the residual (`ResidualOptions`).
  case attentionPostNorm = 21
  case feedForwardPostNorm = 22
  case outputNormBias = 23
  case attentionNormBias = 24
  case feedForwardNormBias = 25
  case attentionPostNormBias = 26
  case feedForwardPostNormBias = 27
  case positions = 28
  case tokenTypes = 29
  case embeddingNorm = 30
  case embeddingNormBias = 31
  case router = 32
  case sharedGate = 33
  case outputBias = 34
  case expertGate = 35
  case expertUp = 36
  case expertDown = 37
  /// Of a layer without attention (`RecurrentOptions`): what is remembered, and what multiplies the
  /// outcome.
  case recurrentInput = 38
  case recurrentGate = 39
  case convolution = 40
  case convolutionBias = 41
  /// From all channels to the time step and to the matrices in and out of a state.
  case stateProjection = 42
  case timeStep = 43
  case timeStepBias = 44
  /// The diagonal A, negative.
  case decay = 45
  /// The vector D.
  case skip = 46
  case recurrentOutput = 47
}

/// How a tensor is dealt to atoms. A row is one output element; a vector is one row.
public enum TensorSplit: Sendable, Hashable {
  /// A vector that every rank holds as f32.
  case wholeVector
  /// A matrix that every rank holds.
  case wholeMatrix
  case vocabularyRows
  /// Rows, `headDimension` to a query head.
  case queryHeadRows
  /// Rows, `headDimension` to a key-value head.
  case keyValueHeadRows
  /// Columns, `headDimension` to a query head: each head is a numeric atom.
  case queryHeadColumns
  /// Elements of a bias, dealt like the rows that they are added to.
  case queryHeadElements
  case keyValueHeadElements
  /// Rows of hidden units.
  case feedForwardRows
  case feedForwardElements
  /// Columns of hidden units: each block is a numeric atom.
  case feedForwardColumns
  /// Rows of hidden units of each expert, the experts one after the other.
  case expertRows
  /// Columns of hidden units of each expert, whose rows follow each other.
  case expertColumns
  /// Rows, one to a channel of a recurrent layer.
  case channelRows
  case channelElements
  /// Columns, one to a channel: each block is a numeric atom.
  case channelColumns
  /// Numbers of each channel, which are no inputs of a product.
  case channelTable
}

/// The shape of a tensor, and how it is dealt.
public struct TensorGeometry: Sendable, Hashable {
  public let rows: Int
  public let columns: Int
  public let split: TensorSplit
}

extension TensorRole {
  /// What a tensor of this role looks like in a model of this shape.
  public func geometry(_ shape: Hyperparameters) -> TensorGeometry {
    let hidden = shape.hidden
    let attention = shape.attention
    let queries = attention.heads * attention.headDimension
    let keys = attention.keyValueHeads * attention.headDimension
    let units = shape.feedForward.width
    let experts = shape.feedForward.experts
    let recurrent = shape.recurrent
    let channels = recurrent?.channels ?? 0
    let isPerHead = attention.queryKeyNorm == .perHead
    func of(_ rows: Int, _ columns: Int, _ split: TensorSplit) -> TensorGeometry {
      TensorGeometry(rows: rows, columns: columns, split: split)
    }
    return switch self {
    case .embedding, .output: of(shape.vocabulary, hidden, .vocabularyRows)
    case .query: of(queries, hidden, .queryHeadRows)
    case .key, .value: of(keys, hidden, .keyValueHeadRows)
    case .attentionOutput: of(hidden, queries, .queryHeadColumns)
    case .queryBias: of(1, queries, .queryHeadElements)
    case .keyBias, .valueBias: of(1, keys, .keyValueHeadElements)
    case .gate, .up: of(units, hidden, .feedForwardRows)
    case .gateBias, .upBias: of(1, units, .feedForwardElements)
    case .down: of(hidden, units, .feedForwardColumns)
    case .expertGate, .expertUp:
      of((experts?.count ?? 0) * (experts?.width ?? 0), hidden, .expertRows)
    case .expertDown: of((experts?.count ?? 0) * hidden, experts?.width ?? 0, .expertColumns)
    case .recurrentInput, .recurrentGate: of(channels, hidden, .channelRows)
    case .convolution: of(channels, recurrent?.kernel ?? 0, .channelTable)
    case .decay: of(channels, recurrent?.state ?? 0, .channelTable)
    case .convolutionBias, .timeStepBias, .skip: of(1, channels, .channelElements)
    case .stateProjection: of(recurrent?.projected ?? 0, channels, .channelColumns)
    case .timeStep: of(channels, recurrent?.rank ?? 0, .channelRows)
    case .recurrentOutput: of(hidden, channels, .channelColumns)
    case .router: of(experts?.count ?? 0, hidden, .wholeMatrix)
    case .sharedGate: of(1, hidden, .wholeMatrix)
    case .positions: of(shape.embedding.positions, hidden, .wholeMatrix)
    case .tokenTypes: of(shape.embedding.tokenTypes, hidden, .wholeMatrix)
    case .queryNorm: of(1, isPerHead ? attention.headDimension : queries, .wholeVector)
    case .keyNorm: of(1, isPerHead ? attention.headDimension : keys, .wholeVector)
    case .outputBias: of(1, shape.vocabulary, .wholeVector)
    case .outputNorm, .outputNormBias, .attentionNorm, .attentionNormBias, .feedForwardNorm,
      .feedForwardNormBias, .attentionPostNorm, .attentionPostNormBias, .feedForwardPostNorm,
      .feedForwardPostNormBias, .embeddingNorm, .embeddingNormBias, .attentionOutputBias,
      .downBias:
      of(1, hidden, .wholeVector)
    }
  }
}
