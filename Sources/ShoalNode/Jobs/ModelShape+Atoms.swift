// What placement needs to know of a model, from its shape and the sizes of its atoms: of a
// manifest, or of a header whose weights nobody has.

public import ShoalInference
public import ShoalProtocol

extension ModelShape {
  /// Of a model that was imported.
  public init(_ manifest: ModelManifest, _ model: ModelID) {
    var blobs: [AtomKey: BlobID] = [:]
    for atom in manifest.atoms { blobs[atom.key] = atom.blob }
    self.init(
      manifest.shape, model: model, precision: manifest.format.ratedAs,
      isTied: blobs[.embedding(block: 0)] == blobs[.output(block: 0)],
      sizes: manifest.atoms.map { ($0.key, $0.byteCount) })
  }

  /// - Parameters:
  ///   - isTied: embedding and output head are the same blobs.
  ///   - sizes: bytes of every atom.
  public init(
    _ shape: Hyperparameters, model: ModelID, precision: AtomPrecision, isTied: Bool,
    sizes: [(key: AtomKey, byteCount: UInt64)]
  ) {
    let bytes = Dictionary(sizes.map { ($0.key, $0.byteCount) }) { first, _ in first }
    let cut = AtomCut(shape)
    // Spread over layers, so that stages share it.
    let common = (bytes[.common] ?? 0) / UInt64(shape.layers)
    let layers = (0..<shape.layers).map { layer in
      LayerShape(
        attention: AttentionShape(cut, bytes, layer: layer),
        feedForward: FeedForwardShape(cut, bytes, layer: layer), commonBytes: common,
        sums: shape.sumsPerLayer)
    }
    let blocks = 0..<cut.vocabularyBlocks
    self.init(
      model: model, numerics: ModelManifest.numerics, hiddenSize: shape.hidden,
      precision: precision, layers: layers,
      vocabulary: VocabularyShape(
        rows: blocks.map { cut.vocabularyRows($0).count },
        embeddingBytes: blocks.map { bytes[.embedding(block: $0)] ?? 0 },
        outputBytes: blocks.map { bytes[.output(block: $0)] ?? 0 }, isTied: isTied))
  }
}

extension AttentionShape {
  /// A block of channels is a unit, and a group, by itself: its state is its keys and values, which
  /// do not grow.
  fileprivate init(_ cut: AtomCut, _ bytes: [AtomKey: UInt64], layer: Int) {
    if let recurrent = cut.shape.recurrent {
      let blocks = 0..<cut.queryUnits
      self.init(
        groups: blocks.count, unitsPerGroup: 1, headsPerUnit: blocks.map { _ in 1 },
        unitBytes: blocks.map { bytes[.recurrent(layer: layer, block: $0)] ?? 0 },
        keyValueBytes: UInt64(AtomCut.channelsPerBlock * recurrent.stateBytes),
        keyValueBytesPerToken: 0)
      return
    }
    let options = cut.shape.attention
    let units = 0..<cut.queryUnits
    self.init(
      groups: options.keyValueHeads, unitsPerGroup: cut.unitsPerGroup,
      headsPerUnit: units.map { cut.queryUnit($0).heads.count },
      unitBytes: units.map { bytes[.query(layer: layer, unit: $0)] ?? 0 },
      keyValueBytes: bytes[.keyValue(layer: layer, group: 0)] ?? 0,
      keyValueBytesPerToken: UInt64(2 * options.headDimension * options.keyValueType.byteCount))
  }
}

extension FeedForwardShape {
  /// Of an expert's block, `used` of `count` tokens read it.
  fileprivate init(_ cut: AtomCut, _ bytes: [AtomKey: UInt64], layer: Int) {
    let blocks = (0..<cut.feedForwardBlocks).map { cut.feedForwardBlock($0) }
    let stored = blocks.indices.map { bytes[.feedForward(layer: layer, block: $0)] ?? 0 }
    let experts = cut.shape.feedForward.experts
    self.init(
      columns: blocks.map(\.columns.count), bytes: stored,
      readBytes: zip(blocks, stored).map { block, bytes in
        guard block.expert != nil, let experts else { return bytes }
        return bytes / UInt64(experts.count) * UInt64(experts.used)
      })
  }
}
