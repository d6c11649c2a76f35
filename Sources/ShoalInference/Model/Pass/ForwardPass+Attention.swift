// Attention of one layer: project, turn, remember, attend, project back.

internal import ShoalProtocol
internal import Synchronization

extension ForwardPass {
  /// queries, keys, values = weights · input + bias, normalised where heads are so one by one.
  func prepareQueriesAndKeys(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.units.isEmpty || shape.residual.isParallel else { return }
    try takeInput(weights.attentionNorm, count: tokens.count, layer: layer)
    guard !weights.units.isEmpty else { return }
    project(weights)
    guard attention.editsHeads else { return }
    forEachToken { token in
      addBiases(weights, token: token)
      if shape.attention.queryKeyNorm == .perHead { normaliseHeads(weights, token: token) }
    }
  }

  /// Leaves this rank's part of the attention output in `partial`.
  func attend(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.units.isEmpty else { return }
    remember(layer: layer)
    attendHeads(layer: layer)
    try checkFinite(layer)
    let pieces = attention.back.pieces
    forEach(pieces.count) { piece in
      for (unit, place) in zip(weights.units, attention.units) {
        for (head, matrix) in unit.output.enumerated() {
          multiplyRounded(
            matrix, attention.outputs[place.firstHead + head], groups: pieces[piece].groups,
            layer: layer)
        }
      }
    }
    try checkRange(layer)
    countAttention(weights)
  }

  private func project(_ weights: LayerWeights) {
    let dimension = shape.attention.headDimension
    let queryWidth = attention.heads * dimension
    let keyWidth = attention.groups * dimension
    let (units, groups) = (weights.units.count, weights.groups.count)
    let pieces = attention.projection.pieces
    forEach(pieces.count) { index in
      let piece = pieces[index]
      let matrix: PackedMatrix
      let output: UnsafeMutableBufferPointer<Float>
      if piece.matrix < units {
        matrix = weights.units[piece.matrix].query
        unsafe output = attention.queries.from(attention.units[piece.matrix].firstHead * dimension)
      } else if piece.matrix < units + groups {
        matrix = weights.groups[piece.matrix - units].key
        unsafe output = attention.keys.from((piece.matrix - units) * dimension)
      } else {
        matrix = weights.groups[piece.matrix - units - groups].value
        unsafe output = attention.values.from((piece.matrix - units - groups) * dimension)
      }
      unsafe kernels.multiply(
        matrix, normed, tokens: tokens.count, groups: piece.groups, into: output,
        stride: piece.matrix < units ? queryWidth : keyWidth)
    }
  }

  private func addBiases(_ weights: LayerWeights, token: Int) {
    for (unit, place) in zip(weights.units, attention.units) {
      guard let bias = unit.bias else { continue }
      unsafe add(bias, to: query(token, head: place.firstHead))
    }
    for (index, group) in weights.groups.enumerated() {
      if let bias = group.keyBias { unsafe add(bias, to: key(token, group: index)) }
      if let bias = group.valueBias { unsafe add(bias, to: value(token, group: index)) }
    }
  }

  private func add(_ bias: [Float], to row: UnsafeMutablePointer<Float>) {
    for (index, value) in bias.enumerated() { unsafe row[index] += value }
  }

  private func normaliseHeads(_ weights: LayerWeights, token: Int) {
    if let norm = weights.queryNorm {
      for head in 0..<attention.heads { unsafe normaliseHead(query(token, head: head), norm) }
    }
    if let norm = weights.keyNorm {
      for group in 0..<attention.groups { unsafe normaliseHead(key(token, group: group), norm) }
    }
  }

  private func normaliseHead(_ head: UnsafeMutablePointer<Float>, _ weight: [Float]) {
    unsafe weight.withUnsafeBufferPointer { weight in
      unsafe kernels.rmsNorm(
        head, weight: weight.baseAddress.unsafelyUnwrapped, epsilon: shape.norm.epsilon,
        weight.count, into: head)
    }
  }

  /// Turns the keys and appends keys and values to the caches.
  private func remember(layer: Int) {
    let table = shape.attention.layers[layer].rotary.map { attention.rotaries[$0] }
    forEach(attention.groups) { group in
      let cache = attention.caches[layer][group]
      cache.truncate(to: position)
      for token in 0..<tokens.count {
        let key = unsafe key(token, group: group)
        if let table { unsafe kernels.rotate(key, by: table, position: position + token) }
        do {
          try unsafe cache.append(key: key, value: value(token, group: group))
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
    let table = shape.attention.layers[layer].rotary.map { attention.rotaries[$0] }
    forEach(attention.heads * slices) { piece in
      let (head, slice) = piece.quotientAndRemainder(dividingBy: slices)
      let cache = attention.caches[layer][attention.groupOfHead[head]]
      let scratch = unsafe attention.scratch.pointer(piece * attention.scratchSize)
      for token in slice * span..<min(tokens.count, (slice + 1) * span) {
        let query = unsafe query(token, head: head)
        if let table { unsafe kernels.rotate(query, by: table, position: position + token) }
        let output = attention.outputs[head]
        unsafe kernels.attend(
          query, over: cache, visible: visible(from: position + token, layer: layer),
          scale: shape.attention.scale, softCap: shape.attention.softCap, scratch: scratch,
          into: output.token(token).baseAddress.unsafelyUnwrapped)
        quantize(output, token: token, layer: layer)
      }
    }
  }

  /// Positions that a token sees: the last `window` up to itself, or all of an encoder's text.
  private func visible(from place: Int, layer: Int) -> Range<Int> {
    guard shape.attention.isCausal else { return 0..<position + tokens.count }
    let window = shape.attention.layers[layer].window
    return (window > 0 ? max(0, place + 1 - window) : 0)..<place + 1
  }

  private func countAttention(_ weights: LayerWeights) {
    for unit in weights.units {
      count(unit.query, tokens: tokens.count)
      for matrix in unit.output { count(matrix, tokens: tokens.count) }
    }
    for group in weights.groups {
      count(group.key, tokens: tokens.count)
      count(group.value, tokens: tokens.count)
    }
    let elements = 2 * shape.attention.headDimension * (position + tokens.count)
    work.bytes += UInt64(
      attention.groups * elements * shape.attention.keyValueType.byteCount)
    work.multiplyAccumulates += UInt64(elements * attention.heads * tokens.count)
  }

  // MARK: Rows

  func query(_ token: Int, head: Int) -> UnsafeMutablePointer<Float> {
    unsafe attention.queries.pointer(
      (token * attention.heads + head) * shape.attention.headDimension)
  }
  func key(_ token: Int, group: Int) -> UnsafeMutablePointer<Float> {
    unsafe attention.keys.pointer(
      (token * attention.groups + group) * shape.attention.headDimension)
  }
  func value(_ token: Int, group: Int) -> UnsafeMutablePointer<Float> {
    unsafe attention.values.pointer(
      (token * attention.groups + group) * shape.attention.headDimension)
  }
}
