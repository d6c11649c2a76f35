// What each row function of `canon-1` computes, in plain Swift: the definition and the oracle.

/// Row functions over `count` numbers. Lanes: element i belongs to lane i mod 16, each lane runs in
/// ascending order, then lanes are folded by halves (8, 4, 2, 1). All vector widths share this
/// order.
enum RowReference {
  typealias Input = UnsafePointer<Float>
  typealias Output = UnsafeMutablePointer<Float>

  /// `lane = step(lane, index)` over 16 lanes, then the fold.
  @inline(__always)
  static func lanes(_ count: Int, _ step: (Float, Int) -> Float) -> Float {
    var lanes = [Float](repeating: 0, count: 16)
    for index in 0..<count { lanes[index & 15] = step(lanes[index & 15], index) }
    var width = 8
    while width > 0 {
      for lane in 0..<width { lanes[lane] += lanes[lane + width] }
      width >>= 1
    }
    return lanes[0]
  }

  static func map(_ x: Input, _ count: Int, into out: Output, _ function: (Float) -> Float) {
    for index in 0..<count { unsafe out[index] = function(x[index]) }
  }

  /// out = act(gate) * up
  static func gated(
    _ gate: Input, _ up: Input, _ count: Int, into out: Output, _ function: (Float) -> Float
  ) {
    for index in 0..<count { unsafe out[index] = function(gate[index]) * up[index] }
  }

  /// out = (x * inv) * weight, inv = 1 / sqrt(mean(x^2) + epsilon) (Zhang & Sennrich 2019).
  static func rmsNorm(
    _ x: Input, weight: Input, epsilon: Float, _ count: Int, into out: Output
  ) {
    let sum = lanes(count) { lane, index in unsafe lane.addingProduct(x[index], x[index]) }
    let inverse = 1 / (sum / Float(count) + epsilon).squareRoot()
    for index in 0..<count { unsafe out[index] = (x[index] * inverse) * weight[index] }
  }

  /// out = fma((x - mean) * inv, weight, bias), inv = 1 / sqrt(mean((x - mean)^2) + epsilon)
  /// (Ba et al. 2016).
  static func layerNorm(
    _ x: Input, weight: Input, bias: Input, epsilon: Float, _ count: Int, into out: Output
  ) {
    let mean = lanes(count) { lane, index in unsafe lane + x[index] } / Float(count)
    let squares = lanes(count) { lane, index in
      let difference = unsafe x[index] - mean
      return lane.addingProduct(difference, difference)
    }
    let inverse = 1 / (squares / Float(count) + epsilon).squareRoot()
    for index in 0..<count {
      let normal = unsafe (x[index] - mean) * inverse
      unsafe out[index] = unsafe bias[index].addingProduct(normal, weight[index])
    }
  }

  /// x = (x + Float(sum) * unit) + bias. Whether every |sum| is within 2^44.
  static func addResidual(
    _ x: Output, sum: UnsafePointer<Int64>, unit: Float, bias: Input?, _ count: Int
  ) -> Bool {
    var fits = true
    for index in 0..<count {
      fits = unsafe fits && sum[index].magnitude <= 1 << 44
      unsafe x[index] += Float(sum[index]) * unit
      if let bias = unsafe bias { unsafe x[index] += bias[index] }
    }
    return fits
  }

  /// The largest element, 0 for -0; NaN where any is NaN.
  static func maximum(_ x: Input, _ count: Int) -> Float {
    var largest = -Float.infinity
    for index in 0..<count {
      if unsafe x[index].isNaN { return .nan }
      if unsafe x[index] > largest { largest = unsafe x[index] }
    }
    return largest + 0
  }

  /// The sum of e^(x - origin) in lanes.
  static func sumOfExponentials(_ x: Input, origin: Float, _ count: Int) -> Float {
    lanes(count) { lane, index in unsafe lane + Canon.exp(x[index] - origin) }
  }

  /// Turns the pairs of one head by a row of a RotaryTable: cosines, then sines, `pairs` each.
  ///   first = fma(a, cos, -(b * sin)),  second = fma(a, sin, b * cos)
  static func rotate(_ x: Output, row: Input, pairs: Int, style: RotaryStyle) {
    for pair in 0..<pairs {
      let (first, second) =
        switch style {
        case .interleaved: (2 * pair, 2 * pair + 1)
        case .halves: (pair, pair + pairs)
        }
      let (a, b) = unsafe (x[first], x[second])
      let (cosine, sine) = unsafe (row[pair], row[pairs + pair])
      unsafe x[first] = (-(b * sine)).addingProduct(a, cosine)
      unsafe x[second] = (b * cosine).addingProduct(a, sine)
    }
  }
}
