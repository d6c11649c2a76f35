// Whole texts in one step, and one vector for each: what encoders do, and decoders that are asked
// for vectors.

public import ShoalProtocol

/// How texts of one step share a sequence: each begins where a chunk does, so that a text's scan is
/// the same whichever others are beside it (docs/NUMERICS.md, "Attention").
public enum TextLayout {
  /// Positions that a text takes.
  public static func positions(tokens: Int) -> Int {
    let chunk = KVCache.chunkPositions
    return (tokens + chunk - 1) / chunk * chunk
  }
}

extension ForwardPass {
  /// Begins a step of whole texts, none of which sees another. All tokens together are no more than
  /// `batch`, the positions of `TextLayout` no more than the sequence's context.
  public func begin(texts: [EncodedText], in sequence: SequenceCache) {
    clearRows()
    var start = 0
    for text in texts {
      let range = start..<start + text.count
      for position in 0..<text.count {
        places.append(TokenPlace(position: position, text: range, type: text.type(position)))
      }
      start += TextLayout.positions(tokens: text.count)
    }
    precondition(start <= sequence.context)
    addRun(of: sequence, from: 0)
    for text in texts { tokens.append(contentsOf: text.tokens) }
    enterRows()
  }

  /// Whether the model's last layer is here.
  public var isLastStage: Bool { layers.upperBound == shape.layers }

  /// The rows of the last step after the last layer and its norm, where the model has one; after
  /// the step's end. Every rank of the last stage has them.
  public func finishTexts() {
    guard let norm = model.outputNorm else { return }
    forEachToken { token in
      let row = unsafe residual.pointer(token * shape.hidden)
      unsafe normalise(row, norm, into: row)
    }
  }

  /// The row of one token of the last step, (hidden).
  public func output(row: Int) -> UnsafeBufferPointer<Float> {
    precondition(row < tokens.count)
    return unsafe UnsafeBufferPointer(self.row(of: residual, row))
  }

  /// One vector, (hidden), of the text whose tokens are `rows` of the last step. A mean adds rows
  /// in ascending order and divides once; a vector's length is the root of its squares in 16 lanes.
  public func pool(
    _ rows: Range<Int>, _ options: PoolingOptions, into out: UnsafeMutableBufferPointer<Float>
  ) throws(InferenceError) {
    precondition(!rows.isEmpty && out.count == shape.hidden)
    let chosen =
      switch options.kind {
      case .mean: rows
      case .first: rows.lowerBound..<rows.lowerBound + 1
      case .last: rows.upperBound - 1..<rows.upperBound
      }
    unsafe out.update(repeating: 0)
    for number in chosen {
      let row = unsafe output(row: number)
      for index in out.indices { unsafe out[index] += row[index] }
    }
    if chosen.count > 1 {
      for index in out.indices { unsafe out[index] /= Float(chosen.count) }
    }
    if options.isNormalised, let start = out.baseAddress {
      // As torch has it: a vector of zeros stays one.
      let length = unsafe max(Kernels.sumOfSquares(start, out.count).squareRoot(), 1e-12)
      for index in out.indices { unsafe out[index] /= length }
    }
    guard unsafe out.allSatisfy(\.isFinite) else { throw .notFinite(layer: shape.layers) }
  }
}
