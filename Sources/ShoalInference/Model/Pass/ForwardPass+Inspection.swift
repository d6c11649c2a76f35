// What a pass holds where it waits for a sum: so that a test can compare it with another
// implementation stage by stage. Nothing else reads it.

extension ForwardPass {
  /// Rows of this rank, one for each token of the step.
  package enum Inspected: Sendable {
    /// (hidden): up to the last sum that was taken in.
    case residual
    /// (hidden): the input of the branch at hand, normalised where the model does so.
    case branchInput
    /// (heads * headDimension), in the order of the rank's heads; turned where the model turns.
    case queries
    /// (groups * headDimension)
    case keys
    case values
    /// (heads * headDimension): the input of the output projection.
    case attended
    /// (columns): before the activation and after it.
    case expanded
    case activated
  }

  package func rows(_ what: Inspected) -> [[Float]] {
    (0..<tokens.count).map { token in
      switch what {
      case .residual: unsafe Array(row(of: residual, token))
      case .branchInput: unsafe Array(normed.token(token))
      case .queries: unsafe row(query(token, head: 0), attention.heads)
      case .keys: unsafe row(key(token, group: 0), attention.groups)
      case .values: unsafe row(value(token, group: 0), attention.groups)
      case .attended: attention.outputs.flatMap { unsafe Array($0.token(token)) }
      case .expanded:
        unsafe Array(feedForward.up.from(token * feedForward.width).prefix(feedForward.width))
      case .activated: feedForward.hidden.flatMap { unsafe Array($0.token(token)) }
      }
    }
  }

  private func row(_ start: UnsafeMutablePointer<Float>, _ heads: Int) -> [Float] {
    unsafe Array(
      UnsafeBufferPointer(start: start, count: heads * shape.attention.headDimension))
  }
}
