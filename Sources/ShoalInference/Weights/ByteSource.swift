// The seam to a file of weights: numbered bytes that stay put, mapped by somebody else.

/// Bytes that do not change while they are read. A mapped file outside of tests.
public protocol ByteSource: Sendable {
  /// What a person calls these bytes, such as the file's path. Errors carry it.
  var name: String { get }
  /// How many bytes there are.
  var byteCount: UInt64 { get }

  /// Lends the bytes of `range` to `body`, for the time of the call only. A mapped source copies
  /// nothing, so a large range costs no more than a small one.
  ///
  /// - Throws: `ByteSourceError` for a range past the end; what `body` throws; what the operating
  ///   system reports.
  func withBytes<Result>(
    _ range: Range<UInt64>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result
}

/// Why bytes could not be lent.
public enum ByteSourceError: Error, Hashable, Sendable {
  case outOfRange(source: String, need: Range<UInt64>, byteCount: UInt64)
}

/// A source in memory.
public struct MemoryByteSource: ByteSource {
  public let name: String
  private let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  public var byteCount: UInt64 { UInt64(bytes.count) }

  public func withBytes<Result>(
    _ range: Range<UInt64>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard range.upperBound <= byteCount else {
      throw ByteSourceError.outOfRange(source: name, need: range, byteCount: byteCount)
    }
    let whole = Int(range.lowerBound)..<Int(range.upperBound)
    return try unsafe bytes.withUnsafeBytes { buffer in
      try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[whole]))
    }
  }
}
