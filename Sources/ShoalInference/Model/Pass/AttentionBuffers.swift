// What attention needs beside the weights, for all layers in turn.

internal import ShoalProtocol

final class AttentionBuffers {
  /// Heads that one rank computes with: its query units, and the groups that they read.
  struct Unit {
    /// Place of the unit's group among the rank's.
    let group: Int
    /// Of the whole layer.
    let heads: Range<Int>
    /// Place of its first head among the rank's.
    let firstHead: Int
  }

  let units: [Unit]
  /// Query heads that this rank computes, and the place of each one's group.
  let heads: Int
  let groupOfHead: [Int]
  let groups: Int
  /// (batch, heads * headDim)
  let queries: Buffer<Float>
  /// (batch, groups * headDim)
  let keys: Buffer<Float>
  let values: Buffer<Float>
  /// (layers, groups)
  let caches: [[KVCache]]
  let rotaries: [RotaryTable]
  /// Inputs of the output projection, one for each head.
  let outputs: [Activations]
  /// Tokens that one piece of attention takes: few enough to share, many enough to be worth it.
  let tokensPerPiece = 8
  /// (pieces, scratch)
  let scratch: Buffer<Float>
  let scratchSize: Int
  /// Queries of each unit, then the keys and then the values of each group.
  let projection: RowPieces
  let back: RowPieces
  /// Whether queries, keys or values are changed between projection and rotation.
  let editsHeads: Bool

  init(_ model: RankModel, batch: Int, context: Int, workers: Int) {
    let shape = model.manifest.shape
    let dimension = shape.attention.headDimension
    let cut = model.manifest.cut
    var units: [Unit] = []
    var firstHead = 0
    for number in model.share.units {
      let unit = cut.queryUnit(number)
      units.append(
        Unit(
          group: model.groups.firstIndex(of: unit.group) ?? 0, heads: unit.heads,
          firstHead: firstHead))
      firstHead += unit.heads.count
    }
    self.units = units
    heads = firstHead
    groupOfHead = units.flatMap { Array(repeating: $0.group, count: $0.heads.count) }
    groups = model.groups.count
    queries = Buffer(count: batch * heads * dimension, zero: 0)
    keys = Buffer(count: batch * groups * dimension, zero: 0)
    values = Buffer(count: batch * groups * dimension, zero: 0)
    caches = (0..<shape.layers).map { _ in
      model.groups.map { _ in
        let cache = KVCache(headDim: dimension, type: shape.attention.keyValueType)
        cache.reserve(positions: context)
        return cache
      }
    }
    rotaries = AttentionBuffers.tables(shape.attention, positions: heads == 0 ? 0 : context)
    outputs = units.flatMap(\.heads).map { head in
      Activations(parts: ColumnParts(first: head * dimension, count: dimension), capacity: batch)
    }
    scratchSize = Kernels.attentionScratch(headDim: dimension)
    let pieces = heads * ((batch + tokensPerPiece - 1) / tokensPerPiece)
    scratch = Buffer(count: pieces * scratchSize, zero: 0)
    editsHeads =
      shape.attention.queryKeyNorm == .perHead
      || model.layers.contains {
        $0.units.contains { $0.bias != nil }
          || $0.groups.contains { $0.keyBias != nil || $0.valueBias != nil }
      }
    let layer = model.layers[0]
    projection = RowPieces(
      groups: layer.units.map(\.query.shape.groups) + layer.groups.map(\.key.shape.groups)
        + layer.groups.map(\.value.shape.groups),
      workers: workers)
    back = RowPieces(
      groups: (layer.units.first?.output.first).map { [$0.shape.groups] } ?? [], workers: workers)
  }

  /// Scalings that depend on length take the job's context limit.
  private static func tables(_ attention: AttentionOptions, positions: Int) -> [RotaryTable] {
    attention.rotaries.map { rotary in
      var table = RotaryTable(
        rotaryDim: rotary.dimension, base: Double(rotary.base), scaling: rotary.scaling,
        style: rotary.style, context: positions)
      table.extend(to: positions)
      return table
    }
  }
}
