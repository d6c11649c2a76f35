// Unsigned numbers of 256 bits, as contracts count: what is needed of them to read, write and
// compare, with every overflow seen.

public import ShoalProtocol

/// A number below 2^256. Arithmetic is checked: nil where a result has no room.
public struct UInt256: Hashable, Comparable, Sendable {
  public let high: UInt128
  public let low: UInt128

  public init(high: UInt128, low: UInt128) { (self.high, self.low) = (high, low) }
  public init(_ value: UInt128) { self.init(high: 0, low: value) }
  public init(_ value: UInt64) { self.init(high: 0, low: UInt128(value)) }

  public static let zero = UInt256(high: 0, low: 0)
  public static let max = UInt256(high: .max, low: .max)

  /// Of at most 32 big-endian bytes; nil for more.
  public init?(bigEndian bytes: some Collection<UInt8>) {
    guard bytes.count <= 32 else { return nil }
    var (high, low) = (UInt128(0), UInt128(0))
    for byte in bytes {
      high = high << 8 | low >> 120
      low = low << 8 | UInt128(byte)
    }
    self.init(high: high, low: low)
  }

  public init(_ word: Bytes32) { self = UInt256(bigEndian: word.bytes) ?? .zero }

  /// 32 big-endian bytes.
  public var word: Bytes32 { Bytes32(UInt256.bytes(high) + UInt256.bytes(low)) ?? .zero }

  /// Big-endian without leading zeros: no byte at all for zero.
  public var minimalBytes: [UInt8] { Array(word.bytes.drop { $0 == 0 }) }

  private static func bytes(_ half: UInt128) -> [UInt8] {
    stride(from: UInt128(120), through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) }
  }

  /// Nil where it does not fit 128 bits.
  public var narrow: UInt128? { high == 0 ? low : nil }

  /// How many bits it takes; zero takes none.
  public var significantBits: Int {
    high > 0 ? 256 - high.leadingZeroBitCount : 128 - low.leadingZeroBitCount
  }

  public static func < (left: UInt256, right: UInt256) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  public func adding(_ other: UInt256) -> UInt256? {
    let (low, carry) = low.addingReportingOverflow(other.low)
    let (partial, first) = high.addingReportingOverflow(other.high)
    let (high, second) = partial.addingReportingOverflow(carry ? 1 : 0)
    return first || second ? nil : UInt256(high: high, low: low)
  }

  public func subtracting(_ other: UInt256) -> UInt256? {
    guard other <= self else { return nil }
    let (low, borrow) = low.subtractingReportingOverflow(other.low)
    return UInt256(high: high &- other.high &- (borrow ? 1 : 0), low: low)
  }

  public func multiplied(by factor: UInt64) -> UInt256? {
    let (carry, low) = low.multipliedFullWidth(by: UInt128(factor))
    let (product, overflow) = high.multipliedReportingOverflow(by: UInt128(factor))
    let (high, second) = product.addingReportingOverflow(carry)
    return overflow || second ? nil : UInt256(high: high, low: low)
  }

  /// The number that two's complement writes `-self` as.
  public var negated: UInt256 {
    let (low, carry) = (~low).addingReportingOverflow(1)
    return UInt256(high: ~high &+ (carry ? 1 : 0), low: low)
  }
}

extension UInt256: CustomStringConvertible {
  /// Of decimal digits, or of hexadecimal ones after `0x`; nil for anything else and for what is
  /// too large.
  public init?(_ text: String) {
    let isHexadecimal = text.hasPrefix("0x")
    let digits = isHexadecimal ? text.dropFirst(2) : text[...]
    let base: UInt64 = isHexadecimal ? 16 : 10
    guard !digits.isEmpty else { return nil }
    var value = UInt256.zero
    for digit in digits {
      guard digit.isASCII, let number = digit.hexDigitValue, number < Int(base),
        let shifted = value.multiplied(by: base), let sum = shifted.adding(UInt256(UInt64(number)))
      else { return nil }
      value = sum
    }
    self = value
  }

  /// Decimal digits.
  public var description: String {
    // Long division by 10^18, in limbs of 32 bits so that each step fits 128.
    var limbs = [high >> 96, high >> 64, high >> 32, high, low >> 96, low >> 64, low >> 32, low]
      .map { $0 & 0xffff_ffff }
    var groups: [String] = []
    repeat {
      var remainder: UInt128 = 0
      for index in limbs.indices {
        let part = remainder << 32 | limbs[index]
        limbs[index] = part / 1_000_000_000_000_000_000
        remainder = part % 1_000_000_000_000_000_000
      }
      groups.append(String(remainder))
    } while limbs.contains { $0 > 0 }
    let rest = groups.dropLast().reversed().map {
      String(repeating: "0", count: 18 - $0.count) + $0
    }
    return (groups.last ?? "0") + rest.joined()
  }

  /// `0x` and hexadecimal digits without leading zeros, as JSON-RPC writes quantities.
  public var quantity: String {
    let digits = word.hex.drop { $0 == "0" }
    return "0x" + (digits.isEmpty ? "0" : digits)
  }
}
