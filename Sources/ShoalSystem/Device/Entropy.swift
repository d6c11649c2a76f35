// Unpredictable bytes from the kernel.

public import ShoalNode

/// Swift's `SystemRandomNumberGenerator`: getrandom(2) on Linux, arc4random_buf(3) on Darwin.
public struct Entropy: RandomSource {
  public init() {}

  public func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }

  public func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    for start in stride(from: 0, to: buffer.count, by: 8) {
      let word = next()
      for position in start..<min(start + 8, buffer.count) {
        unsafe buffer[position] = UInt8(truncatingIfNeeded: word >> (8 * (position - start)))
      }
    }
  }
}
