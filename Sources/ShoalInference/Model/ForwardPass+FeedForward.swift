// The gated feed-forward of one layer (SwiGLU: arXiv 2002.05202), block by block.

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
  let projection: RowPieces
  let back: RowPieces

  init(_ model: RankModel, batch: Int, workers: Int) {
    let cut = model.manifest.cut
    let columns = model.share.blocks.map { cut.feedForwardColumns($0) }
    var offsets: [Int] = []
    var width = 0
    for range in columns {
      offsets.append(width)
      width += range.count
    }
    self.offsets = offsets
    self.width = width
    gate = Buffer(count: batch * width, zero: 0)
    up = Buffer(count: batch * width, zero: 0)
    hidden = columns.map {
      Activations(parts: ColumnParts(first: $0.lowerBound, count: $0.count), capacity: batch)
    }
    let atoms = model.layers[0].feedForward
    projection = RowPieces(
      groups: atoms.flatMap { [$0.gate.shape.groups, $0.up.shape.groups] }, workers: workers)
    back = RowPieces(groups: atoms.isEmpty ? [] : [atoms[0].down.shape.groups], workers: workers)
  }
}

extension ForwardPass {
  /// Leaves this rank's part of the feed-forward output in `partial`.
  func feedForward(layer: Int) throws(InferenceError) {
    shared.clear(tokens.count * shape.hidden, to: 0)
    let atoms = model.layers[layer].feedForward
    guard !atoms.isEmpty else { return }
    try normalise(
      model.layers[layer].feedForwardNorm, from: 0, count: tokens.count, layer: layer)
    expand(atoms)
    forEachToken { token in activate(atoms.count, token: token, layer: layer) }
    guard trouble.load(ordering: .relaxed) == 0 else { throw .notFinite(layer: layer) }
    let pieces = feedForward.back.pieces
    forEach(pieces.count) { piece in
      for (index, atom) in atoms.enumerated() {
        multiplyRounded(
          atom.down, feedForward.hidden[index], groups: pieces[piece].groups, layer: layer)
      }
    }
    guard trouble.load(ordering: .relaxed) == 0 else { throw .outOfRange(layer: layer) }
    for atom in atoms {
      count(atom.gate, tokens: tokens.count)
      count(atom.up, tokens: tokens.count)
      count(atom.down, tokens: tokens.count)
    }
  }

  /// gate, up = weights · normed
  private func expand(_ atoms: [FeedForwardAtom]) {
    let pieces = feedForward.projection.pieces
    forEach(pieces.count) { index in
      let piece = pieces[index]
      let atom = piece.matrix / 2
      let offset = feedForward.offsets[atom]
      let (matrix, output) =
        piece.matrix % 2 == 0
        ? unsafe (atoms[atom].gate, feedForward.gate.from(offset))
        : unsafe (atoms[atom].up, feedForward.up.from(offset))
      unsafe kernels.multiply(
        matrix, normed, tokens: tokens.count, groups: piece.groups, into: output,
        stride: feedForward.width)
    }
  }

  /// hidden = silu(gate) * up, and its int8 form
  private func activate(_ blocks: Int, token: Int, layer: Int) {
    for block in 0..<blocks {
      let input = feedForward.hidden[block]
      let place = token * feedForward.width + feedForward.offsets[block]
      unsafe kernels.activateGated(
        .silu, gate: feedForward.gate.pointer(place), up: feedForward.up.pointer(place),
        input.columns, into: input.token(token).baseAddress.unsafelyUnwrapped)
      quantize(input, token: token, layer: layer)
    }
  }
}
