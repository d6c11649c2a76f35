// A number of bytes that prints as people read it.

/// A count of bytes, never negative.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let bytes: UInt64
  public init(_ bytes: UInt64) { self.bytes = bytes }
  public init(_ bytes: Int) { self.bytes = UInt64(max(0, bytes)) }

  public static let zero = ByteCount(UInt64(0))
  public static func mebibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 20) }
  public static func gibibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 30) }

  public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
  public static func + (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.bytes &+ right.bytes < left.bytes ? .max : left.bytes &+ right.bytes)
  }

  /// Such as `812 B`, `5.6 MiB`, `21.0 GiB`.
  public var description: String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
    guard bytes >= 1024 else { return "\(bytes) B" }
    var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
    var unit = 0
    while tenths >= 10240, unit < units.count - 1 {
      tenths /= 1024
      unit += 1
    }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
