// The row functions of `canon-1` on the path of a Kernels value.

import CKernels

/// Numbers in a row: `count` of them behind a pointer. An output may be one of the inputs.
extension Kernels {
  public typealias Row = UnsafePointer<Float>
  public typealias MutableRow = UnsafeMutablePointer<Float>

  /// The functions of this path; nil for the reference, which is Swift.
  var vectors: UnsafePointer<shoal_canon>? {
    switch path {
    case .avx512: unsafe shoal_canon_avx512()
    case .avx2: unsafe shoal_canon_avx2()
    case .neon: unsafe shoal_canon_neon()
    case .reference: nil
    }
  }

  /// out = e^x
  public func exp(_ x: Row, _ count: Int, into out: MutableRow) {
    if let vectors = unsafe vectors { return unsafe vectors.pointee.exp(x, count, out) }
    unsafe RowReference.map(x, count, into: out) { Canon.exp($0) }
  }

  /// out = act(x)
  public func activate(
    _ activation: Activation, _ x: Row, _ count: Int, into out: MutableRow
  ) {
    if let vectors = unsafe vectors {
      return unsafe vectors.pointee.activate(activation.rawValue, x, nil, count, out)
    }
    unsafe RowReference.map(x, count, into: out, activation.definition)
  }

  /// out = act(gate) * up: the gated MLP (Shazeer 2020).
  public func activateGated(
    _ activation: Activation, gate: Row, up: Row, _ count: Int, into out: MutableRow
  ) {
    if let vectors = unsafe vectors {
      return unsafe vectors.pointee.activate(activation.rawValue, gate, up, count, out)
    }
    unsafe RowReference.gated(gate, up, count, into: out, activation.definition)
  }

  /// out = (x / sqrt(mean(x^2) + epsilon)) * weight
  public func rmsNorm(
    _ x: Row, weight: Row, epsilon: Float, _ count: Int, into out: MutableRow
  ) {
    if let vectors = unsafe vectors {
      return unsafe vectors.pointee.rms_norm(x, weight, epsilon, count, out)
    }
    unsafe RowReference.rmsNorm(x, weight: weight, epsilon: epsilon, count, into: out)
  }

  /// The sum of x^2 in 16 lanes, as in `rmsNorm`; one loop for all paths.
  public static func sumOfSquares(_ x: Row, _ count: Int) -> Float {
    var lanes = SIMD16<Float>(repeating: 0)
    for index in 0..<count {
      lanes[index & 15] = unsafe lanes[index & 15].addingProduct(x[index], x[index])
    }
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// out = ((x - mean) / sqrt(variance + epsilon)) * weight + bias
  public func layerNorm(
    _ x: Row, weight: Row, bias: Row, epsilon: Float, _ count: Int, into out: MutableRow
  ) {
    if let vectors = unsafe vectors {
      return unsafe vectors.pointee.layer_norm(x, weight, bias, epsilon, count, out)
    }
    unsafe RowReference.layerNorm(
      x, weight: weight, bias: bias, epsilon: epsilon, count, into: out)
  }

  /// x = (x + Float(sum) * 2^unitExponent) + bias. A sum beyond +-2^44 units ends the job; `x` is
  /// then of no use.
  public func addResidual(
    _ x: MutableRow, sum: UnsafePointer<Int64>, unitExponent: Int, bias: Row? = nil, _ count: Int
  ) throws(NumericsError) {
    let unit = Canon.powerOfTwo(Int32(unitExponent))
    let fits =
      if let vectors = unsafe vectors {
        unsafe vectors.pointee.add_residual(x, sum, unit, bias, count)
      } else {
        unsafe RowReference.addResidual(x, sum: sum, unit: unit, bias: bias, count)
      }
    guard !fits else { return }
    let limit: Int64 = 1 << 44
    for index in 0..<count where unsafe sum[index].magnitude > UInt64(limit) {
      throw unsafe .sumOutOfRange(index: index, value: sum[index], limit: limit)
    }
  }

  /// Turns the first `table.rotaryDim` elements of one head by the angles of `position`.
  public func rotate(_ head: MutableRow, by table: RotaryTable, position: Int) {
    unsafe table.withRow(position) { row in
      if let vectors = unsafe vectors {
        switch table.style {
        case .interleaved: unsafe vectors.pointee.rotate_interleaved(head, row, table.pairs)
        case .halves: unsafe vectors.pointee.rotate_halves(head, row, table.pairs)
        }
        return
      }
      unsafe RowReference.rotate(head, row: row, pairs: table.pairs, style: table.style)
    }
  }

  /// The largest element; NaN where any is NaN.
  public func maximum(_ x: Row, _ count: Int) -> Float {
    if let vectors = unsafe vectors { return unsafe vectors.pointee.maximum(x, count) }
    return unsafe RowReference.maximum(x, count)
  }

  /// The sum of e^(x - origin).
  public func sumOfExponentials(_ x: Row, origin: Float, _ count: Int) -> Float {
    if let vectors = unsafe vectors { return unsafe vectors.pointee.sum_exp(x, origin, count) }
    return unsafe RowReference.sumOfExponentials(x, origin: origin, count)
  }

  /// The sum of 32-bit words, which wraps; a whole number of 64 bytes. It is there to be timed:
  /// nothing reads memory faster.
  public func sumOfWords(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    precondition(bytes.count.isMultiple(of: 64), "\(bytes.count) bytes")
    guard let start = bytes.baseAddress else { return 0 }
    if let vectors = unsafe vectors { return unsafe vectors.pointee.sum_words(start, bytes.count) }
    return unsafe bytes.bindMemory(to: UInt32.self).reduce(0, &+)
  }
}

/// The nonlinearity of an MLP.
public enum Activation: UInt8, Hashable, Sendable, CaseIterable {
  case silu
  case geluErf
  case geluTanh
  case softplus
  case relu

  /// One number at a time.
  var definition: (Float) -> Float {
    switch self {
    case .silu: Canon.silu
    case .geluErf: Canon.geluErf
    case .geluTanh: Canon.geluTanh
    case .softplus: Canon.softplus
    case .relu: { $0 > 0 ? $0 : ($0.isNaN ? $0 : 0) }
    }
  }
}
