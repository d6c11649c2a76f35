// Takes tensors out of atoms and checks that they are what the shape says.

internal import ShoalProtocol

struct AtomLoader {
  private let shape: Hyperparameters
  private let cut: AtomCut
  private let entries: [AtomKey: AtomEntry]
  private let opened: OpenedAtoms

  /// Opens the atoms of `share`, on all `workers`.
  init(
    _ manifest: ModelManifest, _ share: RankShare, workers: any Workers,
    _ blob: @Sendable (AtomEntry) throws -> AtomBlob
  ) throws {
    shape = manifest.shape
    cut = manifest.cut
    let entries = Dictionary(manifest.atoms.map { ($0.key, $0) }) { first, _ in first }
    let wanted = try share.keys(manifest.cut).map { key in
      guard let entry = entries[key] else { throw ModelError.missingTensor("\(key)") }
      return entry
    }
    self.entries = entries
    opened = try OpenedAtoms(wanted, workers: workers, blob)
  }

  /// An opened atom.
  struct Atom {
    let entry: AtomEntry
    let tensors: AtomBlob

    func damaged(_ role: TensorRole, _ index: Int) -> ModelError {
      .damagedAtom(entry.blob, reason: "\(role) \(index)")
    }
  }

  func atom(_ key: AtomKey) throws -> Atom {
    guard let entry = entries[key], let tensors = opened[key] else {
      throw ModelError.missingTensor("\(key)")
    }
    return Atom(entry: entry, tensors: tensors)
  }

  // MARK: Layers

  func layer(
    _ layer: Int, share: RankShare, groups: [Int], _ common: Atom
  ) throws -> LayerWeights {
    let residual = shape.residual
    let inputNorm = residual.normalisesInput
    let hasNorms = shape.attention.queryKeyNorm != .none
    let experts = shape.feedForward.experts
    // Parallel branches may share the one norm.
    let needsSecond = inputNorm && !residual.isParallel && shape.recurrent == nil
    return LayerWeights(
      attentionNorm: inputNorm
        ? try norm(common, .attentionNorm, .attentionNormBias, layer) : nil,
      queryNorm: hasNorms ? try headNorms(common, .queryNorm, layer) : nil,
      keyNorm: hasNorms ? try headNorms(common, .keyNorm, layer) : nil,
      groups: try groups.map { try keyValue(layer: layer, group: $0) },
      units: shape.recurrent == nil
        ? try share.units.map { try query(layer: layer, unit: $0) } : [],
      attentionEnd: try end(
        common, layer, bias: .attentionOutputBias, .attentionPostNorm, .attentionPostNormBias),
      feedForwardNorm: needsSecond || common.tensors.vector(.feedForwardNorm, layer) != nil
        ? try norm(common, .feedForwardNorm, .feedForwardNormBias, layer) : nil,
      router: experts == nil ? nil : try wholeMatrix(common, .router, layer),
      sharedGate: experts?.gatesShared == true && shape.feedForward.width > 0
        ? try wholeMatrix(common, .sharedGate, layer) : nil,
      feedForward: try share.blocks.map { try feedForward(layer: layer, block: $0) },
      feedForwardEnd: try end(
        common, layer, bias: .downBias, .feedForwardPostNorm, .feedForwardPostNormBias),
      channels: try shape.recurrent.map { options in
        try share.units.map { try channels(layer: layer, block: $0, options) }
      } ?? [])
  }

  private func end(
    _ common: Atom, _ layer: Int, bias: TensorRole, _ norm: TensorRole, _ normBias: TensorRole
  ) throws -> BranchEnd {
    let norms =
      shape.residual.normalisesBranch || shape.residual.normalisesSum
      ? try self.norm(common, norm, normBias, layer) : nil
    var total = try optionalVector(common, bias, layer)
    // One sum holds both branches of a parallel layer, so one bias is added to it.
    if shape.residual.isParallel, bias == .attentionOutputBias,
      let other = try optionalVector(common, .downBias, layer)
    {
      total = total.map { zip($0, other).map { $0 + $1 } } ?? other
    }
    return BranchEnd(
      bias: total, norm: shape.residual.normalisesBranch ? norms : nil,
      sumNorm: shape.residual.normalisesSum ? norms : nil)
  }

  private func keyValue(layer: Int, group: Int) throws -> KeyValueAtom {
    let atom = try atom(.keyValue(layer: layer, group: group))
    let dimension = shape.attention.headDimension
    return KeyValueAtom(
      key: try matrix(atom, .key, rows: dimension, columns: shape.hidden),
      value: try matrix(atom, .value, rows: dimension, columns: shape.hidden),
      keyBias: try bias(atom, .keyBias, count: dimension),
      valueBias: try bias(atom, .valueBias, count: dimension))
  }

  private func query(layer: Int, unit: Int) throws -> QueryAtom {
    let atom = try atom(.query(layer: layer, unit: unit))
    let dimension = shape.attention.headDimension
    let heads = cut.queryUnit(unit).heads
    return QueryAtom(
      query: try matrix(atom, .query, rows: heads.count * dimension, columns: shape.hidden),
      bias: try bias(atom, .queryBias, count: heads.count * dimension),
      output: try heads.map {
        try matrix(
          atom, .attentionOutput, $0, rows: shape.hidden, firstColumn: $0 * dimension,
          columns: dimension)
      })
  }

