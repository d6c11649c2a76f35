// Matrix products: checks, then the loop of the chosen path. Nothing here allocates.

import CKernels

extension Kernels {
  /// Quantises the values of some tokens: per activation block of 32 columns a scale
  /// d = max|x| / 127 and q = roundToNearestEven(x * (127 / max|x|)), all in f32. A block whose d
  /// is below the normal numbers is zero.
  ///
  /// - Throws: `.notFinite` if a value is NaN or infinite; that block is then zero, all others are
  ///   done.
  public func quantize(_ input: Activations, tokens: Range<Int>) throws(MatrixError) {
    precondition(tokens.lowerBound >= 0 && tokens.upperBound <= input.capacity)
    if path == .reference {
      var finite = true
      for token in tokens { finite = MatrixReference.quantize(input, token: token) && finite }
      guard finite else { throw .notFinite }
      return
    }
    let flags = unsafe input.parts.table.withUnsafeBufferPointer { parts in
      var view = unsafe input.view
      return unsafe shoal_quantize(
        path.number, parts.baseAddress, Int32(parts.count), Int32(input.columns), &view,
        Int32(tokens.lowerBound), Int32(tokens.upperBound))
    }
    guard flags == 0 else { throw .notFinite }
  }

  /// `output[token * stride + row] = matrix[row] · input[token]` for the rows of `groups` and
  /// tokens `0 ..< tokens`; whole rows, not rounded.
  ///
  /// - Parameters:
  ///   - groups: groups of 16 rows; threads take ranges that do not overlap.
  ///   - output: f32, (tokens, stride); `stride` is at least `matrix.shape.rows`.
  public func multiply(
    _ matrix: PackedMatrix, _ input: Activations, tokens: Int, groups: Range<Int>,
    into output: UnsafeMutableBufferPointer<Float>, stride: Int
  ) {
    check(matrix, input, tokens, groups, room: output.count, stride)
    if path == .reference {
      forEach(matrix, tokens, groups) { token, row in
        unsafe output[token * stride + row] = MatrixReference.product(
          matrix, input, row: row, token: token)
      }
      return
    }
    let target = unsafe shoal_output(
      values: output.baseAddress, sums: nil, stride: Int64(stride), scale: 0)
    _ = unsafe run(matrix, input, tokens, groups, target)
  }

  /// Adds each product, rounded to nearest even to a multiple of 2^-fractionBits, to `sums`, in
  /// units of 2^-fractionBits: the end of a numeric atom. Any order of atoms gives the same sums.
  ///
  /// - Parameters:
  ///   - groups: groups of 16 rows; threads take ranges that do not overlap.
  ///   - sums: Int64, (tokens, stride); `stride` is at least `matrix.shape.rows`.
  ///   - fractionBits: 0...60; the model's unit, 18 unless its manifest says otherwise.
  /// - Throws: `.outOfRange` if a product is NaN or 2^44 units or more; nothing is added for it.
  public func multiplyRounded(
    _ matrix: PackedMatrix, _ input: Activations, tokens: Int, groups: Range<Int>,
    addingTo sums: UnsafeMutableBufferPointer<Int64>, stride: Int, fractionBits: Int = 18
  ) throws(MatrixError) {
    check(matrix, input, tokens, groups, room: sums.count, stride)
    precondition((0...60).contains(fractionBits), "fraction bits \(fractionBits)")
    let unitsPerOne = Float(sign: .plus, exponent: fractionBits, significand: 1)
    var inRange = true
    if path == .reference {
      forEach(matrix, tokens, groups) { token, row in
        let product = MatrixReference.product(matrix, input, row: row, token: token)
        if let units = MatrixReference.units(product, unitsPerOne: unitsPerOne) {
          unsafe sums[token * stride + row] &+= units
        } else {
          inRange = false
        }
      }
    } else {
      let target = unsafe shoal_output(
        values: nil, sums: sums.baseAddress, stride: Int64(stride), scale: unitsPerOne)
      inRange = unsafe run(matrix, input, tokens, groups, target) == 0
    }
    guard inRange else { throw .outOfRange }
  }

  private func check(
    _ matrix: PackedMatrix, _ input: Activations, _ tokens: Int, _ groups: Range<Int>, room: Int,
    _ stride: Int
  ) {
    let shape = matrix.shape
    precondition(shape.parts == input.parts, "columns are cut differently")
    precondition(groups.lowerBound >= 0 && groups.upperBound <= shape.groups, "groups \(groups)")
    precondition(tokens >= 0 && tokens <= input.capacity, "\(tokens) tokens")
    precondition(stride >= shape.rows, "stride \(stride)")
    precondition(tokens == 0 || room >= (tokens - 1) * stride + shape.rows, "room \(room)")
  }

  private func forEach(
    _ matrix: PackedMatrix, _ tokens: Int, _ groups: Range<Int>, _ body: (Int, Int) -> Void
  ) {
    let lanes = MatrixShape.groupRows
    let rows = groups.lowerBound * lanes..<min(groups.upperBound * lanes, matrix.shape.rows)
    for token in 0..<tokens {
      for row in rows { body(token, row) }
    }
  }

  private func run(
    _ matrix: PackedMatrix, _ input: Activations, _ tokens: Int, _ groups: Range<Int>,
    _ output: shoal_output
  ) -> Int32 {
    let shape = matrix.shape
    return unsafe shape.parts.table.withUnsafeBufferPointer { parts in
      var packed = unsafe shoal_matrix(
        groups: matrix.base.assumingMemoryBound(to: UInt8.self), parts: parts.baseAddress,
        group_stride: Int64(shape.groupStride), quants_offset: Int64(shape.scaleBytes),
        part_count: Int32(parts.count), columns: Int32(shape.columns), rows: Int32(shape.rows),
        format: Int32(shape.format.rawValue))
      var view = unsafe input.view
      var target = unsafe output
      let flags = unsafe shoal_multiply(
        path.number, &packed, &view, Int32(tokens), &target, Int32(groups.lowerBound),
        Int32(groups.upperBound))
      precondition(flags & Int32(SHOAL_NOT_BUILT.rawValue) == 0, "no loop for \(path)")
      return flags
    }
  }
}
