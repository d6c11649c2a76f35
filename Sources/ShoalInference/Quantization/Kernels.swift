// Which instruction set the inner loops use. Every choice gives the same bits; only time differs.

import CKernels

/// An implementation of the `canon-1` loops.
public enum KernelPath: String, CaseIterable, Sendable {
  /// AVX-512 F, BW, VL, DQ and VNNI.
  case avx512
  /// AVX2, FMA and F16C.
  case avx2
  /// NEON with the dot product.
  case neon
  /// Plain Swift: the definition that the others are held to.
  case reference

  /// Whether this build and this machine, its operating system included, can run it.
  public var isAvailable: Bool {
    switch self {
    case .avx512, .avx2, .neon: shoal_path_available(number)
    case .reference: true
    }
  }

  /// The path's number in C; the reference has none.
  var number: Int32 {
    switch self {
    case .avx512: Int32(SHOAL_AVX512.rawValue)
    case .avx2: Int32(SHOAL_AVX2.rawValue)
    case .neon: Int32(SHOAL_NEON.rawValue)
    case .reference: -1
    }
  }

  /// What this machine can run, fastest first; never empty.
  public static var available: [KernelPath] { allCases.filter(\.isAvailable) }

  /// The fastest that this machine can run.
  public static var best: KernelPath { available[0] }
}

/// The numeric loops on one path. Methods are added by the room that defines the loop:
/// matrix products in Quantization, norms, attention and activations in Numerics.
public struct Kernels: Sendable {
  public let path: KernelPath

  /// `path` must be available on this machine: an illegal instruction has no typed error.
  public init(path: KernelPath = .best) {
    precondition(path.isAvailable, "kernel path \(path) is not available here")
    self.path = path
  }
}
