// The weights of one rank, in place, by the part that they play.

internal import ShoalProtocol

/// One KV group of one layer: its query heads, its key and value head, and the columns of the
/// output projection that read those heads.
struct AttentionAtom: Sendable {
  let group: Int
  let query: PackedMatrix
  let key: PackedMatrix
  let value: PackedMatrix
  /// (headsPerGroup): each (hidden, headDim), one numeric atom.
  let output: [PackedMatrix]
}

/// One block of hidden units of one layer.
struct FeedForwardAtom: Sendable {
  let gate: PackedMatrix
  let up: PackedMatrix
  /// (hidden, columns of the block): one numeric atom.
  let down: PackedMatrix
}

/// One layer as this rank holds it.
struct LayerWeights: Sendable {
  let attentionNorm: [Float]
  let attention: [AttentionAtom]
  let feedForwardNorm: [Float]
  let feedForward: [FeedForwardAtom]
}

/// Everything that one rank needs of a model. Weights stay in the blobs, which it keeps mapped.
public struct RankModel: Sendable {
  public let manifest: ModelManifest
  public let share: RankShare
  let layers: [LayerWeights]
  let outputNorm: [Float]
  /// One for each block of `share.vocabulary`.
  let embedding: [PackedMatrix]
  let output: [PackedMatrix]
  /// Rows of each block of `share.vocabulary`.
  let vocabularyRows: [Range<Int>]

  /// Finds the tensors of `share` in the atoms that `blob` gives. Refuses atoms that lack one or
  /// hold one of another shape, so that nothing later needs to check.
  public init(
    manifest: ModelManifest, share: RankShare, blob: @escaping (AtomEntry) throws -> AtomBlob
  ) throws {
    self.manifest = manifest
    self.share = share
    var entries: [AtomKey: AtomEntry] = [:]
    for entry in manifest.atoms { entries[entry.key] = entry }
    let loader = AtomLoader(shape: manifest.shape, entries: entries, blob: blob)
    let common = try loader.atom(.common)
    let cut = manifest.cut
    outputNorm = try loader.vector(common, .outputNorm, 0, count: manifest.shape.hidden)
    layers = try (0..<manifest.shape.layers).map { layer in
      LayerWeights(
        attentionNorm: try loader.vector(
          common, .attentionNorm, layer, count: manifest.shape.hidden),
        attention: try share.groups.map { try loader.attention(layer: layer, group: $0) },
        feedForwardNorm: try loader.vector(
          common, .feedForwardNorm, layer, count: manifest.shape.hidden),
        feedForward: try share.blocks.map {
          try loader.feedForward(
            layer: layer, block: $0, columns: cut.feedForwardColumns($0))
        })
    }
    vocabularyRows = share.vocabulary.map { cut.vocabularyRows($0) }
    embedding = try share.vocabulary.map {
      try loader.vocabulary(.embedding(block: $0), rows: cut.vocabularyRows($0))
    }
    output = try share.vocabulary.map {
      try loader.vocabulary(.output(block: $0), rows: cut.vocabularyRows($0))
    }
  }
}

/// Takes tensors out of atoms and checks that they are what the shape says.
private struct AtomLoader {
  let shape: Hyperparameters
  let entries: [AtomKey: AtomEntry]
  let blob: (AtomEntry) throws -> AtomBlob

  struct Atom {
    let entry: AtomEntry
    let tensors: AtomBlob
  }

  func atom(_ key: AtomKey) throws -> Atom {
    guard let entry = entries[key] else { throw ModelError.missingTensor("\(key)") }
    return Atom(entry: entry, tensors: try blob(entry))
  }

  func vector(_ atom: Atom, _ role: TensorRole, _ index: Int, count: Int) throws -> [Float] {
    guard let vector = atom.tensors.vector(role, index), vector.count == count else {
      throw ModelError.damagedAtom(atom.entry.blob, reason: "\(role) \(index)")
    }
    return vector
  }

  func matrix(
    _ atom: Atom, _ role: TensorRole, _ index: Int = 0, rows: Int, firstColumn: Int = 0,
    columns: Int
  ) throws -> PackedMatrix {
    guard let matrix = atom.tensors.matrix(role, index), matrix.shape.rows == rows,
      matrix.shape.parts == ColumnParts(first: firstColumn, count: columns)
    else { throw ModelError.damagedAtom(atom.entry.blob, reason: "\(role) \(index)") }
    return matrix
  }

  func attention(layer: Int, group: Int) throws -> AttentionAtom {
    let atom = try atom(.attention(layer: layer, group: group))
    let (hidden, dimension) = (shape.hidden, shape.headDimension)
    let heads = group * shape.headsPerGroup..<(group + 1) * shape.headsPerGroup
    return AttentionAtom(
      group: group,
      query: try matrix(atom, .query, rows: heads.count * dimension, columns: hidden),
      key: try matrix(atom, .key, rows: dimension, columns: hidden),
      value: try matrix(atom, .value, rows: dimension, columns: hidden),
      output: try heads.map {
        try matrix(
          atom, .attentionOutput, $0, rows: hidden, firstColumn: $0 * dimension, columns: dimension)
      })
  }

  func feedForward(layer: Int, block: Int, columns: Range<Int>) throws -> FeedForwardAtom {
    let atom = try atom(.feedForward(layer: layer, block: block))
    return FeedForwardAtom(
      gate: try matrix(atom, .gate, rows: columns.count, columns: shape.hidden),
      up: try matrix(atom, .up, rows: columns.count, columns: shape.hidden),
      down: try matrix(
        atom, .down, rows: shape.hidden, firstColumn: columns.lowerBound, columns: columns.count))
  }

  /// The embedding and the output head share one role in the blob, so that a tied model has one.
  func vocabulary(_ key: AtomKey, rows: Range<Int>) throws -> PackedMatrix {
    try matrix(atom(key), .embedding, rows: rows.count, columns: shape.hidden)
  }
}
