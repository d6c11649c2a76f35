// A model as peers speak of it: its shape, its tokenizer and the hashes of its atoms. The hash of
// these canonical bytes is the model's id.

public import ShoalProtocol

/// One atom of a manifest.
public struct AtomEntry: Hashable, Sendable {
  public let key: AtomKey
  public let blob: BlobID
  public let byteCount: UInt64

  public init(key: AtomKey, blob: BlobID, byteCount: UInt64) {
    self.key = key
    self.blob = blob
    self.byteCount = byteCount
  }
}

public struct ModelManifest: Hashable, Sendable {
  /// The version of this encoding and of the arithmetic: `canon-1`.
  public static let numerics = "canon-1"

  public let architecture: String
  public let shape: Hyperparameters
  /// Shared sums are multiples of 2^-unitExponent (docs/NUMERICS.md, rule 4).
  public let unitExponent: Int
  public let tokenizer: BlobID
  public let tokenizerByteCount: UInt64
  public let chatTemplate: String
  /// The format most weights are stored in; its measured speed is what placement uses.
  public let format: WeightFormat
  /// Sorted by key.
  public let atoms: [AtomEntry]

  public init(
    architecture: String, shape: Hyperparameters, unitExponent: Int, tokenizer: BlobID,
    tokenizerByteCount: UInt64, chatTemplate: String, format: WeightFormat, atoms: [AtomEntry]
  ) {
    self.architecture = architecture
    self.shape = shape
    self.unitExponent = unitExponent
    self.tokenizer = tokenizer
    self.tokenizerByteCount = tokenizerByteCount
    self.chatTemplate = chatTemplate
    self.format = format
    self.atoms = atoms
  }

  public var cut: AtomCut { AtomCut(shape) }
  public var byteCount: UInt64 { atoms.reduce(0) { $0 + $1.byteCount } }
}
