// Recomputes another rank's part of the feed-forward of one layer from what that layer read, so
// that it can be compared number by number.

internal import ShoalProtocol
internal import Synchronization

extension RankShare {
  /// What a rank adds to the feed-forward sum of one layer, and nothing else.
  public static func feedForward(layer: Int, blocks: [Int]) -> RankShare {
    RankShare(layers: layer..<layer + 1, units: [], blocks: blocks, vocabulary: [])
  }
}

extension Hyperparameters {
  /// Whether the feed-forward has a sum of its own, from what every rank of a stage has before it.
  /// Not where parallel branches are summed together, and not in a recurrent layer: there a part
  /// depends on keys, values or states that only its rank has.
  public var hasSeparateFeedForward: Bool { recurrent == nil && !residual.isParallel }
}

public final class FeedForwardAudit {
  /// Rows that are recomputed at once, so that a long step needs no more memory than a short one.
  public static let rowLimit = 32

  private let pass: ForwardPass
  private let layer: Int

  /// - Parameter model: of a share that `RankShare.feedForward` gives.
  public init(_ model: RankModel, kernels: Kernels, workers: any Workers = SerialWorkers()) {
    precondition(model.share.layers.count == 1 && model.manifest.shape.hasSeparateFeedForward)
    layer = model.share.layers.lowerBound
    pass = ForwardPass(
      model: model, kernels: kernels, workers: workers, batch: Self.rowLimit)
  }

  /// The first row whose sums differ from `claimed`, and what they should be; nil: none does.
  ///
  /// - Parameters:
  ///   - rows: (rows, hidden), the residual before the layer's feed-forward.
  ///   - claimed: (rows, hidden), units.
  public func firstDifference(
    _ rows: UnsafeBufferPointer<Float>, _ claimed: UnsafeBufferPointer<Int64>
  ) throws(InferenceError) -> (row: Int, sums: [Int64])? {
    let hidden = pass.shape.hidden
    precondition(rows.count == claimed.count && rows.count % hidden == 0)
    for start in stride(from: 0, to: rows.count, by: Self.rowLimit * hidden) {
      let range = start..<min(rows.count, start + Self.rowLimit * hidden)
      let sums = try unsafe pass.feedForwardPart(
        of: UnsafeBufferPointer(rebasing: rows[range]), layer: layer)
      for offset in stride(from: 0, to: range.count, by: hidden) {
        let right = unsafe UnsafeBufferPointer(rebasing: sums[offset..<offset + hidden])
        let said = unsafe claimed[start + offset..<start + offset + hidden]
        if unsafe !right.elementsEqual(said) {
          return unsafe ((start + offset) / hidden, Array(right))
        }
      }
    }
    return nil
  }
}

extension ForwardPass {
  /// The residual, (tokens, hidden), up to the last sum that was taken in.
  public var residualRows: UnsafeBufferPointer<Float> {
    unsafe UnsafeBufferPointer(
      rebasing: residual.elements[..<(tokens.count * shape.hidden)])
  }

  /// This share's part of a feed-forward sum for rows of a residual that another pass came to.
  fileprivate func feedForwardPart(
    of rows: UnsafeBufferPointer<Float>, layer: Int
  ) throws(InferenceError) -> UnsafeMutableBufferPointer<Int64> {
    clearRows()
    // Which tokens they are plays no part.
    tokens.append(contentsOf: repeatElement(0, count: rows.count / shape.hidden))
    trouble.store(0, ordering: .relaxed)
    for index in rows.indices { unsafe residual.elements[index] = rows[index] }
    clearSum()
    try feedForward(layer: layer)
    return unsafe partial
  }
}
