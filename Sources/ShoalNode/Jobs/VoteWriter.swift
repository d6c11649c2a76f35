// What a rank says of its logits, written straight into the frame that carries it.

internal import ShoalInference
internal import ShoalProtocol
internal import ShoalSecurity

/// Writes the votes of one rank, step after step, without taking memory.
///
/// Of all its blocks together only the rank's best candidates travel: no other can be among the
/// best of the mesh.
struct VoteWriter {
  /// The vocabulary blocks of the rank, ascending, and the tokens of each.
  private let blocks: [Int]
  private let tokens: [Range<Int>]
  private let kernels: Kernels
  private let layers: Int
  private var best = BestCandidates()
  /// The best of one block, for the wire.
  private var spoken: [TokenCandidate] = []
  /// Of the last result: the hash of each vote, in order.
  private(set) var hashes: [Bytes32] = []

  init(_ model: RankModel, kernels: Kernels) {
    layers = model.manifest.shape.layers
    // An earlier stage has nothing to vote on.
    blocks = model.share.layers.upperBound == layers ? model.share.vocabulary : []
    tokens = blocks.map { model.manifest.cut.vocabularyRows($0) }
    self.kernels = kernels
  }

  /// The bytes that the result of `step` may need.
  func capacity(_ step: BatchStep) -> Int {
    let width = tokens.reduce(0) { $0 + $1.count }
    return step.spans.reduce(StepResultWriter.capacity(votes: 0, candidates: 0, logits: 0)) {
      let rows = $1.votedRows
      return $0
        + StepResultWriter.capacity(
          votes: rows * blocks.count, candidates: rows * $1.candidates,
          logits: $1.slices ? rows * width : 0)
    }
  }

  /// The result of `step`, which `pass` has finished, but for its cost.
  mutating func write(
    _ step: BatchStep, _ pass: ForwardPass, into room: UnsafeMutableRawBufferPointer
  ) throws(JobFailure) -> StepResultWriter {
    var result = unsafe StepResultWriter(
      room, sequence: step.sequence, votes: pass.logitRows * blocks.count)
    hashes.removeAll(keepingCapacity: true)
    var row = 0
    for span in step.spans where !blocks.isEmpty {
      for _ in 0..<span.votedRows {
        best.reset(keeping: span.candidates)
        for index in blocks.indices {
          unsafe best.take(
            pass.logits(row: row, block: index), firstToken: tokens[index].lowerBound)
        }
        for index in blocks.indices {
          try vote(index, of: row, slices: span.slices, pass, to: &result)
        }
        row += 1
      }
    }
    return result
  }

  private mutating func vote(
    _ index: Int, of row: Int, slices: Bool, _ pass: ForwardPass,
    to result: inout StepResultWriter
  ) throws(JobFailure) {
    let logits = unsafe pass.logits(row: row, block: index)
    let extent: LogitExtent
    do {
      extent = try unsafe LogitExtent(
        logits, firstToken: tokens[index].lowerBound, kernels: kernels)
    } catch {
      throw .numericRange(layer: layers)
    }
    spoken.removeAll(keepingCapacity: true)
    for candidate in best.candidates where tokens[index].contains(candidate.token) {
      spoken.append(TokenCandidate(token: UInt32(candidate.token), logit: candidate.logit))
    }
    let hash = unsafe BLAKE2b.hash(UnsafeRawBufferPointer(logits))
    hashes.append(hash)
    unsafe result.vote(
      block: blocks[index], row: row, maximum: extent.maximum,
      exponentials: extent.sumOfExponentials, hash: hash,
      candidates: spoken[...],
      slice: slices ? logits : UnsafeBufferPointer(start: nil, count: 0))
  }
}
