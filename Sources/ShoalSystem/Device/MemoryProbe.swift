// How fast memory can be read: the limit that decoding is measured by.

public import ShoalInference

/// Reads a buffer that no cache holds, with as many threads as a model would have.
public enum MemoryProbe {
  /// Beyond the caches of most processors.
  private static let bufferBytes = 256 << 20
  private static let passes = 9

  /// The median of some passes, in bytes per second.
  ///
  /// - Throws: `SystemCallError` where the system gives no thread.
  public static func readBytesPerSecond(threads: Int, kernels: Kernels) throws -> UInt64 {
    let buffer = AlignedBytes(count: bufferBytes)
    let pool = try WorkerPool(count: threads, name: "shoal-memory")
    defer { pool.stop() }
    let pieces = 8 * threads
    let size = bufferBytes / pieces / 64 * 64
    var nanoseconds: [Int64] = []
    for _ in 0...passes {
      let start = SystemClock.nanoseconds()
      pool.run(pieces) { piece in
        let part = piece * size..<(piece + 1) * size
        _ = unsafe kernels.sumOfWords(UnsafeRawBufferPointer(rebasing: buffer.bytes[part]))
      }
      nanoseconds.append(SystemClock.nanoseconds() - start)
    }
    // The first pass wakes the threads.
    let sorted = nanoseconds.dropFirst().sorted()
    return UInt64(Double(pieces * size) * 1e9 / Double(max(1, sorted[sorted.count / 2])))
  }
}
