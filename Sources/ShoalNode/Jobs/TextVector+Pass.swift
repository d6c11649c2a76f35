// The vectors of a step's texts, out of the pass that has finished it.

internal import ShoalInference
internal import ShoalProtocol
internal import ShoalSecurity

extension TextVector {
  /// One for each text of `step`; none in a stage before the last, which has no last rows.
  static func all(_ step: EmbeddingStep, _ pass: ForwardPass) throws(JobFailure) -> [TextVector] {
    guard pass.isLastStage else { return [] }
    pass.finishTexts()
    var vectors: [TextVector] = []
    var first = 0
    for text in step.texts {
      let rows = first..<first + text.count
      vectors.append(
        TextVector(
          hash: hash(of: rows, pass), values: try values(of: rows, step.pooling, pass)))
      first = rows.upperBound
    }
    return vectors
  }

  private static func hash(of rows: Range<Int>, _ pass: ForwardPass) -> Bytes32 {
    var hashes: [UInt8] = []
    for row in rows {
      hashes += unsafe BLAKE2b.hash(UnsafeRawBufferPointer(pass.output(row: row))).bytes
    }
    return BLAKE2b.hash(hashes)
  }

  private static func values(
    of rows: Range<Int>, _ pooling: PoolingOptions, _ pass: ForwardPass
  ) throws(JobFailure) -> [Float] {
    var values = [Float](repeating: 0, count: unsafe pass.output(row: rows.lowerBound).count)
    do {
      try unsafe values.withUnsafeMutableBufferPointer { values throws(InferenceError) in
        try unsafe pass.pool(rows, pooling, into: values)
      }
    } catch {
      switch error {
      case .notFinite(let layer), .outOfRange(let layer): throw .numericRange(layer: layer)
      }
    }
    return values
  }
}
