// The definition of the matrix products of canon-1, in plain Swift: one row, one token at a time.
// Every other path gives these bits. Read this file to know what is computed.

/// The loops that all others are held to (docs/NUMERICS.md, "Matrix products").
enum MatrixReference {
  /// Quantises some parts of one token per activation block of 32; false if a value is NaN or
  /// infinite.
  static func quantize(_ input: Activations, token: Int, parts: Range<Int>) -> Bool {
    let values = unsafe input.token(token)
    var finite = true
    for index in parts {
      let part = input.parts.parts[index]
      let start = part.block * ColumnParts.block
      let block = start..<min(start + ColumnParts.block, input.columns)
      // Compared as integers: NaN and infinity are the largest.
      let largest = block.reduce(0) { unsafe max($0, values[$1].magnitude.bitPattern) }
      let isFinite = largest < Float.infinity.bitPattern
      finite = finite && isFinite

      // A scale below the normal numbers would be inexact, and 127 / largest infinite: such a
      // block, the smallest that f32 can hold, counts as zero.
      let magnitude = Float(bitPattern: largest)
      let isZero = !isFinite || magnitude / 127 < Float.leastNormalMagnitude
      let scale = isZero ? 0 : magnitude / 127
      let inverse = isZero ? 0 : 127 / magnitude
      var (sum, firstSum): (Int16, Int16) = (0, 0)
      for column in 0..<part.room {
        var quant: Int8 = 0
        if column < part.count, !isZero {
          let value = unsafe values[part.column + column]
          // |value * inverse| <= 127 * (1 + 2^-22), which rounds to 127: no clamp is needed.
          quant = Int8((value * inverse).rounded(.toNearestOrEven))
        }
        sum += Int16(quant)
        if column < part.split { firstSum += Int16(quant) }
        input.store(token, part: index, column, quant: quant)
      }
      input.store(token, part: index, scale: scale, sum: sum, firstSum: firstSum)
    }
    return finite
  }

  /// The f32 product of one row with one token, before any rounding to units.
  static func product(_ matrix: PackedMatrix, _ input: Activations, row: Int, token: Int)
    -> Float
  {
    var accumulator: Float = 0
    guard let packing = WeightPacking(matrix.shape.format) else {
      let values = unsafe input.token(token)
      for column in 0..<matrix.shape.columns {
        let weight = matrix.float(row: row, column: column)
        unsafe accumulator.addProduct(weight, values[column])
      }
      return accumulator
    }
    matrix.forEachPart(row: row, packing) { index, part, weights in
      // Σ q x and Σ x over both halves.
      var (products, sums): ((Int32, Int32), (Int32, Int32)) = ((0, 0), (0, 0))
      for column in 0..<part.count {
        let quant = Int32(input.quant(token, part: index, column))
        if column < weights.split {
          products.0 += weights.quants[column] * quant
          sums.0 += quant
        } else {
          products.1 += weights.quants[column] * quant
          sums.1 += quant
        }
      }
      let scale = input.scale(token, part: index)
      let integers = products.0 * weights.subScales.0 + products.1 * weights.subScales.1
      accumulator.addProduct(Float(integers), weights.scale * scale)
      if packing.scales.hasMinimum {
        let minima = sums.0 * weights.subMinima.0 + sums.1 * weights.subMinima.1
        accumulator.addProduct(Float(minima), weights.minimum * scale)
      }
    }
    return accumulator
  }

  /// `product` in units of `1 / unitsPerOne`, to nearest even; nil if NaN or at least 2^44.
  static func units(_ product: Float, unitsPerOne: Float) -> Int64? {
    let scaled = product * unitsPerOne
    guard scaled.magnitude < 0x1p44 else { return nil }
    return Int64(scaled.rounded(.toNearestOrEven))
  }
}
