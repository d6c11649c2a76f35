// One rank's pass through a model, from sum to sum. It computes until a sum over all ranks is
// needed, hands out its part, and goes on when the total has been put in its place.

internal import ShoalProtocol
internal import Synchronization

/// Why numbers ended a pass.
public enum InferenceError: Error, Sendable, Hashable {
  /// An activation was NaN or infinite.
  case notFinite(layer: Int)
  /// A product or a sum left the range of shared sums (2^44 units).
  case outOfRange(layer: Int)
}

/// The layers of one pipeline stage over the atoms of one share. Memory is taken at `init`; a step
/// takes none, but for the logits of more than one position.
///
/// One owner drives it:
///
///     begin(spans, tokens)
///     while the need that advance() returns is not .finished { fulfil it }
///     logits(row:, block:), or output(row:) of an encoder, in the last stage
public final class ForwardPass {
  /// What the caller has to do next.
  public enum Need: Sendable, Hashable {
    /// `takeOver` what the stage before hands over: the first need of a step in a later stage.
    case takeOver
    /// Replace `partial` by its sum over all ranks. Index 0 is the embedding, 1 + 2l and 2 + 2l are
    /// the attention and the feed-forward of layer l (1 + 2l both, where they are parallel; of a
    /// recurrent layer the small projection and the output), `statisticsIndex` + l what a norm over
    /// all heads of layer l needs, `handoverIndex` + l the rows that a stage takes over before its
    /// first layer l.
    case sum(index: Int)
    /// `handOver` the residual to the stage after: the last need of a step but in the last stage.
    case handOver
    /// Logits are there, where any were asked for.
    case finished
  }

  /// Sums for norms over all heads are numbered from here on: beyond those of any number of layers.
  public static let statisticsIndex = 0x8000

  /// Weights and cached keys and values read, and products made, since the last `advance` began.
  public struct Work: Sendable, Hashable {
    public var bytes: UInt64 = 0
    public var multiplyAccumulates: UInt64 = 0
  }

  private enum Turn {
    case idle
    case embedding
    /// Rows of the stage before are to come, or have come.
    case awaiting
    case taken
    /// Queries and keys of a layer, up to the sum that their norm needs.
    case statistics(layer: Int)
    case attention(layer: Int)
    case feedForward(layer: Int)
    case end
    case handedOver
  }

  let model: RankModel
  let kernels: Kernels
  let workers: any Workers
  let shape: Hyperparameters
  /// Tokens of the longest step.
  public let batch: Int

  private var turn = Turn.idle
  var tokens: [UInt32] = []
  /// One for each token.
  var places: [TokenPlace] = []
  /// The rows of each sequence, and the same in parts that attention takes in turn.
  var runs: [SequenceRun] = []
  var slices: [SequenceRun] = []
  /// Rows that get logits, ascending.
  var wantedRows: [Int] = []
  public internal(set) var work = Work()
  /// 0, or 1 + the layer in which a worker met a number out of range.
  let trouble = Atomic<Int>(0)

  /// (batch, hidden)
  let residual: Buffer<Float>
  /// (batch, hidden), in units of 2^-unitExponent; bit patterns of f32 for the embedding.
  let shared: Buffer<Int64>
  /// Elements that each token has in the sum at hand.
  var sumWidth: Int
  /// (batch, hidden): a branch's output on its way into the residual.
  let branch: Buffer<Float>
  /// (batch, hidden): a branch's input, and its int8 form.
  let normed: Activations
  let attention: AttentionBuffers
  let feedForward: FeedForwardBuffers
  let experts: ExpertBuffers?
  let recurrent: RecurrentBuffers?
  let head: HeadBuffers
  /// The layers of the stage, and what each of them multiplies.
  public let layers: Range<Int>
  let phases: StageLayers<LayerPhases>

  /// - Parameter batch: tokens of the longest step, of all sequences together.
  public init(model: RankModel, kernels: Kernels, workers: any Workers, batch: Int) {
    precondition(batch > 0)
    self.model = model
    self.kernels = kernels
    self.workers = workers
    self.batch = batch
    shape = model.manifest.shape
    layers = model.share.layers
    sumWidth = shape.hidden
    residual = Buffer(count: batch * shape.hidden, zero: 0)
    shared = Buffer(count: batch * shape.sumWidth, zero: 0)
    branch = Buffer(count: batch * shape.hidden, zero: 0)
    normed = Activations(parts: ColumnParts(first: 0, count: shape.hidden), capacity: batch)
    attention = AttentionBuffers(model, batch: batch, workers: workers.count)
    feedForward = FeedForwardBuffers(model, batch: batch, workers: workers.count)
    experts = ExpertBuffers(model, batch: batch)
    recurrent = RecurrentBuffers(model, batch: batch)
    head = HeadBuffers(model, normed, workers: workers.count)
    phases = LayerPhases.all(
      model, attention, feedForward, recurrent, normed, shared, batch: batch,
      workers: workers.count)
    tokens.reserveCapacity(batch)
    places.reserveCapacity(batch)
    runs.reserveCapacity(batch)
    slices.reserveCapacity(batch)
    wantedRows.reserveCapacity(batch)
    var following = head.phase
    for layer in phases.reversed() { following = layer.link(to: following) }
    head.link(to: following)
  }

