// Attention of one layer: project, turn, remember, attend, project back.

internal import ShoalProtocol
internal import Synchronization

extension ForwardPass {
  /// queries, keys, values = weights · input + bias, normalised where heads are so one by one.
  func prepareQueriesAndKeys(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.units.isEmpty || shape.residual.isParallel else { return }
    try takeInput(weights.attentionNorm, layer: layer)
    guard !weights.units.isEmpty else { return }
    run(phases[layer].projection, tokens: tokens.count, layer: layer)
    guard attention.editsHeads else { return }
    forEachToken { token in
      addBiases(weights, token: token)
      if shape.attention.queryKeyNorm.isOfHeads { normaliseHeads(weights, token: token) }
    }
  }

  /// Leaves this rank's part of the attention output in `partial`.
  func attend(layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    guard !weights.units.isEmpty else { return }
    remember(layer: layer)
    attendHeads(layer: layer)
    try checkFinite(layer)
    run(phases[layer].back, tokens: tokens.count, layer: layer)
    try checkRange(layer)
    countAttention(weights)
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
      for place in attention.units {
        for (index, head) in place.heads.enumerated() {
          unsafe normaliseHead(query(token, head: place.firstHead + index), norm, of: head)
        }
      }
    }
    if let norm = weights.keyNorm {
      for (index, group) in model.groups.enumerated() {
        unsafe normaliseHead(key(token, group: index), norm, of: group)
      }
    }
  }

  /// - Parameters:
  ///   - weights: one row for all heads, or one for each.
  ///   - number: of the whole layer's heads, or of its groups.
  private func normaliseHead(
    _ head: UnsafeMutablePointer<Float>, _ weights: [Float], of number: Int
  ) {
    let dimension = shape.attention.headDimension
    let isOwn = shape.attention.queryKeyNorm == .eachHead
    unsafe weights.withUnsafeBufferPointer { weights in
      let weight = unsafe weights.baseAddress.unsafelyUnwrapped + (isOwn ? number * dimension : 0)
      switch shape.norm.kind {
      case .rms:
        unsafe kernels.rmsNorm(
          head, weight: weight, epsilon: shape.norm.epsilon, dimension, into: head)
      case .layer:
        unsafe attention.noBias.withUnsafeBufferPointer { bias in
          unsafe kernels.layerNorm(
            head, weight: weight, bias: bias.baseAddress.unsafelyUnwrapped,
            epsilon: shape.norm.epsilon, dimension, into: head)
        }
      }
    }
  }

  /// Turns the keys and appends keys and values to the caches; those of one token on this thread,
  /// since waking another takes longer.
  private func remember(layer: Int) {
    guard tokens.count > 1 else {
      return (0..<attention.groups).forEach { remember(layer: layer, group: $0) }
    }
    forEach(attention.groups) { remember(layer: layer, group: $0) }
  }

  private func remember(layer: Int, group: Int) {
    for run in runs { remember(run, layer: layer, group: group) }
  }

  private func remember(_ run: SequenceRun, layer: Int, group: Int) {
    let table = shape.attention.layers[layer].rotary.map { run.sequence.rotaries[$0] }
    let cache = run.sequence.caches[layer][group]
    cache.truncate(to: places[run.rows.lowerBound].slot)
    for token in run.rows {
      let key = unsafe key(token, group: group)
      let place = places[token]
      if let table { unsafe kernels.rotate(key, by: table, position: place.position) }
      cache.skip(to: place.slot)
      do {
        try unsafe cache.append(key: key, value: value(token, group: group))
      } catch {
        trouble.store(1 + layer, ordering: .relaxed)
        return
      }
    }
  }

  private func attendHeads(layer: Int) {
    guard trouble.load(ordering: .relaxed) == 0 else { return }
    forEach(attention.headSets.count * slices.count) { piece in
      let (set, slice) = piece.quotientAndRemainder(dividingBy: slices.count)
      attend(attention.headSets[set], slices[slice], layer: layer)
    }
  }

  /// Some heads of one group for some tokens of a sequence: each chunk of keys and values is read
  /// once.
  private func attend(_ set: AttentionBuffers.HeadSet, _ slice: SequenceRun, layer: Int) {
    let (sequence, some) = (slice.sequence, slice.rows)
    let table = shape.attention.layers[layer].rotary.map { sequence.rotaries[$0] }
    let capacity = set.heads.count * some.count
    unsafe withUnsafeTemporaryAllocation(of: AttentionQuery.self, capacity: capacity) { queries in
      var count = 0
      for token in some {
        let place = places[token]
        let visible = visible(from: place, layer: layer)
        for head in set.heads {
          let query = unsafe query(token, head: head)
          if let table { unsafe kernels.rotate(query, by: table, position: place.position) }
          unsafe queries.initializeElement(
            at: count,
            to: AttentionQuery(
              query: query, visible: visible,
              scratch: attention.scratch.pointer(
                (token * attention.heads + head) * attention.scratchSize),
              out: attention.outputs[head].token(token).baseAddress.unsafelyUnwrapped))
          count += 1
        }
      }
      unsafe kernels.attend(
        UnsafeBufferPointer(queries), over: sequence.caches[layer][set.group],
        scale: shape.attention.scale, softCap: shape.attention.softCap)
    }
    for token in some {
      for head in set.heads { quantize(attention.outputs[head], token: token, layer: layer) }
    }
  }

  /// Positions that a token sees: the last `window` up to itself, or all of an encoder's text.
  private func visible(from place: TokenPlace, layer: Int) -> Range<Int> {
    guard shape.attention.isCausal else { return place.text }
    let window = shape.attention.layers[layer].window
    let first = window > 0 ? max(0, place.position + 1 - window) : 0
    return place.text.lowerBound + first..<place.slot + 1
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
    let (read, scanned) = scannedPositions
    let elements = 2 * shape.attention.headDimension
    work.bytes += UInt64(
      attention.groups * elements * read * shape.attention.keyValueType.byteCount)
    work.multiplyAccumulates += UInt64(elements * attention.heads * scanned)
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
