// f64 functions of `canon-1`: for tables that are made once and for choosing a token.

/// Scalar f64 functions from IEEE `+ - * / fma` only; every peer gets the same bits.
/// Polynomials are Taylor series: their coefficients are 1/n!, nothing to take on trust.
extension Canon {
  /// e^x within 2 ulp; 0 below -708, infinity beyond 709.
  public static func exp(_ x: Double) -> Double {
    if x < -708 { return 0 }
    if x > 709 { return .infinity }
    let shift = 0x1.8p52
    let shifted = shift.addingProduct(x, 0x1.71547652b82fep0)
    let n = shifted - shift
    let r = x.addingProduct(n, -0x1.62e42feep-1).addingProduct(n, -0x1.a39ef35793c76p-33)
    // |r| <= 0.347: the first term left out, r^14 / 14!, is below 5e-18.
    let p = horner(r, inverseFactorials)
    let exponent = Int64(bitPattern: shifted.bitPattern &- shift.bitPattern)
    return p * Double(bitPattern: UInt64(bitPattern: (exponent &+ 1023) << 52))
  }

  /// The natural logarithm of a positive, normal number, within 2 ulp.
  public static func log(_ x: Double) -> Double {
    precondition(x >= Double.leastNormalMagnitude && x.isFinite, "log of \(x)")
    var exponent = Int64(x.bitPattern >> 52) - 1023
    var m = Double(bitPattern: x.bitPattern & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000)
    if m > 0x1.6a09e667f3bcdp0 {
      m *= 0.5
      exponent += 1
    }
    // log m = 2 atanh s = 2 s (1 + s^2/3 + s^4/5 + ...), |s| <= 0.172
    let s = (m - 1) / (m + 1)
    let square = s * s
    var series = 0.0
    for odd in stride(from: 21, through: 3, by: -2) {
      series = (1 / Double(odd)).addingProduct(series, square)
    }
    let logarithm = (2 * s).addingProduct(2 * s * square, series)
    let n = Double(exponent)
    return (n * 0x1.62e42feep-1) + logarithm.addingProduct(n, 0x1.a39ef35793c76p-33)
  }

  /// cos(x) and sin(x) within 1e-15 for |x| <= 2^30.
  public static func cosSin(_ x: Double) -> (cos: Double, sin: Double) {
    precondition(x.magnitude <= 0x1p30, "angle \(x) beyond the range of reduction")
    let shift = 0x1.8p52
    let shifted = shift.addingProduct(x, 0x1.45f306dc9c883p-1)
    let n = shifted - shift
    // Cody & Waite 1980: pi/2 in parts of 32, 32 and 53 bits, each product exact by fma.
    let r = x.addingProduct(n, -0x1.921fb544p0)
      .addingProduct(n, -0x1.0b4611a6p-34).addingProduct(n, -0x1.3198a2e037073p-69)
    let square = r * r
    // |r| <= 0.786: the first terms left out are r^17 / 17! < 5e-17 and r^18 / 18!.
    let sin = r * horner(-square, (0...7).map { inverseFactorials[2 * $0 + 1] })
    let cos = horner(-square, (0...8).map { inverseFactorials[2 * $0] })
    switch shifted.bitPattern & 3 {
    case 0: return (cos, sin)
    case 1: return (-sin, cos)
    case 2: return (-cos, -sin)
    case _: return (sin, -cos)
    }
  }

  /// 1/n! for n = 0...16.
  private static let inverseFactorials: [Double] = {
    var factorial = 1.0
    return (0...16).map { n in
      factorial *= Double(max(n, 1))
      return 1 / factorial
    }
  }()

  /// c0 + x (c1 + x (c2 + ...)), innermost first, by fma.
  private static func horner(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reversed().reduce(0) { sum, coefficient in coefficient.addingProduct(sum, x) }
  }
}
