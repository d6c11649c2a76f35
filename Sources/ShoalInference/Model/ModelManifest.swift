// A model as peers speak of it: its shape, its tokenizer and the hashes of its atoms. The hash of
// these canonical bytes is the model's id.

public import ShoalProtocol

/// What an atom holds. The unit of placement; numeric atoms (docs/NUMERICS.md, rule 0) lie inside.
public enum AtomKey: Hashable, Comparable, Sendable {
  /// Norm weights and other small tensors that every rank holds.
  case common
  /// Rows of the token embedding.
  case embedding(block: Int)
  /// One key-value head with the query heads that read it, and their columns of the output
  /// projection.
  case attention(layer: Int, group: Int)
  /// A block of hidden columns: rows of gate and up, columns of down.
  case feedForward(layer: Int, block: Int)
  /// Rows of the output head. Where embeddings are tied, the same blob as `embedding`.
  case output(block: Int)
}

extension AtomKey: CustomStringConvertible {
  public var description: String {
    switch self {
    case .common: "common"
    case .embedding(let block): "embedding \(block)"
    case .attention(let layer, let group): "layer \(layer) attention \(group)"
    case .feedForward(let layer, let block): "layer \(layer) feed-forward \(block)"
    case .output(let block): "output \(block)"
    }
  }
}

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

/// How a shape is cut into atoms: fixed by the shape alone, never by who runs what.
public struct AtomCut: Sendable, Hashable {
  public let shape: Hyperparameters
  public init(_ shape: Hyperparameters) { self.shape = shape }

  /// Columns of one feed-forward block: 256, or 32 where the width is below 1,024.
  public var feedForwardBlock: Int { shape.feedForward >= 1_024 ? 256 : 32 }
  public var feedForwardBlocks: Int { AtomCut.blocks(shape.feedForward, of: feedForwardBlock) }
  public func feedForwardColumns(_ block: Int) -> Range<Int> {
    AtomCut.range(block, of: feedForwardBlock, in: shape.feedForward)
  }

  /// Rows of one vocabulary block: 256, or 32 where the vocabulary is below 8,192.
  public var vocabularyBlock: Int { shape.vocabulary >= 8_192 ? 256 : 32 }
  public var vocabularyBlocks: Int { AtomCut.blocks(shape.vocabulary, of: vocabularyBlock) }
  public func vocabularyRows(_ block: Int) -> Range<Int> {
    AtomCut.range(block, of: vocabularyBlock, in: shape.vocabulary)
  }

  /// Every key of the model, ascending.
  public var keys: [AtomKey] {
    var keys: [AtomKey] = [.common]
    keys += (0..<vocabularyBlocks).map { .embedding(block: $0) }
    for layer in 0..<shape.layers {
      keys += (0..<shape.keyValueHeads).map { .attention(layer: layer, group: $0) }
    }
    for layer in 0..<shape.layers {
      keys += (0..<feedForwardBlocks).map { .feedForward(layer: layer, block: $0) }
    }
    keys += (0..<vocabularyBlocks).map { .output(block: $0) }
    return keys
  }

  /// How many keys there are, without making them.
  var keyCount: Int {
    1 + 2 * vocabularyBlocks + shape.layers * (shape.keyValueHeads + feedForwardBlocks)
  }

  private static func blocks(_ total: Int, of size: Int) -> Int { (total + size - 1) / size }
  private static func range(_ block: Int, of size: Int, in total: Int) -> Range<Int> {
    block * size..<min(total, (block + 1) * size)
  }
}
