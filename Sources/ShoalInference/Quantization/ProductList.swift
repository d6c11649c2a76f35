// Products that every token makes again, with the same matrices and the same buffers: checked once
// and kept as C reads them, so that a token costs nothing for each matrix.

import CKernels

/// Matrices, what each is multiplied with, and where that goes.
///
/// Immutable; threads share it and take row groups that do not overlap.
@safe public final class ProductList: @unchecked Sendable {
  /// Where the products of one matrix go: memory that outlives the list.
  @safe public enum Output {
    /// f32, (tokens, stride): whole rows, as `Kernels.multiply` writes them.
    case values(UnsafeMutableBufferPointer<Float>, stride: Int)
    /// Int64, (tokens, stride): added as `Kernels.multiplyRounded` does.
    case sums(UnsafeMutableBufferPointer<Int64>, stride: Int, fractionBits: Int)
  }

  public struct Product {
    public let term: MatrixTerm
    public let output: Output

    public init(_ term: MatrixTerm, into output: Output) {
      self.term = term
      self.output = output
    }
  }

  /// Tokens that all inputs and outputs have room for.
  public let capacity: Int
  let contents: [Product]
  fileprivate let products: UnsafeMutableBufferPointer<shoal_product>

  /// - Parameter capacity: tokens of the longest call.
  public init(_ contents: [Product], capacity: Int) {
    self.capacity = capacity
    self.contents = contents
    unsafe products = .allocate(capacity: contents.count)
    for (index, product) in contents.enumerated() {
      ProductList.check(product, capacity: capacity)
      unsafe products.initializeElement(
        at: index,
        to: shoal_product(
          matrix: product.term.matrix.view, input: product.term.input.view,
          output: product.output.view))
    }
  }

  deinit { unsafe products.deallocate() }

  public var count: Int { contents.count }
  public var indices: Range<Int> { contents.indices }

  /// Shapes of the matrices, in order.
  public func shape(_ index: Int) -> MatrixShape { contents[index].term.matrix.shape }

  /// Where a row group of one matrix begins: an address to fetch ahead from, not to read.
  package func address(_ index: Int, group: Int) -> UnsafeRawPointer {
    let matrix = contents[index].term.matrix
    return unsafe matrix.base + group * matrix.shape.groupStride
  }

  private static func check(_ product: Product, capacity: Int) {
    let shape = product.term.matrix.shape
    precondition(shape.parts == product.term.input.parts, "columns are cut differently")
    precondition(capacity > 0 && capacity <= product.term.input.capacity, "\(capacity) tokens")
    let (room, stride) =
      switch product.output {
      case .values(let values, let stride): (values.count, stride)
      case .sums(let sums, let stride, _): (sums.count, stride)
      }
    precondition(stride >= shape.rows && room >= (capacity - 1) * stride + shape.rows)
  }
}

extension ProductList.Output {
  /// The same, as C reads it.
  fileprivate var view: shoal_output {
    switch self {
    case .values(let values, let stride):
      return unsafe shoal_output(
        values: values.baseAddress, sums: nil, stride: Int64(stride), scale: 0)
    case .sums(let sums, let stride, let fractionBits):
      precondition((0...60).contains(fractionBits), "fraction bits \(fractionBits)")
      return unsafe shoal_output(
        values: nil, sums: sums.baseAddress, stride: Int64(stride),
        scale: Float(sign: .plus, exponent: fractionBits, significand: 1))
    }
  }
}

extension Kernels {
  /// Row groups of some products of a list, one product after the other, for tokens 0 ..< tokens.
  ///
  /// - Parameters:
  ///   - some: products that all have these row groups.
  ///   - next: weights that this thread reads afterwards, to be fetched meanwhile.
  /// - Throws: `.outOfRange` as `multiplyRounded` does.
  public func multiply(
    _ list: ProductList, _ some: Range<Int>, tokens: Int, groups: Range<Int>,
    next: UnsafeRawPointer? = nil
  ) throws(MatrixError) {
    precondition(tokens >= 0 && tokens <= list.capacity, "\(tokens) tokens")
    for index in some {
      precondition(groups.upperBound <= list.contents[index].term.matrix.shape.groups)
    }
    guard path != .reference else { return try multiplyByReference(list, some, tokens, groups) }
    let products = unsafe UnsafeBufferPointer(rebasing: list.products[some])
    let flags = unsafe shoal_multiply(
      path.number, products.baseAddress, Int32(products.count), Int32(tokens),
      Int32(groups.lowerBound), Int32(groups.upperBound), next)
    precondition(flags & Int32(SHOAL_NOT_BUILT.rawValue) == 0, "no loop for \(path)")
    guard flags == 0 else { throw .outOfRange }
  }

  private func multiplyByReference(
    _ list: ProductList, _ some: Range<Int>, _ tokens: Int, _ groups: Range<Int>
  ) throws(MatrixError) {
    for product in list.contents[some] {
      let (matrix, input) = (product.term.matrix, product.term.input)
      switch product.output {
      case .values(let values, let stride):
        unsafe multiply(
          matrix, input, tokens: tokens, groups: groups, into: values, stride: stride)
      case .sums(let sums, let stride, let fractionBits):
        try unsafe multiplyRounded(
          matrix, input, tokens: tokens, groups: groups, addingTo: sums, stride: stride,
          fractionBits: fractionBits)
      }
    }
  }
}
