// The weights of one rank, in place, by the part that they play.

internal import ShoalProtocol

/// A norm's weight and, where it has one, its bias: (hidden) each.
struct NormWeights: Sendable {
  let weight: [Float]
  /// Zeros in a layer norm without bias; empty in an RMS norm.
  let bias: [Float]
}

/// One key-value head of one layer: (headDimension, hidden) each.
struct KeyValueAtom: Sendable {
  let key: PackedMatrix
  let value: PackedMatrix
  let keyBias: [Float]?
  let valueBias: [Float]?
}

/// Some query heads of one group, and the columns of the output projection that read them.
struct QueryAtom: Sendable {
  /// (heads * headDimension, hidden)
  let query: PackedMatrix
  let bias: [Float]?
  /// One for each head: (hidden, headDimension), one numeric atom.
  let output: [PackedMatrix]
}

/// One block of hidden units of one layer.
struct FeedForwardAtom: Sendable {
  /// Nil where the feed-forward has no gate.
  let gate: PackedMatrix?
  let up: PackedMatrix
  let gateBias: [Float]?
  let upBias: [Float]?
  /// (hidden, columns of the block): one numeric atom.
  let down: PackedMatrix
}

/// What follows a sum over all ranks, before and after it is added to the residual.
struct BranchEnd: Sendable {
  /// (hidden); of parallel branches the sum of both biases.
  let bias: [Float]?
  let norm: NormWeights?
  let sumNorm: NormWeights?
}

/// One layer as this rank holds it.
struct LayerWeights: Sendable {
  let attentionNorm: NormWeights?
  let queryNorm: [Float]?
  let keyNorm: [Float]?
  let groups: [KeyValueAtom]
  let units: [QueryAtom]
  let attentionEnd: BranchEnd
  let feedForwardNorm: NormWeights?
  /// (experts, hidden)
  let router: PackedMatrix?
  /// (1, hidden)
  let sharedGate: PackedMatrix?
  let feedForward: [FeedForwardAtom]
  let feedForwardEnd: BranchEnd
  /// Of a recurrent layer, which has nothing of the above but its norm.
  let channels: [RecurrentAtom]
}

/// Everything that one rank needs of a model. Weights stay in the blobs, which it keeps mapped.
public struct RankModel: Sendable {
  public let manifest: ModelManifest
  public let share: RankShare
  /// Key-value groups of `share.units`, ascending.
  let groups: [Int]
  let layers: StageLayers<LayerWeights>
  let outputNorm: NormWeights?
  let outputBias: [Float]?
  let positions: PackedMatrix?
  let tokenTypes: PackedMatrix?
  let embeddingNorm: NormWeights?
  /// One for each block of `share.vocabulary`: in the first stage, and in the last.
  let embedding: [PackedMatrix]
  let output: [PackedMatrix]
  /// Rows of each block of `share.vocabulary`.
  let vocabularyRows: [Range<Int>]

  /// Finds the tensors of `share` in the atoms that `blob` gives. Refuses atoms that lack one or
  /// hold one of another shape, so that nothing later needs to check.
  ///
  /// - Parameter blob: opens one atom; called by all `workers` at once.
  public init(
    manifest: ModelManifest, share: RankShare, workers: any Workers = SerialWorkers(),
    blob: @Sendable (AtomEntry) throws -> AtomBlob
  ) throws {
    self.manifest = manifest
    self.share = share
    let loader = try AtomLoader(manifest, share, workers: workers, blob)
    let cut = manifest.cut
    let shape = manifest.shape
    let common = try loader.atom(.common)
    let groups = share.groups(cut)
    self.groups = groups
    precondition(!share.layers.isEmpty && share.layers.upperBound <= shape.layers)
    layers = StageLayers(
      from: share.layers.lowerBound,
      try share.layers.map { try loader.layer($0, share: share, groups: groups, common) })
    outputNorm = shape.head.isNormed ? try loader.norm(common, .outputNorm, .outputNormBias) : nil
    outputBias = shape.head.hasBias ? try loader.vector(common, .outputBias) : nil
    positions =
      shape.embedding.positions > 0 ? try loader.wholeMatrix(common, .positions, 0) : nil
    tokenTypes =
      shape.embedding.tokenTypes > 0 ? try loader.wholeMatrix(common, .tokenTypes, 0) : nil
    embeddingNorm =
      shape.embedding.isNormed
      ? try loader.norm(common, .embeddingNorm, .embeddingNormBias) : nil
    vocabularyRows = share.vocabulary.map { cut.vocabularyRows($0) }
    embedding = try share.embeddingBlocks.map {
      try loader.vocabulary(.embedding(block: $0), rows: cut.vocabularyRows($0))
    }
    output = try share.outputBlocks(cut).map {
      try loader.vocabulary(.output(block: $0), rows: cut.vocabularyRows($0))
    }
  }
}
