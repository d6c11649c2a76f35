// Grouped-query attention of one layer: project, turn, remember, attend, project back.

internal import ShoalProtocol
internal import Synchronization

/// What attention needs beside the weights, for all layers in turn.
final class AttentionBuffers {
  /// Query heads that this rank computes, ascending by group.
  let heads: Int
  /// (batch, heads * headDim)
  let queries: Buffer<Float>
  /// (batch, groups * headDim)
  let keys: Buffer<Float>
  let values: Buffer<Float>
  /// (layers, groups)
  let caches: [[KVCache]]
  let rotary: RotaryTable?
  /// Inputs of the output projection, one for each head.
  let outputs: [Activations]
  /// Tokens that one piece of attention takes: few enough to share, many enough to be worth it.
  let tokensPerPiece = 8
  /// (pieces, scratch)
  let scratch: Buffer<Float>
  let scratchSize: Int
  let projection: RowPieces
  let back: RowPieces

  init(_ model: RankModel, batch: Int, context: Int, workers: Int) {
    let shape = model.manifest.shape
    let groups = model.share.groups
    heads = groups.count * shape.headsPerGroup
    queries = Buffer(count: batch * heads * shape.headDimension, zero: 0)
    keys = Buffer(count: batch * groups.count * shape.headDimension, zero: 0)
    values = Buffer(count: batch * groups.count * shape.headDimension, zero: 0)
    caches = (0..<shape.layers).map { _ in
      groups.map { _ in
        let cache = KVCache(headDim: shape.headDimension, type: shape.keyValueType)
        cache.reserve(positions: context)
        return cache
      }
    }
    rotary = AttentionBuffers.table(shape, positions: groups.isEmpty ? 0 : context)
    outputs = groups.flatMap { group in
      (group * shape.headsPerGroup..<(group + 1) * shape.headsPerGroup).map { head in
        Activations(
          parts: ColumnParts(first: head * shape.headDimension, count: shape.headDimension),
          capacity: batch)
      }
    }
    scratchSize = Kernels.attentionScratch(headDim: shape.headDimension)
    let pieces = heads * ((batch + tokensPerPiece - 1) / tokensPerPiece)
    scratch = Buffer(count: pieces * scratchSize, zero: 0)
    let atoms = model.layers[0].attention
    projection = RowPieces(
      groups: atoms.flatMap {
        [$0.query.shape.groups, $0.key.shape.groups, $0.value.shape.groups]
      },
      workers: workers)
    back = RowPieces(
      groups: atoms.isEmpty ? [] : [atoms[0].output[0].shape.groups], workers: workers)
  }

  private static func table(_ shape: Hyperparameters, positions: Int) -> RotaryTable? {
    guard shape.rotaryDimension > 0, positions > 0 else { return nil }
    var table = RotaryTable(
      rotaryDim: shape.rotaryDimension, base: Double(shape.rotaryBase),
      scaling: shape.rotaryScaling, style: shape.rotaryStyle)
    table.extend(to: positions)
    return table
  }
}

extension ForwardPass {
  /// Leaves this rank's part of the attention output in `partial`.
  func attend(layer: Int) throws(InferenceError) {
    shared.clear(tokens.count * shape.hidden, to: 0)
    let atoms = model.layers[layer].attention
    guard !atoms.isEmpty else { return }
    try normalise(
      model.layers[layer].attentionNorm, from: 0, count: tokens.count, layer: layer)
    project(atoms)
    remember(layer: layer, groups: atoms.count)
    attendHeads(layer: layer)
    guard trouble.load(ordering: .relaxed) == 0 else { throw .notFinite(layer: layer) }
    let pieces = attention.back.pieces
    forEach(pieces.count) { piece in
      for (index, atom) in atoms.enumerated() {
        for (head, matrix) in atom.output.enumerated() {
          multiplyRounded(
            matrix, attention.outputs[index * shape.headsPerGroup + head],
            groups: pieces[piece].groups, layer: layer)
        }
      }
    }
    guard trouble.load(ordering: .relaxed) == 0 else { throw .outOfRange(layer: layer) }
    countAttention(atoms)
  }

  /// queries, keys, values = weights · normed
  private func project(_ atoms: [AttentionAtom]) {
    let dimension = shape.headDimension
    let queryWidth = attention.heads * dimension
    let groupWidth = shape.headsPerGroup * dimension
    let keyWidth = atoms.count * dimension
    let pieces = attention.projection.pieces
    forEach(pieces.count) { index in
      let piece = pieces[index]
      let atom = piece.matrix / 3
      let (matrix, output, stride) =
        switch piece.matrix % 3 {
        case 0: unsafe (atoms[atom].query, attention.queries.from(atom * groupWidth), queryWidth)
        case 1: unsafe (atoms[atom].key, attention.keys.from(atom * dimension), keyWidth)
        case _: unsafe (atoms[atom].value, attention.values.from(atom * dimension), keyWidth)
        }
      unsafe kernels.multiply(
        matrix, normed, tokens: tokens.count, groups: piece.groups, into: output, stride: stride)
    }
  }

  /// Turns the keys and appends keys and values to the caches.
  private func remember(layer: Int, groups: Int) {
    let dimension = shape.headDimension
    forEach(groups) { group in
      let cache = attention.caches[layer][group]
      cache.truncate(to: position)
      for token in 0..<tokens.count {
        let place = (token * groups + group) * dimension
        let key = unsafe attention.keys.pointer(place)
        if let table = attention.rotary {
          unsafe kernels.rotate(key, by: table, position: position + token)
        }
        do {
          try unsafe cache.append(key: key, value: attention.values.pointer(place))
        } catch {
          trouble.store(1 + layer, ordering: .relaxed)
          return
        }
      }
    }
  }

  private func attendHeads(layer: Int) {
    guard trouble.load(ordering: .relaxed) == 0 else { return }
    let span = attention.tokensPerPiece
    let slices = (tokens.count + span - 1) / span
    let scale = 1 / Float(shape.headDimension).squareRoot()
    forEach(attention.heads * slices) { piece in
      let (head, slice) = piece.quotientAndRemainder(dividingBy: slices)
      let cache = attention.caches[layer][head / shape.headsPerGroup]
      let scratch = unsafe attention.scratch.pointer(piece * attention.scratchSize)
      for token in slice * span..<min(tokens.count, (slice + 1) * span) {
        let query = unsafe attention.queries.pointer(
          (token * attention.heads + head) * shape.headDimension)
        if let table = attention.rotary {
          unsafe kernels.rotate(query, by: table, position: position + token)
        }
        let output = attention.outputs[head]
        unsafe kernels.attend(
          query, over: cache, visible: 0..<position + token + 1, scale: scale, scratch: scratch,
          into: output.token(token).baseAddress.unsafelyUnwrapped)
        quantize(output, token: token, layer: layer)
      }
    }
  }

  private func countAttention(_ atoms: [AttentionAtom]) {
    for atom in atoms {
      count(atom.query, tokens: tokens.count)
      count(atom.key, tokens: tokens.count)
      count(atom.value, tokens: tokens.count)
      for matrix in atom.output { count(matrix, tokens: tokens.count) }
    }
    let elements = 2 * atoms.count * shape.headDimension * (position + tokens.count)
    work.bytes += UInt64(elements * shape.keyValueType.byteCount)
    work.multiplyAccumulates += UInt64(elements * shape.headsPerGroup * tokens.count)
  }
}
