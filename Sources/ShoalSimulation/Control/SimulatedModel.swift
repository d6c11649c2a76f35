// The model that a simulated mesh stores and plans: figures without weights.

internal import ShoalProtocol

/// A decoder of some 30 million parameters in 145 atoms: large enough that every peer of a hundred
/// has something to hold, small enough to be planned thousands of times a second.
struct SimulatedModel: Sendable {
  let id: ModelID
  let shape: ModelShape
  /// Bytes of each atom: everybody's small tensors, embeddings, attention, feed-forward, outputs.
  let sizes: [UInt64]
  static let context = 512

  init() throws(PlanError) {
    id = ModelID(.spread(0x5e40_a100))
    shape = try DecoderFigures(
      hidden: 512, layers: 4, heads: 8, keyValueHeads: 4, headDimension: 64, feedForward: 2_048,
      vocabulary: 8_192, isTied: false, precision: .q8_0, keyValueElementBytes: 2
    ).shape(model: id, numerics: ComputeFigures.canonical)
    var sizes = [shape.layers.reduce(0) { $0 + $1.commonBytes }]
    sizes += shape.vocabulary.embeddingBytes
    for layer in shape.layers {
      sizes += Array(repeating: layer.attention.keyValueBytes, count: layer.attention.groups)
      sizes += layer.attention.unitBytes
    }
    for layer in shape.layers { sizes += layer.feedForward.bytes }
    sizes += shape.vocabulary.outputBytes
    self.sizes = sizes
  }

  var totalBytes: UInt64 { sizes.reduce(0, +) }

  /// The atoms that a rank of a stage computes with, ascending.
  func atoms(of slots: PerKind<[Int]>, layers: Range<Int>) -> [Int] {
    let blocks = shape.vocabulary.rows.count
    let heads = shape.layers[0].attention
    let perLayer = heads.groups + heads.unitBytes.count
    let columns = shape.layers[0].feedForward.columns.count
    let attention = 1 + blocks
    let feedForward = attention + shape.layers.count * perLayer
    let output = feedForward + shape.layers.count * columns
    var atoms = [0]
    if layers.lowerBound == 0 { atoms += slots.vocabulary.map { 1 + $0 } }
    if layers.upperBound == shape.layers.count { atoms += slots.vocabulary.map { output + $0 } }
    for layer in layers {
      let first = attention + layer * perLayer
      atoms += Set(slots.attention.map { first + $0 / heads.unitsPerGroup }).sorted()
      atoms += slots.attention.map { first + heads.groups + $0 }
      atoms += slots.feedForward.map { feedForward + layer * columns + $0 }
    }
    return atoms.sorted()
  }
}

extension Bytes32 {
  /// 32 bytes that spread like a hash's, from a number.
  static func spread(_ number: UInt64) -> Bytes32 {
    var generator = SeededGenerator(number)
    var bytes: [UInt8] = []
    for _ in 0..<4 {
      let word = generator.next()
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return Bytes32(bytes) ?? .zero
  }
}
