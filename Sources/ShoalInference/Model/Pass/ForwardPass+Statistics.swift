// The norm over all heads of a layer (OLMo 2): the one statistic that a rank cannot know alone.

extension ForwardPass {
  /// The sum of squares of each query head and each key head that this rank answers for, as bit
  /// patterns; zeros for the others, so that the sum over ranks is exact. A group whose units are
  /// dealt to several ranks is answered for by the one with the first.
  func takeStatistics(layer: Int) {
    let (heads, groups) = (shape.attention.heads, shape.attention.keyValueHeads)
    let cut = model.manifest.cut
    sumWidth = heads + groups
    shared.clear(count: tokens.count * sumWidth, to: 0)
    forEachToken { token in
      let out = unsafe shared.pointer(token * sumWidth)
      for (place, number) in zip(attention.units, model.share.units) {
        for (index, head) in place.heads.enumerated() {
          unsafe out[head] = squares(query(token, head: place.firstHead + index))
        }
        guard number % cut.unitsPerGroup == 0 else { continue }
        unsafe out[heads + cut.queryUnit(number).group] = squares(key(token, group: place.group))
      }
    }
  }

  /// Bits of the sum of squares of one head.
  private func squares(_ head: UnsafeMutablePointer<Float>) -> Int64 {
    unsafe Int64(
      Kernels.sumOfSquares(head, shape.attention.headDimension).bitPattern)
  }

  /// x = (x * inv) * weight with inv = 1 / sqrt(total / n + epsilon); the total adds the heads'
  /// sums in ascending order.
  func giveStatistics(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard let queryNorm = weights.queryNorm, let keyNorm = weights.keyNorm else { return }
    let (heads, groups) = (shape.attention.heads, shape.attention.keyValueHeads)
    let dimension = shape.attention.headDimension
    for index in 0..<tokens.count * (heads + groups) {
      // What no rank can have sent.
      guard unsafe UInt32(exactly: shared.elements[index]) != nil else {
        throw .outOfRange(layer: layer)
      }
    }
    forEachToken { token in
      let sums = unsafe shared.pointer(token * (heads + groups))
      let ofQueries = unsafe inverse(sums, heads)
      let ofKeys = unsafe inverse(sums + heads, groups)
      for place in attention.units {
        for (index, head) in place.heads.enumerated() {
          let row = unsafe query(token, head: place.firstHead + index)
          unsafe scale(row, by: ofQueries, queryNorm[head * dimension..<(head + 1) * dimension])
        }
      }
      for (index, group) in model.groups.enumerated() {
        let row = unsafe key(token, group: index)
        unsafe scale(row, by: ofKeys, keyNorm[group * dimension..<(group + 1) * dimension])
      }
    }
  }

  private func inverse(_ sums: UnsafePointer<Int64>, _ count: Int) -> Float {
    var total: Float = 0
    for index in 0..<count {
      unsafe total += Float(bitPattern: UInt32(truncatingIfNeeded: sums[index]))
    }
    let elements = Float(count * shape.attention.headDimension)
    return 1 / (total / elements + shape.norm.epsilon).squareRoot()
  }

  private func scale(
    _ row: UnsafeMutablePointer<Float>, by inverse: Float, _ weight: ArraySlice<Float>
  ) {
    for (index, weight) in weight.enumerated() {
      unsafe row[index] = (row[index] * inverse) * weight
    }
  }
}
