// The elementary functions of `canon-1`, one number at a time: this file is their definition.

/// f32 functions from IEEE `+ - * / sqrt fma` only, in one stated order (docs/NUMERICS.md).
///
/// The vector kernels of CKernels give these bits. A NaN in is a NaN out; its payload is not
/// promised, since a NaN ends the job. Coefficients are Chebyshev fits computed for this project in
/// 40-digit arithmetic and rounded to f32.
public enum Canon {
  /// 1.5 * 2^23: adding it leaves an integer in the low bits of the significand.
  static let integerShift: Float = 0x1.8p23
  static let log2e: Float = 0x1.715476p0
  /// ln 2 in two parts; the first has 15 bits, so that its product with an exponent is exact.
  static let ln2High: Float = 0x1.62e4p-1
  static let ln2Low: Float = 0x1.7f7d1cp-20

  /// e^x within 1.1 ulp; 0 below -104, gradual underflow above it, infinity beyond 88.72.
  public static func exp(_ x: Float) -> Float {
    let clamped = x < -104 ? -104 : (x > 89 ? 89 : x)
    let shifted = integerShift.addingProduct(clamped, log2e)
    let n = shifted - integerShift
    let r = clamped.addingProduct(n, -ln2High).addingProduct(n, -ln2Low)
    // e^r = 1 + (r + r^2 q(r)) on |r| <= ln2 / 2
    var q: Float = 0x1.6d117cp-10
    q = (0x1.120be2p-7 as Float).addingProduct(q, r)
    q = (0x1.555518p-5 as Float).addingProduct(q, r)
    q = (0x1.5554dcp-3 as Float).addingProduct(q, r)
    q = (0.5 as Float).addingProduct(q, r)
    let p = 1 + r.addingProduct(r * r, q)
    // Two factors: 2^n alone leaves the range at both ends.
    let exponent = Int32(bitPattern: shifted.bitPattern &- integerShift.bitPattern)
    let half = exponent >> 1
    return (p * powerOfTwo(half)) * powerOfTwo(exponent &- half)
  }

  /// 2^n for -126 <= n <= 127.
  static func powerOfTwo(_ n: Int32) -> Float {
    Float(bitPattern: UInt32(bitPattern: (n &+ 127) << 23))
  }

  /// x / (1 + e^-x) (SiLU: Elfwing et al. 2017; SwiGLU: Shazeer 2020).
  public static func silu(_ x: Float) -> Float { x / (1 + exp(-x)) }

  /// tanh(x): an odd polynomial below 0.55, (1 - e) / (1 + e) with e = e^-2|x| above.
  public static func tanh(_ x: Float) -> Float {
    let size = x.magnitude
    let square = size * size
    var q: Float = -0x1.b13538p-8
    q = (0x1.5d220ep-6 as Float).addingProduct(q, square)
    q = (-0x1.b9a044p-5 as Float).addingProduct(q, square)
    q = (0x1.110feap-3 as Float).addingProduct(q, square)
    q = (-0x1.555554p-2 as Float).addingProduct(q, square)
    let near = size.addingProduct(size * square, q)
    let e = exp(-2 * size)
    let far = (1 - e) / (1 + e)
    return withSign(of: x, size < 0.55 ? near : far)
  }

  /// erf(x): x + x P(x^2) up to 1, 1 - e^Q(|x|) from there to 4, then 1.
  public static func erf(_ x: Float) -> Float {
    let size = x.magnitude
    let square = size * size
    var p: Float = 0x1.4a569p-14
    p = (-0x1.a45088p-11 as Float).addingProduct(p, square)
    p = (0x1.541270p-8 as Float).addingProduct(p, square)
    p = (-0x1.b7fabap-6 as Float).addingProduct(p, square)
    p = (0x1.ce2d1p-4 as Float).addingProduct(p, square)
    p = (-0x1.81273ep-2 as Float).addingProduct(p, square)
    p = (0x1.06eba8p-3 as Float).addingProduct(p, square)
    let near = size.addingProduct(size, p)

    let clamped = size > 4 ? 4 : size
    var q: Float = 0x1.b7783p-20
    q = (-0x1.825ce4p-15 as Float).addingProduct(q, clamped)
    q = (0x1.38e5e6p-11 as Float).addingProduct(q, clamped)
    q = (-0x1.37ecc6p-8 as Float).addingProduct(q, clamped)
    q = (0x1.b0e246p-6 as Float).addingProduct(q, clamped)
    q = (-0x1.c2e356p-4 as Float).addingProduct(q, clamped)
    q = (-0x1.437eb4p-1 as Float).addingProduct(q, clamped)
    q = (-0x1.2156fap0 as Float).addingProduct(q, clamped)
    q = (0x1.4fb068p-12 as Float).addingProduct(q, clamped)
    let far = 1 - exp(q)
    return withSign(of: x, size < 1 ? near : far)
  }

  /// (0.5 x) (1 + erf(x / sqrt 2)) (Hendrycks & Gimpel 2016).
  public static func geluErf(_ x: Float) -> Float {
    (0.5 * x) * (1 + erf(x * 0x1.6a09e6p-1))
  }

  /// The tanh form of GELU, 0.5 x (1 + tanh u), as x / (1 + e^-2u) with
  /// u = sqrt(2 / pi) (x + 0.044715 x^3): the same function without its cancellation.
  public static func geluTanh(_ x: Float) -> Float {
    let cubic = x * (1 as Float).addingProduct(x * x, 0.044715)
    return x / (1 + exp(-(cubic * 0x1.988454p0)))
  }

  /// log(1 + e^x) = max(x, 0) + log1p(e^-|x|); log1p(y) = 2 atanh(y / (2 + y)).
  public static func softplus(_ x: Float) -> Float {
    let y = exp(-x.magnitude)
    let s = y / (2 + y)
    let square = s * s
    var q: Float = 0x1.dba26p-3
    q = (0x1.bc8cf8p-3 as Float).addingProduct(q, square)
    q = (0x1.24c926p-2 as Float).addingProduct(q, square)
    q = (0x1.9998d4p-2 as Float).addingProduct(q, square)
    q = (0x1.555556p-1 as Float).addingProduct(q, square)
    let tail = (2 * s).addingProduct(s * square, q)
    return (x < 0 ? 0 : x) + tail
  }

  /// `size` (not negative) with the sign bit of `x`.
  static func withSign(of x: Float, _ size: Float) -> Float {
    Float(bitPattern: size.bitPattern | (x.bitPattern & 0x8000_0000))
  }
}
