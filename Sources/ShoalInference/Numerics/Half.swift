// IEEE binary16 in integers: exact both ways, the same bits as F16C and NEON give.

/// Conversions between binary16 bit patterns and f32 (IEEE 754-2019, section 3.6).
public enum Half {
  /// The value of `bits`; exact.
  public static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      // Subnormal or zero: fraction * 2^-24, exact in f32.
      return Canon.withSign(of: Float(bitPattern: sign), Float(fraction) * 0x1p-24)
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    case _: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The nearest binary16, ties to even; infinity from 65,520 on.
  public static func bits(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let size = value.magnitude
    if !(size < 65_520) { return sign | (value.isNaN ? 0x7e00 : 0x7c00) }
    if size < 0x1p-14 {
      // Adding 0.75 puts the unit 2^-24 at the last place of the significand, rounding to even.
      return sign | UInt16((size + 0.75).bitPattern - (0.75 as Float).bitPattern)
    }
    // Round the significand to 10 bits: half of the last place, less one unless it is odd.
    let rounded = size.bitPattern + 0xfff + (size.bitPattern >> 13 & 1)
    return sign | UInt16((rounded >> 13) - (112 << 10))
  }
}
