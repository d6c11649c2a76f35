// The residual stream: how a token enters it, how branches read it and are added to it.

internal import Synchronization

extension ForwardPass {
  // MARK: Embedding

  /// The rows that this rank holds, as bit patterns; zeros for the others. The sum over ranks has
  /// one contribution to each element, so that it is exact.
  func embed() {
    sumWidth = shape.hidden
    shared.clear(count: tokens.count * shape.hidden, to: 0)
    for (token, id) in tokens.enumerated() {
      guard let block = model.vocabularyRows.firstIndex(where: { $0.contains(Int(id)) }) else {
        continue
      }
      let row = unsafe row(of: residual, token)
      unsafe model.embedding[block].dequantizeRow(
        Int(id) - model.vocabularyRows[block].lowerBound, into: row)
      let out = unsafe shared.pointer(token * shape.hidden)
      for column in 0..<shape.hidden {
        unsafe out[column] = Int64(row[column].bitPattern)
      }
    }
  }

  /// x = row * scale + type + position, then the norm, each where the model has it.
  func takeEmbedding() throws(InferenceError) {
    try takeBits(layer: 0)
    let options = shape.embedding
    forEachToken { token in
      let row = unsafe row(of: residual, token)
      if options.scale != 1 {
        for index in 0..<shape.hidden { unsafe row[index] *= options.scale }
      }
      if let types = model.tokenTypes { unsafe add(types, places[token].type, to: row, token) }
      if let positions = model.positions {
        unsafe add(positions, places[token].position, to: row, token)
      }
      if let norm = model.embeddingNorm {
        let start = unsafe residual.pointer(token * shape.hidden)
        unsafe normalise(start, norm, into: start)
      }
    }
  }

  private func add(
    _ table: PackedMatrix, _ entry: Int, to row: UnsafeMutableBufferPointer<Float>, _ token: Int
  ) {
    let addend = unsafe self.row(of: branch, token)
    unsafe table.dequantizeRow(entry, into: addend)
    for index in 0..<shape.hidden { unsafe row[index] += addend[index] }
  }

  // MARK: Branches

  /// normed = the input of a branch, for all tokens, and its int8 form.
  func takeInput(_ norm: NormWeights?, layer: Int) throws(InferenceError) {
    forEachToken { takeInput(norm, $0, as: $0, layer: layer) }
    try checkFinite(layer)
  }

  /// The same for some tokens, one after the other.
  func takeInput(_ norm: NormWeights?, of some: [Int], layer: Int) throws(InferenceError) {
    forEach(some.count) { takeInput(norm, some[$0], as: $0, layer: layer) }
    try checkFinite(layer)
  }

  private func takeInput(_ norm: NormWeights?, _ token: Int, as row: Int, layer: Int) {
    let source = unsafe residual.pointer(token * shape.hidden)
    let target = unsafe normed.token(row)
    if let norm {
      unsafe normalise(source, norm, into: target.baseAddress.unsafelyUnwrapped)
    } else {
      for index in 0..<shape.hidden { unsafe target[index] = source[index] }
    }
    quantize(normed, token: row, layer: layer)
  }

  /// Adds the total in `shared` to the residual.
  ///
  ///     y = Float(total) * unit + bias;  y = norm(y) * scale;  x = x + y;  x = norm(x)
  ///
  /// Where neither a norm nor a scale stands between, x = (x + Float(total) * unit) + bias.
  func finish(_ end: BranchEnd, layer: Int) throws(InferenceError) {
    let isPlain = end.norm == nil && shape.residual.branchScale == 1
    forEachToken { token in
      let start = token * shape.hidden
      let target = unsafe isPlain ? residual.pointer(start) : branch.pointer(start)
      if !isPlain { for index in 0..<shape.hidden { unsafe target[index] = 0 } }
      unsafe take(end.bias, into: target, token: token, layer: layer)
      let x = unsafe residual.pointer(start)
      if !isPlain {
        if let norm = end.norm { unsafe normalise(target, norm, into: target) }
        let scale = shape.residual.branchScale
        if scale != 1 { for index in 0..<shape.hidden { unsafe target[index] *= scale } }
        for index in 0..<shape.hidden { unsafe x[index] += target[index] }
      }
      if let norm = end.sumNorm { unsafe normalise(x, norm, into: x) }
    }
    try checkRange(layer)
  }

  private func take(
    _ bias: [Float]?, into target: UnsafeMutablePointer<Float>, token: Int, layer: Int
  ) {
    do {
      let sum = unsafe UnsafePointer(shared.pointer(token * shape.hidden))
      let exponent = -model.manifest.unitExponent
      guard let bias else {
        return try unsafe kernels.addResidual(
          target, sum: sum, unitExponent: exponent, shape.hidden)
      }
      try unsafe bias.withUnsafeBufferPointer { bias throws(NumericsError) in
        try unsafe kernels.addResidual(
          target, sum: sum, unitExponent: exponent, bias: bias.baseAddress, shape.hidden)
      }
    } catch {
      trouble.store(1 + layer, ordering: .relaxed)
    }
  }

  /// One row of the residual's width; `out` may be `x`.
  func normalise(
    _ x: UnsafePointer<Float>, _ norm: NormWeights, into out: UnsafeMutablePointer<Float>
  ) {
    unsafe norm.weight.withUnsafeBufferPointer { weight in
      let weight = unsafe weight.baseAddress.unsafelyUnwrapped
      switch shape.norm.kind {
      case .rms:
        unsafe kernels.rmsNorm(
          x, weight: weight, epsilon: shape.norm.epsilon, shape.hidden, into: out)
      case .layer:
        unsafe norm.bias.withUnsafeBufferPointer { bias in
          unsafe kernels.layerNorm(
            x, weight: weight, bias: bias.baseAddress.unsafelyUnwrapped,
            epsilon: shape.norm.epsilon, shape.hidden, into: out)
        }
      }
    }
  }

  func row(of buffer: Buffer<Float>, _ token: Int) -> UnsafeMutableBufferPointer<Float> {
    unsafe UnsafeMutableBufferPointer(
      start: buffer.pointer(token * shape.hidden), count: shape.hidden)
  }
}
