// One rank's pass through a decoder, from sum to sum. It computes until a sum over all ranks is
// needed, hands out its part, and goes on when the total has been put in its place.

public import ShoalProtocol
internal import Synchronization

/// Why numbers ended a pass.
public enum InferenceError: Error, Sendable, Hashable {
  /// An activation was NaN or infinite.
  case notFinite(layer: Int)
  /// A product or a sum left the range of shared sums (2^44 units).
  case outOfRange(layer: Int)
}

/// Decoder layers over the atoms of one share. Memory is taken at `init`; a step takes none, but
/// for the logits of more than one position.
///
/// One owner drives it:
///
///     begin(tokens, position)
///     while case .sum = try advance() { partial(...) is exchanged and the total put there }
///     logits(row:, block:)
public final class ForwardPass {
  /// What the caller has to do next.
  public enum Need: Sendable, Hashable {
    /// Replace `partial` by its sum over all ranks. Index 0 is the embedding, 1 + 2l and 2 + 2l are
    /// the attention and the feed-forward of layer l.
    case sum(index: Int)
    /// Logits are there, where any were asked for.
    case finished
  }

  /// Weights and cached keys and values read, and products made, since the last `advance` began.
  public struct Work: Sendable, Hashable {
    public var bytes: UInt64 = 0
    public var multiplyAccumulates: UInt64 = 0
  }

  private enum Stage {
    case idle
    case embedding
    case attention(layer: Int)
    case feedForward(layer: Int)
    case head
  }

  let model: RankModel
  let kernels: Kernels
  let workers: any Workers
  let shape: Hyperparameters
  /// Tokens of the longest step.
  public let batch: Int
  /// Positions reserved.
  public let context: Int

  private var stage = Stage.idle
  var tokens: [UInt32] = []
  var position = 0
  private var wanted = LogitsWanted.none
  public internal(set) var work = Work()
  /// 0, or 1 + the layer in which a worker met a number out of range.
  let trouble = Atomic<Int>(0)

  /// (batch, hidden)
  let residual: Buffer<Float>
  /// (batch, hidden), in units of 2^-unitExponent; bit patterns of f32 for the embedding.
  let shared: Buffer<Int64>
  /// (batch, hidden), and its int8 form.
  let normed: Activations
  let attention: AttentionBuffers
  let feedForward: FeedForwardBuffers
  let head: HeadBuffers

  /// - Parameters:
  ///   - batch: tokens of the longest step.
  ///   - context: positions to reserve keys and values for.
  public init(
    model: RankModel, kernels: Kernels, workers: any Workers, batch: Int, context: Int
  ) {
    precondition(batch > 0 && context > 0)
    self.model = model
    self.kernels = kernels
    self.workers = workers
    self.batch = batch
    self.context = context
    shape = model.manifest.shape
    residual = Buffer(count: batch * shape.hidden, zero: 0)
    shared = Buffer(count: batch * shape.hidden, zero: 0)
    normed = Activations(parts: ColumnParts(first: 0, count: shape.hidden), capacity: batch)
    attention = AttentionBuffers(model, batch: batch, context: context, workers: workers.count)
    feedForward = FeedForwardBuffers(model, batch: batch, workers: workers.count)
    head = HeadBuffers(model, workers: workers.count)
    tokens.reserveCapacity(batch)
  }

  /// Bytes that a pass over `share` takes beside the weights.
  public static func bytesNeeded(
    shape: Hyperparameters, share: RankShare, batch: Int, context: Int
  ) -> UInt64 {
    let cache = KVCache.byteCount(
      headDim: shape.headDimension, type: shape.keyValueType, positions: context)
    let perToken =
      shape.hidden * 20 + share.blocks.count * 256 * 12
      + share.groups.count * (shape.headsPerGroup * 2 + 2) * shape.headDimension * 6
    return UInt64(cache) * UInt64(shape.layers * share.groups.count)
      + UInt64(perToken * batch) + UInt64(context * shape.rotaryDimension * 4)
  }

  /// Positions that hold keys and values.
  public var cachedPositions: Int { position + tokens.count }

  /// Begins a step. `tokens` go to consecutive positions from `position` on, which follow what is
  /// cached; each is below the vocabulary.
  public func begin(tokens: [UInt32], at position: Int, logits: LogitsWanted) {
    precondition(!tokens.isEmpty && tokens.count <= batch && position + tokens.count <= context)
    self.tokens.removeAll(keepingCapacity: true)
    self.tokens.append(contentsOf: tokens)
    self.position = position
    wanted = logits
    stage = .embedding
    trouble.store(0, ordering: .relaxed)
  }

  /// This rank's part of the sum that `advance` asked for, (tokens, hidden); the total goes here.
  public var partial: UnsafeMutableBufferPointer<Int64> {
    unsafe UnsafeMutableBufferPointer(
      rebasing: shared.elements[..<(tokens.count * shape.hidden)])
  }