  /// The step's rows are in place.
  func enterRows() {
    precondition(!tokens.isEmpty && tokens.count <= batch && places.count == tokens.count)
    for run in runs {
      run.sequence.enter(position: places[run.rows.lowerBound].slot, count: run.rows.count)
    }
    turn = layers.lowerBound == 0 ? .embedding : .awaiting
    trouble.store(0, ordering: .relaxed)
  }

  /// This rank's part of the sum that `advance` asked for, (tokens, width); the total goes here.
  public var partial: UnsafeMutableBufferPointer<Int64> {
    unsafe UnsafeMutableBufferPointer(rebasing: shared.elements[..<(tokens.count * sumWidth)])
  }

  /// Computes up to the next sum, or to the end.
  public func advance() throws(InferenceError) -> Need {
    work = Work()
    switch turn {
    case .idle:
      preconditionFailure("advance without begin")
    case .embedding:
      embed()
      turn = first(of: 0)
      return .sum(index: 0)
    case .awaiting:
      clearSum()
      turn = .taken
      return .takeOver
    case .taken:
      turn = first(of: layers.lowerBound)
      return .sum(index: Self.handoverIndex + layers.lowerBound)
    case .statistics(let layer):
      try enter(layer)
      try prepareQueriesAndKeys(layer: layer)
      takeStatistics(layer: layer)
      turn = .attention(layer: layer)
      return .sum(index: Self.statisticsIndex + layer)
    case .attention(let layer):
      return try attentionSum(layer)
    case .feedForward(let layer):
      if let recurrent {
        try runChannels(recurrent, layer: layer)
        turn = first(of: layer + 1)
        return .sum(index: 2 + 2 * layer)
      }
      try finish(model.layers[layer].attentionEnd, layer: layer)
      clearSum()
      try feedForward(layer: layer)
      turn = first(of: layer + 1)
      return .sum(index: 2 + 2 * layer)
    case .end:
      return try end()
    case .handedOver:
      turn = .idle
      return .finished
    }
  }

  /// The stage's layers are done.
  private func end() throws(InferenceError) -> Need {
    try enter(layers.upperBound)
    guard layers.upperBound == shape.layers else {
      head.rows = 0
      turn = .handedOver
      return .handOver
    }
    turn = .idle
    try computeLogits()
    return .finished
  }

  private func attentionSum(_ layer: Int) throws(InferenceError) -> Need {
    if let recurrent {
      try enter(layer)
      try projectChannels(recurrent, layer: layer)
      turn = .feedForward(layer: layer)
      return .sum(index: 1 + 2 * layer)
    }
    if shape.attention.queryKeyNorm == .fullWidth {
      try giveStatistics(layer: layer)
    } else {
      try enter(layer)
      try prepareQueriesAndKeys(layer: layer)
    }
    clearSum()
    try attend(layer: layer)
    if shape.residual.isParallel {
      try feedForward(layer: layer)
      turn = first(of: layer + 1)
    } else {
      turn = .feedForward(layer: layer)
    }
    return .sum(index: 1 + 2 * layer)
  }

  private func first(of layer: Int) -> Turn {
    guard layer < layers.upperBound else { return .end }
    return shape.attention.queryKeyNorm == .fullWidth
      ? .statistics(layer: layer) : .attention(layer: layer)
  }

  /// Takes in the sum that the layer before ended with, or what begins a stage.
  private func enter(_ layer: Int) throws(InferenceError) {
    guard layer > layers.lowerBound else {
      return layer == 0 ? try takeEmbedding() : try takeBits(layer: layer)
    }
    let before = model.layers[layer - 1]
    try finish(
      shape.residual.isParallel ? before.attentionEnd : before.feedForwardEnd, layer: layer - 1)
  }

  func clearSum() {
    sumWidth = shape.hidden
    forEachToken { shared.clear($0 * shape.hidden, count: shape.hidden, to: 0) }
  }

  /// How many sums one step needs, in all stages together.
  public static func sums(_ shape: Hyperparameters) -> Int {
    1 + shape.layers * shape.sumsPerLayer
  }

  // MARK: Shared by all parts

  func quantize(
    _ activations: Activations, token: Int, columns: Range<Int>? = nil, layer: Int
  ) {
    do {
      try kernels.quantize(activations, tokens: token..<token + 1, columns: columns)
    } catch {
      trouble.store(1 + layer, ordering: .relaxed)
    }
  }

  func forEachToken(_ body: (Int) -> Void) { forEach(tokens.count, body) }

  /// One piece stays on this thread: waking a worker costs more than a row of a norm.
  func forEach(_ count: Int, _ body: (Int) -> Void) {
    if count == 1 { body(0) } else { workers.run(count, body) }
  }

  /// Throws what a worker stored in `trouble`: an activation that was no number.
  func checkFinite(_ layer: Int) throws(InferenceError) {
    guard trouble.load(ordering: .relaxed) == 0 else { throw .notFinite(layer: layer) }
  }

  /// Throws what a worker stored in `trouble`: a product or sum out of range.
  func checkRange(_ layer: Int) throws(InferenceError) {
    guard trouble.load(ordering: .relaxed) == 0 else { throw .outOfRange(layer: layer) }
  }

  func count(_ matrix: PackedMatrix, tokens: Int) {
    work.bytes += UInt64(matrix.shape.byteCount)
    work.multiplyAccumulates += UInt64(matrix.shape.rows * matrix.shape.columns * tokens)
  }
}
