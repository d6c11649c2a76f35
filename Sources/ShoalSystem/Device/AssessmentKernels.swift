// Times the matrix products that models are made of, over weights that no cache holds.

import ShoalInference
import ShoalProtocol

/// Weights of one buffer, seen as a matrix of any format.
///
/// Time does not depend on what integers are multiplied, only on floats being normal numbers. Each
/// 16-bit word of the buffer is an f16 of magnitude 2^-4 to 2^-3; two of them, read as an f32, have
/// a magnitude of 2^-39 to 2^-31. So the same bytes serve as scales, floats and quants.
struct KernelProbe {
  /// Larger than the caches of most processors; less where memory is short.
  private static let bufferBytes = 96 << 20
  /// What one timed run reads: the size of a matrix in a model of some billion parameters.
  private static let sliceBytes = 8 << 20
  private static let columns = 2_048
  /// The prompt tokens of one batch.
  private static let tokens = 64

  private let weights: AlignedBytes
  private let kernels = Kernels()
  private let pool: WorkerPool

  init(memory: ByteCount, threads: Int) throws(SystemCallError) {
    let share = Int(clamping: memory.bytes / 8)
    weights = AlignedBytes(count: min(Self.bufferBytes, max(2 * Self.sliceBytes, share)))
    pool = try WorkerPool(count: threads, name: "shoal-assess")
    fill()
  }

  private func fill() {
    let bytes = unsafe weights.mutableBytes
    let piece = 1 << 20
    pool.run(bytes.count / piece) { number in
      var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ 1
      for offset in stride(from: number * piece, to: (number + 1) * piece, by: 8) {
        // A 64-bit xorshift generator (Marsaglia 2003).
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        let word = state & 0x83FF_83FF_83FF_83FF | 0x2C00_2C00_2C00_2C00
        unsafe bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
      }
    }
  }

  /// Bytes of weights per second of a matrix-vector product: the median over slices of the buffer,
  /// one after the other, for about `duration`.
  func bytesPerSecond(_ format: WeightFormat, for duration: Duration) throws -> UInt64 {
    let matrix = try matrix(format, limit: weights.count)
    let slice = min(matrix.shape.groups, max(1, Self.sliceBytes / matrix.shape.groupStride))
    var first = 0
    return try rate(matrix, tokens: 1, for: duration) {
      let groups = first..<first + slice
      first = first + 2 * slice <= matrix.shape.groups ? first + slice : 0
      return (groups, slice * matrix.shape.groupStride)
    }
  }

  /// Operations per second of a q8_0 matrix with a batch of prompt tokens; a multiplication and an
  /// addition are two.
  func operationsPerSecond(for duration: Duration) throws -> UInt64 {
    let matrix = try matrix(.q8_0, limit: Self.sliceBytes)
    let operations = 2 * matrix.shape.rows * Self.columns * Self.tokens
    return try rate(matrix, tokens: Self.tokens, for: duration) {
      (0..<matrix.shape.groups, operations)
    }
  }

  /// As many whole row groups as fit `limit` bytes.
  private func matrix(_ format: WeightFormat, limit: Int) throws(MatrixError) -> PackedMatrix {
    let lanes = MatrixShape.groupRows
    let one = try MatrixShape(format: format, rows: lanes, columns: Self.columns)
    let shape = try MatrixShape(
      format: format, rows: limit / one.groupStride * lanes, columns: Self.columns)
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: weights.bytes[..<shape.byteCount])
    return try unsafe PackedMatrix(shape: shape, bytes: bytes, owner: weights)
  }

  /// The median of amount per second over runs of what `next` names, two at least.
  private func rate(
    _ matrix: PackedMatrix, tokens: Int, for duration: Duration,
    _ next: () -> (groups: Range<Int>, amount: Int)
  ) throws -> UInt64 {
    let input = try input(matrix.shape, tokens: tokens)
    let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: matrix.shape.rows * tokens)
    unsafe output.initialize(repeating: 0)
    defer { unsafe output.deallocate() }
    var rates: [Double] = []
    let start = SystemClock.nanoseconds()
    var end = start
    while rates.count < 3 || end - start < duration.nanoseconds {
      let (groups, amount) = next()
      unsafe multiply(matrix, input, tokens, groups, output)
      let now = SystemClock.nanoseconds()
      rates.append(Double(amount) * 1e9 / Double(max(1, now - end)))
      end = now
    }
    // The first run pays for cold caches and sleeping threads.
    let sorted = rates.dropFirst().sorted()
    return UInt64(sorted[sorted.count / 2])
  }

  private func multiply(
    _ matrix: PackedMatrix, _ input: Activations, _ tokens: Int, _ groups: Range<Int>,
    _ output: UnsafeMutableBufferPointer<Float>
  ) {
    // More pieces than threads, so that one that is held up holds up little.
    let pieces = min(groups.count, 4 * pool.count)
    pool.run(pieces) { piece in
      let first = groups.lowerBound + groups.count * piece / pieces
      let last = groups.lowerBound + groups.count * (piece + 1) / pieces
      unsafe kernels.multiply(
        matrix, input, tokens: tokens, groups: first..<last, into: output,
        stride: matrix.shape.rows)
    }
  }

  private func input(_ shape: MatrixShape, tokens: Int) throws(MatrixError) -> Activations {
    let input = Activations(parts: shape.parts, capacity: tokens)
    for index in 0..<tokens * input.columns {
      unsafe input.values[index] = Float(index % 127 - 63) / 64 + 0.001
    }
    try kernels.quantize(input, tokens: 0..<tokens)
    return input
  }
}