  /// Computes up to the next sum, or to the end.
  public func advance() throws(InferenceError) -> Need {
    work = Work()
    switch stage {
    case .idle:
      preconditionFailure("advance without begin")
    case .embedding:
      embed()
      stage = .attention(layer: 0)
      return .sum(index: 0)
    case .attention(let layer):
      if layer == 0 { try takeEmbedding() } else { try takeSum(layer: layer - 1) }
      try attend(layer: layer)
      stage = .feedForward(layer: layer)
      return .sum(index: 1 + 2 * layer)
    case .feedForward(let layer):
      try takeSum(layer: layer)
      try feedForward(layer: layer)
      stage = layer + 1 < shape.layers ? .attention(layer: layer + 1) : .head
      return .sum(index: 2 + 2 * layer)
    case .head:
      try takeSum(layer: shape.layers - 1)
      stage = .idle
      try computeLogits(wanted)
      return .finished
    }
  }

  /// How many sums one step needs.
  public static func sums(layers: Int) -> Int { 1 + 2 * layers }

  // MARK: Embedding

  /// The rows that this rank holds, as bit patterns; zeros for the others. The sum over ranks has
  /// one contribution to each element, so that it is exact.
  private func embed() {
    shared.clear(tokens.count * shape.hidden, to: 0)
    for (token, id) in tokens.enumerated() {
      guard let block = model.vocabularyRows.firstIndex(where: { $0.contains(Int(id)) }) else {
        continue
      }
      let row = unsafe UnsafeMutableBufferPointer(
        start: residual.pointer(token * shape.hidden), count: shape.hidden)
      unsafe model.embedding[block].dequantizeRow(
        Int(id) - model.vocabularyRows[block].lowerBound, into: row)
      let out = unsafe shared.pointer(token * shape.hidden)
      for column in 0..<shape.hidden {
        unsafe out[column] = Int64(row[column].bitPattern)
      }
    }
  }

  private func takeEmbedding() throws(InferenceError) {
    for index in 0..<tokens.count * shape.hidden {
      guard let bits = unsafe UInt32(exactly: shared.elements[index]) else {
        throw .outOfRange(layer: 0)
      }
      unsafe residual.elements[index] = Float(bitPattern: bits)
    }
  }

  // MARK: Shared by all layers

  private func takeSum(layer: Int) throws(InferenceError) {
    forEachToken { token in
      do {
        try unsafe kernels.addResidual(
          residual.pointer(token * shape.hidden), sum: shared.pointer(token * shape.hidden),
          unitExponent: -model.manifest.unitExponent, shape.hidden)
      } catch {
        trouble.store(1 + layer, ordering: .relaxed)
      }
    }
    guard trouble.load(ordering: .relaxed) == 0 else { throw .outOfRange(layer: layer) }
  }

  /// normed = norm(residual) for `count` tokens from `first` on, and its int8 form.
  func normalise(
    _ weight: [Float], from first: Int, count: Int, layer: Int
  ) throws(InferenceError) {
    unsafe weight.withUnsafeBufferPointer { weight in
      let weight = unsafe weight.baseAddress.unsafelyUnwrapped
      forEach(count) { row in
        unsafe kernels.rmsNorm(
          residual.pointer((first + row) * shape.hidden), weight: weight,
          epsilon: shape.normEpsilon, shape.hidden,
          into: normed.token(row).baseAddress.unsafelyUnwrapped)
        quantize(normed, token: row, layer: layer)
      }
    }
    guard trouble.load(ordering: .relaxed) == 0 else { throw .notFinite(layer: layer) }
  }

  func quantize(_ activations: Activations, token: Int, layer: Int) {
    do {
      try kernels.quantize(activations, tokens: token..<token + 1)
    } catch {
      trouble.store(1 + layer, ordering: .relaxed)
    }
  }

  func multiplyRounded(
    _ matrix: PackedMatrix, _ input: Activations, groups: Range<Int>, layer: Int
  ) {
    do {
      try unsafe kernels.multiplyRounded(
        matrix, input, tokens: tokens.count, groups: groups, addingTo: partial,
        stride: shape.hidden, fractionBits: model.manifest.unitExponent)
    } catch {
      trouble.store(1 + layer, ordering: .relaxed)
    }
  }

  func forEachToken(_ body: (Int) -> Void) { forEach(tokens.count, body) }

  /// One piece stays on this thread: waking a worker costs more than a row of a norm.
  func forEach(_ count: Int, _ body: (Int) -> Void) {
    if count == 1 { body(0) } else { workers.run(count, body) }
  }

  func count(_ matrix: PackedMatrix, tokens: Int) {
    work.bytes += UInt64(matrix.shape.byteCount)
    work.multiplyAccumulates += UInt64(matrix.shape.rows * matrix.shape.columns * tokens)
  }
}
