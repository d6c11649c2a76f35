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

  /// Heads of one group that scan its keys and values together.
  struct HeadSet {
    let group: Int
    /// Among the rank's.
    let heads: Range<Int>
  }

  let units: [Unit]
  /// Query heads that this rank computes.
  let heads: Int
  let headSets: [HeadSet]
  let groups: Int
  /// (batch, heads * headDim)
  let queries: Buffer<Float>
  /// (batch, groups * headDim)
  let keys: Buffer<Float>
  let values: Buffer<Float>
  /// Inputs of the output projection, one for each head.
  let outputs: [Activations]
  /// Rows that one piece of attention takes: few enough to share, many enough to be worth it.
  let rowsPerSlice = 8
  /// (batch, heads, scratch)
  let scratch: Buffer<Float>
  let scratchSize: Int
  /// Zeros for a head's norm, which has no bias: (headDim)
  let noBias: [Float]
  /// Whether queries, keys or values are changed between projection and rotation.
  let editsHeads: Bool
  private let options: AttentionOptions
  /// Angles, made once for all sequences that have the same.
  private var made: [RotaryTable] = []

  init(_ model: RankModel, batch: Int, workers: Int) {
    let shape = model.manifest.shape
    options = shape.attention
    let dimension = shape.attention.headDimension
    let cut = model.manifest.cut
    var units: [Unit] = []
    var firstHead = 0
    for number in shape.recurrent == nil ? model.share.units : [] {
      let unit = cut.queryUnit(number)
      units.append(
        Unit(
          group: model.groups.firstIndex(of: unit.group) ?? 0, heads: unit.heads,
          firstHead: firstHead))
      firstHead += unit.heads.count
    }
    self.units = units
    noBias = [Float](repeating: 0, count: dimension)
    heads = firstHead
    groups = model.groups.count
    headSets = AttentionBuffers.headSets(units, groups: groups, workers: workers)
    queries = Buffer(count: batch * heads * dimension, zero: 0)
    keys = Buffer(count: batch * groups * dimension, zero: 0)
    values = Buffer(count: batch * groups * dimension, zero: 0)
    outputs = units.flatMap(\.heads).map { head in
      Activations(parts: ColumnParts(first: head * dimension, count: dimension), capacity: batch)
    }
    scratchSize = Kernels.attentionScratch(headDim: dimension)
    scratch = Buffer(count: batch * heads * scratchSize, zero: 0)
    editsHeads =
      shape.attention.queryKeyNorm.isOfHeads
      || model.layers.contains {
        $0.units.contains { $0.bias != nil }
          || $0.groups.contains { $0.keyBias != nil || $0.valueBias != nil }
      }
  }

  /// The heads of each group, in as many sets as give all workers something to do.
  private static func headSets(_ units: [Unit], groups: Int, workers: Int) -> [HeadSet] {
    let setsPerGroup = (workers + max(groups, 1) - 1) / max(groups, 1)
    return (0..<groups).flatMap { group in
      let some = units.filter { $0.group == group }
      guard let first = some.first?.firstHead else { return [HeadSet]() }
      let count = some.reduce(0) { $0 + $1.heads.count }
      let sets = min(setsPerGroup, count)
      return (0..<sets).map { set in
        HeadSet(
          group: group, heads: first + count * set / sets..<first + count * (set + 1) / sets)
      }
    }
  }

  /// Queries of each unit, then the keys and then the values of each group: of the branch's input.
  func projection(_ layer: LayerWeights, _ input: Activations) -> ProductList {
    let dimension = options.headDimension
    let (queryWidth, keyWidth) = (heads * dimension, groups * dimension)
    var products: [ProductList.Product] = []
    for (unit, place) in zip(layer.units, units) {
      products.append(
        unsafe .init(
          MatrixTerm(unit.query, input),
          into: .values(queries.from(place.firstHead * dimension), stride: queryWidth)))
    }
    for (index, group) in layer.groups.enumerated() {
      products.append(
        unsafe .init(
          MatrixTerm(group.key, input),
          into: .values(keys.from(index * dimension), stride: keyWidth)))
    }
    for (index, group) in layer.groups.enumerated() {
      products.append(
        unsafe .init(
          MatrixTerm(group.value, input),
          into: .values(values.from(index * dimension), stride: keyWidth)))
    }
    return ProductList(products, capacity: input.capacity)
  }

  /// The output projection of each head: all add to the same sums.
  func back(_ layer: LayerWeights, _ sums: ProductList.Output, batch: Int) -> ProductList {
    var products: [ProductList.Product] = []
    for (unit, place) in zip(layer.units, units) {
      for (head, matrix) in unit.output.enumerated() {
        products.append(.init(MatrixTerm(matrix, outputs[place.firstHead + head]), into: sums))
      }
    }
    return ProductList(products, capacity: batch)
  }

  /// The angles of a sequence of at most `positions`. Scalings that depend on length take that
  /// limit.
  func tables(positions: Int) -> [RotaryTable] {
    options.rotaries.map { rotary in
      let empty = RotaryTable(
        rotaryDim: rotary.dimension, base: Double(rotary.base), scaling: rotary.scaling,
        style: rotary.style, context: positions)
      guard heads > 0 else { return empty }
      let known = made.firstIndex { $0.hasAngles(of: empty) }
      var table = known.map { made.remove(at: $0) } ?? empty
      table.extend(to: positions)
      made.append(table)
      return table
    }
  }
}
