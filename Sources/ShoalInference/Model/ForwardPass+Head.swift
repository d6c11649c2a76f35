// The output head: logits of this rank's slice of the vocabulary.

internal import ShoalProtocol

/// Where logits go.
final class HeadBuffers {
  /// Rows of the vocabulary that this rank holds, and where each block begins among them.
  let width: Int
  let offsets: [Int]
  let pieces: RowPieces
  /// (rows, width); grows when more than one row is asked for.
  var logits: Buffer<Float>
  /// Positions that the last step has logits of.
  var rows = 0

  init(_ model: RankModel, workers: Int) {
    var offsets: [Int] = []
    var width = 0
    for range in model.vocabularyRows {
      offsets.append(width)
      width += range.count
    }
    self.offsets = offsets
    self.width = width
    logits = Buffer(count: width, zero: 0)
    pieces = RowPieces(groups: model.output.map(\.shape.groups), workers: workers)
  }
}

extension ForwardPass {
  /// Positions of the last step that have logits: none, one, or one for each token.
  public var logitRows: Int { head.rows }

  /// Logits of block `block` of `share.vocabulary` for one row, in vocabulary order.
  public func logits(row: Int, block: Int) -> UnsafeBufferPointer<Float> {
    precondition(row < head.rows)
    return unsafe UnsafeBufferPointer(
      start: head.logits.pointer(row * head.width + head.offsets[block]),
      count: model.vocabularyRows[block].count)
  }

  func computeLogits(_ wanted: LogitsWanted) throws(InferenceError) {
    let first: Int
    switch wanted {
    case .none:
      head.rows = 0
      return
    case .last: first = tokens.count - 1
    case .all: first = 0
    }
    head.rows = tokens.count - first
    guard head.width > 0 else { return }
    if unsafe head.logits.elements.count < head.rows * head.width {
      head.logits = Buffer(count: head.rows * head.width, zero: 0)
    }
    try normalise(model.outputNorm, from: first, count: head.rows, layer: shape.layers)
    let pieces = head.pieces.pieces
    forEach(pieces.count) { index in
      let piece = pieces[index]
      unsafe kernels.multiply(
        model.output[piece.matrix], normed, tokens: head.rows, groups: piece.groups,
        into: head.logits.from(head.offsets[piece.matrix]), stride: head.width)
    }
    for matrix in model.output { count(matrix, tokens: head.rows) }
  }
}
