// A measured figure, rounded down to one of eight steps an octave, so that noise does not move it.

/// A measurement as a record states it: a leading bit and three more, steps of 6 to 12 percent.
/// Always rounded down, so that a plan never counts on more than was measured.
public struct BucketedFigure: Hashable, Comparable, Sendable {
  /// The lower edge of the bucket.
  public let value: UInt64

  public init(_ measured: UInt64) {
    let length = UInt64.bitWidth - measured.leadingZeroBitCount
    let dropped = max(0, length - 4)
    value = (measured >> dropped) << dropped
  }

  /// The bucket's number, 0...495: values below 16 stand for themselves, then eight an octave.
  public var code: UInt16 {
    guard value >= 16 else { return UInt16(value) }
    let exponent = UInt64.bitWidth - 1 - value.leadingZeroBitCount
    return UInt16(16 + (exponent - 4) * 8 + Int((value >> (exponent - 3)) & 7))
  }

  /// Nil for a number that stands for no bucket.
  public init?(code: UInt16) {
    guard code < 496 else { return nil }
    guard code >= 16 else {
      value = UInt64(code)
      return
    }
    let (octave, step) = (Int(code) - 16).quotientAndRemainder(dividingBy: 8)
    value = UInt64(8 + step) << (octave + 1)
  }

  public static func < (left: BucketedFigure, right: BucketedFigure) -> Bool {
    left.value < right.value
  }
}

extension BucketedFigure: ExpressibleByIntegerLiteral {
  public init(integerLiteral measured: UInt64) { self.init(measured) }
}