  private func feedForward(layer: Int, block: Int) throws -> FeedForwardAtom {
    let atom = try atom(.feedForward(layer: layer, block: block))
    let block = cut.feedForwardBlock(block)
    let (gate, up, down): (TensorRole, TensorRole, TensorRole) =
      block.expert == nil ? (.gate, .up, .down) : (.expertGate, .expertUp, .expertDown)
    let columns = block.columns
    return FeedForwardAtom(
      gate: shape.feedForward.isGated
        ? try matrix(atom, gate, rows: columns.count, columns: shape.hidden) : nil,
      up: try matrix(atom, up, rows: columns.count, columns: shape.hidden),
      gateBias: try bias(atom, .gateBias, count: columns.count),
      upBias: try bias(atom, .upBias, count: columns.count),
      down: try matrix(
        atom, down, rows: shape.hidden, firstColumn: columns.lowerBound, columns: columns.count))
  }

  private func channels(
    layer: Int, block: Int, _ options: RecurrentOptions
  ) throws -> RecurrentAtom {
    let atom = try atom(.recurrent(layer: layer, block: block))
    let range = cut.channelBlock(block)
    let (count, first) = (range.count, range.lowerBound)
    let needed = { (role: TensorRole, width: Int) throws -> [Float] in
      guard let values = try bias(atom, role, count: count * width) else {
        throw atom.damaged(role, 0)
      }
      // From (channels, width) to (width, channels).
      return (0..<count * width).map { values[$0 % count * width + $0 / count] }
    }
    return RecurrentAtom(
      input: try matrix(atom, .recurrentInput, rows: count, columns: shape.hidden),
      gate: try matrix(atom, .recurrentGate, rows: count, columns: shape.hidden),
      convolution: try needed(.convolution, options.kernel),
      convolutionBias: try bias(atom, .convolutionBias, count: count)
        ?? [Float](repeating: 0, count: count),
      projection: try matrix(
        atom, .stateProjection, rows: options.projected, firstColumn: first, columns: count),
      timeStep: try matrix(atom, .timeStep, rows: count, columns: options.rank),
      timeStepBias: try needed(.timeStepBias, 1), decay: try needed(.decay, options.state),
      skip: try needed(.skip, 1),
      output: try matrix(
        atom, .recurrentOutput, rows: shape.hidden, firstColumn: first, columns: count))
  }

  /// The embedding and the output head share one role in the blob, so that a tied model has one.
  func vocabulary(_ key: AtomKey, rows: Range<Int>) throws -> PackedMatrix {
    try matrix(atom(key), .embedding, rows: rows.count, columns: shape.hidden)
  }

  // MARK: Tensors

  func norm(
    _ atom: Atom, _ weight: TensorRole, _ bias: TensorRole, _ index: Int = 0
  ) throws -> NormWeights {
    let weight = try vector(atom, weight, index)
    switch shape.norm.kind {
    case .rms: return NormWeights(weight: weight, bias: [])
    case .layer:
      let zeros = [Float](repeating: 0, count: weight.count)
      return NormWeights(weight: weight, bias: try optionalVector(atom, bias, index) ?? zeros)
    }
  }

  func vector(_ atom: Atom, _ role: TensorRole, _ index: Int = 0) throws -> [Float] {
    guard let vector = try optionalVector(atom, role, index) else {
      throw atom.damaged(role, index)
    }
    return vector
  }

  /// One row for all heads, or one for each, head after head.
  private func headNorms(_ atom: Atom, _ role: TensorRole, _ layer: Int) throws -> [Float] {
    guard shape.hasNormOfEachHead(role) else { return try vector(atom, role, layer) }
    let dimension = shape.attention.headDimension
    let heads = role.geometry(shape).columns / dimension
    return try (0..<heads).flatMap { head in
      let index = layer * heads + head
      guard let norm = atom.tensors.vector(role, index), norm.count == dimension else {
        throw atom.damaged(role, index)
      }
      return norm
    }
  }

  private func optionalVector(
    _ atom: Atom, _ role: TensorRole, _ index: Int
  ) throws -> [Float]? {
    guard let vector = atom.tensors.vector(role, index) else { return nil }
    guard vector.count == role.geometry(shape).columns else { throw atom.damaged(role, index) }
    return vector
  }

  private func bias(_ atom: Atom, _ role: TensorRole, count: Int) throws -> [Float]? {
    guard let vector = atom.tensors.vector(role, 0) else { return nil }
    guard vector.count == count else { throw atom.damaged(role, 0) }
    return vector
  }

  func wholeMatrix(_ atom: Atom, _ role: TensorRole, _ index: Int) throws -> PackedMatrix {
    let geometry = role.geometry(shape)
    return try matrix(atom, role, index, rows: geometry.rows, columns: geometry.columns)
  }

  private func matrix(
    _ atom: Atom, _ role: TensorRole, _ index: Int = 0, rows: Int, firstColumn: Int = 0,
    columns: Int
  ) throws -> PackedMatrix {
    guard let matrix = atom.tensors.matrix(role, index), matrix.shape.rows == rows,
      matrix.shape.parts == ColumnParts(first: firstColumn, count: columns)
    else { throw atom.damaged(role, index) }
    return matrix
  }
}
