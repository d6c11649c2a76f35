// The output head: logits of this rank's slice of the vocabulary.

internal import ShoalProtocol

/// Where logits go.
final class HeadBuffers {
  /// Rows of the vocabulary that this rank holds, and where each block begins among them.
  let width: Int
  let offsets: [Int]
  /// (rows, width); grows when more than one row is asked for.
  private(set) var logits: Buffer<Float>
  private(set) var phase: ProductPhase
  /// Positions that the last step has logits of.
  var rows = 0

  private let matrices: [PackedMatrix]
  private let input: Activations
  private let workers: Int
  /// What is multiplied after the logits: the next step's first layer.
  private var following: ProductPhase?

  init(_ model: RankModel, _ input: Activations, workers: Int) {
    var offsets: [Int] = []
    var width = 0
    for range in model.vocabularyRows {
      offsets.append(width)
      width += range.count
    }
    self.offsets = offsets
    // An earlier stage has no logits to make room for.
    self.width = model.share.layers.upperBound == model.manifest.shape.layers ? width : 0
    matrices = model.output
    self.input = input
    self.workers = workers
    logits = Buffer(count: width, zero: 0)
    phase = .each(ProductList([], capacity: 1), workers: workers)
    reserve(rows: 1)
  }

  /// Lets the last products fetch ahead what follows them.
  func link(to following: ProductPhase) {
    self.following = following
    phase.link(to: following)
  }

  /// Makes room for the logits of `rows` positions, or twice what there was.
  func reserve(rows wanted: Int) {
    guard wanted > phase.list.capacity || phase.list.count == 0 else { return }
    let rows = min(max(wanted, 2 * phase.list.capacity), input.capacity)
    logits = Buffer(count: rows * width, zero: 0)
    let products = zip(matrices, offsets).map { matrix, offset in
      unsafe ProductList.Product(
        MatrixTerm(matrix, input), into: .values(logits.from(offset), stride: width))
    }
    phase = .each(ProductList(products, capacity: rows), workers: workers)
    if let following { phase.link(to: following) }
  }
}

extension ForwardPass {
  /// Positions of the last step that have logits, in the order of its spans.
  public var logitRows: Int { head.rows }

  /// Logits of block `block` of `share.vocabulary` for one row, in vocabulary order.
  public func logits(row: Int, block: Int) -> UnsafeBufferPointer<Float> {
    precondition(row < head.rows)
    return unsafe UnsafeBufferPointer(
      start: head.logits.pointer(row * head.width + head.offsets[block]),
      count: model.vocabularyRows[block].count)
  }

  func computeLogits() throws(InferenceError) {
    head.rows = wantedRows.count
    guard head.rows > 0, head.width > 0, shape.head.hasLogits else { return }
    head.reserve(rows: head.rows)
    try takeInput(model.outputNorm, of: wantedRows, layer: shape.layers)
    run(head.phase, tokens: head.rows, layer: shape.layers)
    for matrix in model.output { count(matrix, tokens: head.rows) }
    finishLogits()
  }

  /// logit * scale + bias, then the soft cap, each where the model has it.
  private func finishLogits() {
    let options = shape.head
    guard options.logitScale != 1 || options.softCap > 0 || model.outputBias != nil else { return }
    let blocks = model.vocabularyRows
    forEach(head.rows * blocks.count) { piece in
      let (row, block) = piece.quotientAndRemainder(dividingBy: blocks.count)
      let logits = unsafe head.logits.pointer(row * head.width + head.offsets[block])
      for index in 0..<blocks[block].count {
        var logit = unsafe logits[index] * options.logitScale
        if let bias = model.outputBias { logit += bias[blocks[block].lowerBound + index] }
        if options.softCap > 0 { logit = options.softCap * Canon.tanh(logit / options.softCap) }
        unsafe logits[index] = logit
      }
    }
  }
}
