// Matrix products: checks, then the loop of the chosen path. Nothing here allocates.

import CKernels

/// A matrix and what it is multiplied with.
public struct MatrixTerm {
  public let matrix: PackedMatrix
  public let input: Activations

  public init(_ matrix: PackedMatrix, _ input: Activations) {
    self.matrix = matrix
    self.input = input
  }
}

extension Kernels {
  /// Quantises the values of some tokens: per activation block of 32 columns a scale
  /// d = max|x| / 127 and q = roundToNearestEven(x * (127 / max|x|)), all in f32. A block whose d
  /// is below the normal numbers is zero.
  ///
  /// - Parameter columns: whole blocks; nil: all.
  /// - Throws: `.notFinite` if a value is NaN or infinite; that block is then zero, all others are
  ///   done.
  public func quantize(
    _ input: Activations, tokens: Range<Int>, columns: Range<Int>? = nil
  ) throws(MatrixError) {
    precondition(tokens.lowerBound >= 0 && tokens.upperBound <= input.capacity)
    let some = input.parts.parts(of: columns ?? 0..<input.columns)
    if path == .reference {
      var finite = true
      for token in tokens {
        finite = MatrixReference.quantize(input, token: token, parts: some) && finite
      }
      guard finite else { throw .notFinite }
      return
    }
    let parts = unsafe UnsafeBufferPointer(rebasing: input.parts.table.parts[some])
    var view = unsafe input.view
    let flags = unsafe shoal_quantize(
      path.number, parts.baseAddress, Int32(parts.count), Int32(input.columns), &view,
      Int32(tokens.lowerBound), Int32(tokens.upperBound))
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
    let term = MatrixTerm(matrix, input)
    check(term, tokens, groups, room: output.count, stride)
    if path == .reference {
      forEach(matrix, tokens, groups) { token, row in
        unsafe output[token * stride + row] = MatrixReference.product(
          matrix, input, row: row, token: token)
      }
      return
    }
    let target = unsafe shoal_output(
      values: output.baseAddress, sums: nil, stride: Int64(stride), scale: 0)
    _ = unsafe run(CollectionOfOne(term), tokens, groups, target)
  }

  /// Adds each product, rounded to nearest even to a multiple of 2^-fractionBits, to `sums`, in
  /// units of 2^-fractionBits: the end of a numeric atom. Any order of atoms gives the same sums.
  ///
  /// - Parameters:
  ///   - terms: numeric atoms that add to the same sums; all have the same rows. One call for many
  ///     keeps the sums in the cache and the weights coming.
  ///   - groups: groups of 16 rows; threads take ranges that do not overlap.
  ///   - sums: Int64, (tokens, stride); `stride` is at least `matrix.shape.rows`.
  ///   - fractionBits: 0...60; the model's unit, 18 unless its manifest says otherwise.
  /// - Throws: `.outOfRange` if a product is NaN or 2^44 units or more; nothing is added for it.
  public func multiplyRounded(
    _ terms: some RandomAccessCollection<MatrixTerm>, tokens: Int, groups: Range<Int>,
    addingTo sums: UnsafeMutableBufferPointer<Int64>, stride: Int, fractionBits: Int = 18
  ) throws(MatrixError) {
    precondition((0...60).contains(fractionBits), "fraction bits \(fractionBits)")
    for term in terms { check(term, tokens, groups, room: sums.count, stride) }
    let unitsPerOne = Float(sign: .plus, exponent: fractionBits, significand: 1)
    var inRange = true
    if path == .reference {
      for term in terms {
        forEach(term.matrix, tokens, groups) { token, row in
          let product = MatrixReference.product(term.matrix, term.input, row: row, token: token)
          if let units = MatrixReference.units(product, unitsPerOne: unitsPerOne) {
            unsafe sums[token * stride + row] &+= units
          } else {
            inRange = false
          }
        }
      }
    } else {
      let target = unsafe shoal_output(
        values: nil, sums: sums.baseAddress, stride: Int64(stride), scale: unitsPerOne)
      inRange = unsafe run(terms, tokens, groups, target) == 0
    }
    guard inRange else { throw .outOfRange }
  }

  /// The same for a single atom.
  public func multiplyRounded(
    _ matrix: PackedMatrix, _ input: Activations, tokens: Int, groups: Range<Int>,
    addingTo sums: UnsafeMutableBufferPointer<Int64>, stride: Int, fractionBits: Int = 18
  ) throws(MatrixError) {
    try unsafe multiplyRounded(
      CollectionOfOne(MatrixTerm(matrix, input)), tokens: tokens, groups: groups, addingTo: sums,
      stride: stride, fractionBits: fractionBits)
  }

  private func check(
    _ term: MatrixTerm, _ tokens: Int, _ groups: Range<Int>, room: Int, _ stride: Int
  ) {
    let shape = term.matrix.shape
    precondition(shape.parts == term.input.parts, "columns are cut differently")
    precondition(groups.lowerBound >= 0 && groups.upperBound <= shape.groups, "groups \(groups)")
    precondition(tokens >= 0 && tokens <= term.input.capacity, "\(tokens) tokens")
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
    _ terms: some RandomAccessCollection<MatrixTerm>, _ tokens: Int, _ groups: Range<Int>,
    _ output: shoal_output
  ) -> Int32 {
    let flags = unsafe withUnsafeTemporaryAllocation(
      of: shoal_product.self, capacity: terms.count
    ) { products in
      var count = 0
      for term in terms {
        unsafe products.initializeElement(
          at: count,
          to: shoal_product(matrix: term.matrix.view, input: term.input.view, output: output))
        count += 1
      }
      return unsafe shoal_multiply(
        path.number, products.baseAddress, Int32(count), Int32(tokens), Int32(groups.lowerBound),
        Int32(groups.upperBound), nil)
    }
    precondition(flags & Int32(SHOAL_NOT_BUILT.rawValue) == 0, "no loop for \(path)")
    return flags
  }
}
