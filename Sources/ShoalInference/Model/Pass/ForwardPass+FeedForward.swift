// The feed-forward of one layer, block by block: gated (Shazeer 2020) or plain.

internal import ShoalProtocol
internal import Synchronization

/// What the feed-forward needs beside the weights.
final class FeedForwardBuffers {
  /// (batch, columns of all blocks)
  let gate: Buffer<Float>
  let up: Buffer<Float>
  /// Columns of all blocks, and where each block begins.
  let width: Int
  let offsets: [Int]
  /// Inputs of the down projection, one for each block.
  let hidden: [Activations]
  /// Blocks that every token passes come first among the rank's.
  let dense: Range<Int>
  let isGated: Bool
  /// Row groups of a down projection, in equal parts.
  let slices: [Range<Int>]

  init(_ model: RankModel, batch: Int, workers: Int) {
    let cut = model.manifest.cut
    let blocks = model.share.blocks.map { cut.feedForwardBlock($0) }
    var offsets: [Int] = []
    var width = 0
    for block in blocks {
      offsets.append(width)
      width += block.columns.count
    }
    self.offsets = offsets
    self.width = width
    isGated = model.manifest.shape.feedForward.isGated
    gate = Buffer(count: isGated ? batch * width : 0, zero: 0)
    up = Buffer(count: batch * width, zero: 0)
    hidden = blocks.map {
      Activations(
        parts: ColumnParts(first: $0.columns.lowerBound, count: $0.columns.count), capacity: batch)
    }
    dense = 0..<(blocks.firstIndex { $0.expert != nil } ?? blocks.count)
    let groups = model.layers.first?.feedForward.first?.down.shape.groups ?? 0
    let parts = min(groups, workers == 1 ? 1 : 4 * workers)
    slices = (0..<parts).map { groups * $0 / parts..<groups * ($0 + 1) / parts }
  }

  /// Gate, where there is one, and up of each dense block, one bundle a block.
  func expansion(_ layer: LayerWeights, _ input: Activations, workers: Int) -> ProductPhase {
    var products: [ProductList.Product] = []
    for block in dense {
      let atom = layer.feedForward[block]
      if let matrix = atom.gate {
        products.append(
          unsafe .init(
            MatrixTerm(matrix, input), into: .values(gate.from(offsets[block]), stride: width)))
      }
      products.append(
        unsafe .init(
          MatrixTerm(atom.up, input), into: .values(up.from(offsets[block]), stride: width)))
    }
    let size = isGated ? 2 : 1
    // An activation block is two row groups.
    return ProductPhase(
      ProductList(products, capacity: input.capacity),
      bundles: dense.map { $0 * size..<($0 + 1) * size },
      rowMultiple: ColumnParts.block / MatrixShape.groupRows, workers: workers)
  }

  /// The down projection of each dense block: all add to the same sums.
  func back(_ layer: LayerWeights, _ sums: ProductList.Output, batch: Int) -> ProductList {
    ProductList(
      dense.map { .init(MatrixTerm(layer.feedForward[$0].down, hidden[$0]), into: sums) },
      capacity: batch)
  }
}

extension ForwardPass {
  /// Adds this rank's part of the feed-forward output to `partial`.
  func feedForward(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.feedForward.isEmpty else { return }
    // Parallel branches that share one norm find their input where attention left it.
    if !shape.residual.isParallel || weights.feedForwardNorm != nil {
      try takeInput(weights.feedForwardNorm, layer: layer)
    }
    if let experts { try route(weights, experts, layer: layer) }
    let dense = feedForward.dense
    if !dense.isEmpty {
      run(phases[layer].expansion, tokens: tokens.count, layer: layer) { block, groups in
        activate(weights, block, groups, layer: layer)
      }
      try checkFinite(layer)
      run(phases[layer].contraction, tokens: tokens.count, layer: layer)
      for atom in weights.feedForward[dense] { count(atom, tokens: tokens.count) }
    }
    if let experts { try mix(weights, experts, layer: layer) }
    try checkRange(layer)
  }

  /// hidden = act(gate + bias) * (up + bias), and its int8 form, of some row groups of one block;
  /// times sigmoid(gate . x) where a shared block has a gate of its own.
  private func activate(
    _ weights: LayerWeights, _ block: Int, _ groups: Range<Int>, layer: Int
  ) {
    let input = feedForward.hidden[block]
    let rows = MatrixShape.groupRows
    let columns = groups.lowerBound * rows..<min(input.columns, groups.upperBound * rows)
    for token in 0..<tokens.count {
      let place = token * feedForward.width + feedForward.offsets[block]
      let row = unsafe input.token(token)
      unsafe activate(weights.feedForward[block], columns, at: place, into: row)
      if let experts, weights.sharedGate != nil {
        let weight = unsafe experts.sharedWeights.elements[token]
        for index in columns { unsafe row[index] *= weight }
      }
      quantize(input, token: token, columns: columns, layer: layer)
    }
  }

  /// Some columns of one block of one token, whose gate and up begin at `place`.
  func activate(
    _ atom: FeedForwardAtom, _ columns: Range<Int>, at place: Int,
    into row: UnsafeMutableBufferPointer<Float>
  ) {
    let activation = shape.feedForward.activation
    let first = columns.lowerBound
    let up = unsafe feedForward.up.pointer(place)
    let out = unsafe row.baseAddress.unsafelyUnwrapped + first
    if let bias = atom.upBias { for index in columns { unsafe up[index] += bias[index] } }
    guard atom.gate != nil else {
      return unsafe kernels.activate(activation, up + first, columns.count, into: out)
    }
    let gate = unsafe feedForward.gate.pointer(place)
    if let bias = atom.gateBias { for index in columns { unsafe gate[index] += bias[index] } }
    unsafe kernels.activateGated(
      activation, gate: gate + first, up: up + first, columns.count, into: out)
  }

  func count(_ atom: FeedForwardAtom, tokens: Int) {
    if let gate = atom.gate { count(gate, tokens: tokens) }
    count(atom.up, tokens: tokens)
    count(atom.down, tokens: tokens)
  }
}
