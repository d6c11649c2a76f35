// The seam to chance: the kernel's entropy in production, a seeded generator in the simulator.

/// Unpredictable numbers, fit for keys in production.
public protocol RandomSource: Sendable {
  func next() -> UInt64
  /// Fills all of `buffer`.
  func fill(_ buffer: UnsafeMutableRawBufferPointer)
}

extension RandomSource {
  public func bytes(_ count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe fill(
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
      initialized = count
    }
  }
}

/// Lends a `RandomSource` to code that takes `inout some RandomNumberGenerator`.
public struct RandomSourceGenerator: RandomNumberGenerator, Sendable {
  private let source: any RandomSource
  public init(_ source: any RandomSource) { self.source = source }
  public mutating func next() -> UInt64 { source.next() }
}
