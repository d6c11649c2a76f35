// The formats that atoms are stored and multiplied in, as far as placement tells them apart.

/// The precision of an atom: a property of the atom, never of the device that runs it
/// (docs/NUMERICS.md, rule 11). The raw value is the tensor type's number in GGUF (`ggml_type`).
public enum AtomPrecision: UInt8, CaseIterable, Hashable, Sendable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q8_0 = 8

  /// The name used in profiles and JSON, lower case.
  public var name: String {
    switch self {
    case .f32: "f32"
    case .f16: "f16"
    case .q4_0: "q4_0"
    case .q8_0: "q8_0"
    }
  }

  /// Nil for a name that is no precision.
  public init?(name: some StringProtocol) {
    guard let match = AtomPrecision.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// Bytes of `elements` consecutive weights that begin a block; a short last block counts whole
  /// (GGUF: a Q8_0 block of 32 takes 34 bytes, a Q4_0 block 18). Saturates.
  public func byteCount(elements: UInt64) -> UInt64 {
    let blocks = elements / 32 + (elements % 32 == 0 ? 0 : 1)
    return switch self {
    case .f32: Saturating.product(elements, 4)
    case .f16: Saturating.product(elements, 2)
    case .q4_0: Saturating.product(blocks, 18)
    case .q8_0: Saturating.product(blocks, 34)
    }
  }
}
