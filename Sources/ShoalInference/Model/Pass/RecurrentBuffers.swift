// What a rank's channels remember between tokens, and the memory of one step.

internal import ShoalProtocol

/// One block of channels of one layer.
struct RecurrentAtom: Sendable {
  /// (channels, hidden) each.
  let input: PackedMatrix
  let gate: PackedMatrix
  /// (kernel, channels): a lane is a channel.
  let convolution: [Float]
  /// Zeros where the model has none.
  let convolutionBias: [Float]
  /// (rank + 2 state, channels): one numeric atom.
  let projection: PackedMatrix
  /// (channels, rank)
  let timeStep: PackedMatrix
  let timeStepBias: [Float]
  /// (state, channels), all negative.
  let decay: [Float]
  let skip: [Float]
  /// (hidden, channels): one numeric atom.
  let output: PackedMatrix
}

final class RecurrentBuffers {
  /// The channels of one block, and where they begin among the rank's.
  struct Block {
    let channels: Range<Int>
    let first: Int
  }

  let options: RecurrentOptions
  let blocks: [Block]
  /// Channels of all blocks.
  let width: Int
  /// (batch, width): inputs of the convolution, and what multiplies the outcome.
  let inputs: Buffer<Float>
  let gates: Buffer<Float>
  /// (batch, width)
  let timeSteps: Buffer<Float>
  /// Behind the convolution, one for each block; later the outcome, in the same memory.
  let convolved: [Activations]
  /// (batch, rank), and its int8 form.
  let step: Activations
  /// (batch, 2 state): input and output matrices of each token.
  let matrices: Buffer<Float>
  /// (blocks, 64): exponentials of one row.
  let scratch: Buffer<Float>

  init?(_ model: RankModel, batch: Int) {
    let shape = model.manifest.shape
    guard let options = shape.recurrent else { return nil }
    self.options = options
    let cut = model.manifest.cut
    var blocks: [Block] = []
    var width = 0
    for number in model.share.units {
      let channels = cut.channelBlock(number)
      blocks.append(Block(channels: channels, first: width))
      width += channels.count
    }
    self.blocks = blocks
    self.width = width
    inputs = Buffer(count: batch * width, zero: 0)
    gates = Buffer(count: batch * width, zero: 0)
    timeSteps = Buffer(count: batch * width, zero: 0)
    convolved = blocks.map {
      Activations(
        parts: ColumnParts(first: $0.channels.lowerBound, count: $0.channels.count),
        capacity: batch)
    }
    step = Activations(parts: ColumnParts(first: 0, count: options.rank), capacity: batch)
    matrices = Buffer(count: batch * 2 * options.state, zero: 0)
    scratch = Buffer(count: blocks.count * AtomCut.channelsPerBlock, zero: 0)
  }

  /// What one sequence remembers in one layer: (kernel - 1, channels), oldest first, then
  /// (state, channels), for each block.
  func makeStates() -> [Buffer<Float>] {
    let rows = options.kernel - 1 + options.state
    return blocks.map { Buffer(count: rows * $0.channels.count, zero: 0) }
  }

  // MARK: Products

  /// The four fork-joins of a layer: to the convolution, into the small projection, to the time
  /// steps, and back.
  func phases(
    _ layer: LayerWeights, _ input: Activations, _ shared: Buffer<Int64>, hidden: Int,
    fractionBits: Int, workers: Int
  ) -> LayerPhases {
    let projections = unsafe ProductList.Output.sums(
      shared.elements, stride: options.projected, fractionBits: fractionBits)
    let outputs = unsafe ProductList.Output.sums(
      shared.elements, stride: hidden, fractionBits: fractionBits)
    let (channels, batch) = (layer.channels, input.capacity)
    let toConvolution =
      expansion(channels.map(\.input), of: input, into: inputs)
      + expansion(channels.map(\.gate), of: input, into: gates)
    let toTimeSteps = expansion(channels.map(\.timeStep), of: step, into: timeSteps)
    return LayerPhases(
      projection: .each(ProductList(toConvolution, capacity: batch), workers: workers),
      back: .together(
        contraction(channels.map(\.projection), into: projections, capacity: batch),
        workers: workers),
      expansion: .each(ProductList(toTimeSteps, capacity: batch), workers: workers),
      contraction: .together(
        contraction(channels.map(\.output), into: outputs, capacity: batch), workers: workers))
  }

  /// Rows of each block, one to a channel.
  private func expansion(
    _ matrices: [PackedMatrix], of input: Activations, into buffer: Buffer<Float>
  ) -> [ProductList.Product] {
    zip(matrices, blocks).map { matrix, block in
      unsafe ProductList.Product(
        MatrixTerm(matrix, input), into: .values(buffer.from(block.first), stride: width))
    }
  }

  /// Columns of each block: all add to the same sums.
  private func contraction(
    _ matrices: [PackedMatrix], into sums: ProductList.Output, capacity: Int
  ) -> ProductList {
    ProductList(
      zip(matrices, convolved).map { ProductList.Product(MatrixTerm($0, $1), into: sums) },
      capacity: capacity)
  }
}
