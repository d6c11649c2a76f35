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
  /// Rows of gate (even) and up (odd) of the dense blocks.
  let projection: RowPieces
  let back: RowPieces

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
    let isGated = model.manifest.shape.feedForward.isGated
    gate = Buffer(count: isGated ? batch * width : 0, zero: 0)
    up = Buffer(count: batch * width, zero: 0)
    hidden = blocks.map {
      Activations(
        parts: ColumnParts(first: $0.columns.lowerBound, count: $0.columns.count), capacity: batch)
    }
    dense = 0..<(blocks.firstIndex { $0.expert != nil } ?? blocks.count)
    let atoms = model.layers[0].feedForward
    projection = RowPieces(
      groups: atoms[dense].flatMap { [$0.gate?.shape.groups ?? 0, $0.up.shape.groups] },
      workers: workers)
    back = RowPieces(groups: (atoms.first?.down).map { [$0.shape.groups] } ?? [], workers: workers)
  }
}

extension ForwardPass {
  /// Adds this rank's part of the feed-forward output to `partial`.
  func feedForward(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.feedForward.isEmpty else { return }
    // Parallel branches that share one norm find their input where attention left it.
    if !shape.residual.isParallel || weights.feedForwardNorm != nil {
      try takeInput(weights.feedForwardNorm, count: tokens.count, layer: layer)
    }
    if let experts { try route(weights, experts, layer: layer) }
    let dense = feedForward.dense
    if !dense.isEmpty {
      expand(weights.feedForward)
      forEachToken { token in
        for block in dense { activate(weights, block, token: token, layer: layer) }
      }
      try checkFinite(layer)
      contract(weights.feedForward, dense, layer: layer)
      for atom in weights.feedForward[dense] { count(atom, tokens: tokens.count) }
    }
    if let experts { try mix(weights, experts, layer: layer) }
    try checkRange(layer)
  }

  /// gate, up = weights · input
  private func expand(_ atoms: [FeedForwardAtom]) {
    let pieces = feedForward.projection.pieces
    forEach(pieces.count) { index in
      let piece = pieces[index]
      let (block, isUp) = (piece.matrix / 2, piece.matrix % 2 == 1)
      guard let matrix = isUp ? atoms[block].up : atoms[block].gate else { return }
      let buffer = isUp ? feedForward.up : feedForward.gate
      unsafe kernels.multiply(
        matrix, normed, tokens: tokens.count, groups: piece.groups,
        into: buffer.from(feedForward.offsets[block]), stride: feedForward.width)
    }
  }

  /// hidden = act(gate + bias) * (up + bias), and its int8 form; times sigmoid(gate . x) where a
  /// shared block has a gate of its own.
  private func activate(_ weights: LayerWeights, _ block: Int, token: Int, layer: Int) {
    let atom = weights.feedForward[block]
    let place = token * feedForward.width + feedForward.offsets[block]
    let input = feedForward.hidden[block]
    unsafe activate(atom, at: place, into: input.token(token))
    if let experts, weights.sharedGate != nil {
      let row = unsafe input.token(token)
      let weight = unsafe experts.sharedWeights.elements[token]
      for index in row.indices { unsafe row[index] *= weight }
    }
    quantize(input, token: token, layer: layer)
  }

  /// One block of one token, whose gate and up begin at `place`.
  func activate(
    _ atom: FeedForwardAtom, at place: Int, into row: UnsafeMutableBufferPointer<Float>
  ) {
    let activation = shape.feedForward.activation
    let up = unsafe feedForward.up.pointer(place)
    let out = unsafe row.baseAddress.unsafelyUnwrapped
    if let bias = atom.upBias { for index in row.indices { unsafe up[index] += bias[index] } }
    guard atom.gate != nil else {
      return unsafe kernels.activate(activation, up, row.count, into: out)
    }
    let gate = unsafe feedForward.gate.pointer(place)
    if let bias = atom.gateBias { for index in row.indices { unsafe gate[index] += bias[index] } }
    unsafe kernels.activateGated(activation, gate: gate, up: up, row.count, into: out)
  }

  private func contract(_ atoms: [FeedForwardAtom], _ blocks: Range<Int>, layer: Int) {
    let pieces = feedForward.back.pieces
    forEach(pieces.count) { piece in
      for block in blocks {
        multiplyRounded(
          atoms[block].down, feedForward.hidden[block], groups: pieces[piece].groups, layer: layer)
      }
    }
  }

  func count(_ atom: FeedForwardAtom, tokens: Int) {
    if let gate = atom.gate { count(gate, tokens: tokens) }
    count(atom.up, tokens: tokens)
    count(atom.down, tokens: tokens)
  }
}
