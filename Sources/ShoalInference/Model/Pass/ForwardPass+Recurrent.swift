// A selective state space (Mamba, arXiv 2312.00752, algorithm 2), in the order of its two sums:
// all channels into the small projection, all channels back into the residual.

internal import ShoalProtocol
internal import Synchronization

extension ForwardPass {
  /// Leaves this rank's part of time step, input and output matrices in `partial`,
  /// (tokens, rank + 2 state).
  ///
  ///     x, z = weights . input;  x = silu(conv(x) + bias);  partial = projection . x
  func projectChannels(_ recurrent: RecurrentBuffers, layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    sumWidth = recurrent.options.projected
    forEachToken { shared.clear($0 * sumWidth, count: sumWidth, to: 0) }
    guard !weights.channels.isEmpty else { return }
    try takeInput(weights.attentionNorm, layer: layer)
    run(phases[layer].projection, tokens: tokens.count, layer: layer)
    forEach(recurrent.blocks.count) { block in
      convolve(recurrent, weights.channels[block], block, layer: layer)
    }
    try checkFinite(layer)
    run(phases[layer].back, tokens: tokens.count, layer: layer)
    try checkRange(layer)
  }

  /// Leaves this rank's part of the layer's output in `partial`, (tokens, hidden), and the states
  /// behind the last token.
  func runChannels(_ recurrent: RecurrentBuffers, layer: Int) throws(InferenceError) {
    let weights = model.layers[layer]
    try takeProjections(recurrent, layer: layer)
    sumWidth = shape.hidden
    forEachToken { shared.clear($0 * shape.hidden, count: shape.hidden, to: 0) }
    guard !weights.channels.isEmpty else { return }
    run(phases[layer].expansion, tokens: tokens.count, layer: layer)
    forEach(recurrent.blocks.count) { block in
      scan(recurrent, weights.channels[block], block, layer: layer)
    }
    try checkFinite(layer)
    run(phases[layer].contraction, tokens: tokens.count, layer: layer)
    try checkRange(layer)
    for atom in weights.channels { count(atom) }
  }

  // MARK: Parts

  /// acc = 0, then acc = acc + w[k] x[t - kernel + 1 + k], k ascending; silu(acc + bias).
  private func convolve(
    _ recurrent: RecurrentBuffers, _ atom: RecurrentAtom, _ number: Int, layer: Int
  ) {
    for run in runs { convolve(run, recurrent, atom, number, layer: layer) }
  }

  private func convolve(
    _ run: SequenceRun, _ recurrent: RecurrentBuffers, _ atom: RecurrentAtom, _ number: Int,
    layer: Int
  ) {
    let block = recurrent.blocks[number]
    let count = block.channels.count
    let past = recurrent.options.kernel - 1
    let state = unsafe run.sequence.states[layer][number].pointer(0)
    let target = recurrent.convolved[number]
    for token in run.rows {
      let x = unsafe recurrent.inputs.pointer(token * recurrent.width + block.first)
      let out = unsafe target.token(token).baseAddress.unsafelyUnwrapped
      for channel in 0..<count { unsafe out[channel] = 0 }
      for tap in 0..<past {
        let row = tap * count
        for channel in 0..<count {
          unsafe out[channel] =
            out[channel] + atom.convolution[row + channel] * state[row + channel]
        }
      }
      let last = past * count
      for channel in 0..<count {
        unsafe out[channel] =
          (out[channel] + atom.convolution[last + channel] * x[channel])
          + atom.convolutionBias[channel]
      }
      unsafe kernels.activate(.silu, out, count, into: out)
      quantize(target, token: token, layer: layer)
      guard past > 0 else { continue }
      for index in 0..<last - count { unsafe state[index] = state[index + count] }
      for channel in 0..<count { unsafe state[last - count + channel] = x[channel] }
    }
  }

  /// Takes the sum over all channels in: rank numbers for the time step, then both matrices.
  private func takeProjections(
    _ recurrent: RecurrentBuffers, layer: Int
  ) throws(InferenceError) {
    let options = recurrent.options
    let unit = Canon.powerOfTwo(Int32(-model.manifest.unitExponent))
    forEachToken { token in
      let sums = unsafe shared.pointer(token * options.projected)
      let step = unsafe recurrent.step.token(token).baseAddress.unsafelyUnwrapped
      let matrices = unsafe recurrent.matrices.pointer(token * 2 * options.state)
      for index in 0..<options.projected {
        guard unsafe sums[index].magnitude <= 1 << 44 else {
          trouble.store(1 + layer, ordering: .relaxed)
          return
        }
        let value = unsafe Float(sums[index]) * unit
        if index < options.rank {
          unsafe step[index] = value
        } else {
          unsafe matrices[index - options.rank] = value
        }
      }
      if options.normalisesProjections {
        unsafe normaliseProjection(step, options.rank)
        unsafe normaliseProjection(matrices, options.state)
        unsafe normaliseProjection(matrices + options.state, options.state)
      }
    }
    try checkRange(layer)
    forEachToken { quantize(recurrent.step, token: $0, layer: layer) }
    try checkFinite(layer)
  }

  /// x = x inv, inv = 1 / sqrt(mean(x^2) + epsilon).
  private func normaliseProjection(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
    let mean = unsafe Kernels.sumOfSquares(x, count) / Float(count)
    let inverse = 1 / (mean + shape.norm.epsilon).squareRoot()
    for index in 0..<count { unsafe x[index] *= inverse }
  }

  /// For each token, n ascending, every product and sum rounded by itself:
  ///
  ///     dt = softplus(dt + bias)
  ///     h[n] = exp(dt A[n]) h[n] + (dt B[n]) x;  y = y + h[n] C[n]
  ///     out = (y + D x) silu(z)
  private func scan(
    _ recurrent: RecurrentBuffers, _ atom: RecurrentAtom, _ number: Int, layer: Int
  ) {
    for run in runs { scan(run, recurrent, atom, number, layer: layer) }
  }

  private func scan(
    _ run: SequenceRun, _ recurrent: RecurrentBuffers, _ atom: RecurrentAtom, _ number: Int,
    layer: Int
  ) {
    let options = recurrent.options
    let block = recurrent.blocks[number]
    let count = block.channels.count
    let states = unsafe run.sequence.states[layer][number].pointer((options.kernel - 1) * count)
    let decayed = unsafe recurrent.scratch.pointer(number * AtomCut.channelsPerBlock)
    let target = recurrent.convolved[number]
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { sums in
      let y = unsafe sums.baseAddress.unsafelyUnwrapped
      for token in run.rows {
        let place = token * recurrent.width + block.first
        let dt = unsafe recurrent.timeSteps.pointer(place)
        let z = unsafe recurrent.gates.pointer(place)
        let x = unsafe target.token(token).baseAddress.unsafelyUnwrapped
        let matrices = unsafe recurrent.matrices.pointer(token * 2 * options.state)
        for channel in 0..<count { unsafe dt[channel] += atom.timeStepBias[channel] }
        unsafe kernels.activate(.softplus, dt, count, into: dt)
        for channel in 0..<count { unsafe y[channel] = 0 }
        for n in 0..<options.state {
          let (b, c) = unsafe (matrices[n], matrices[options.state + n])
          let h = unsafe states + n * count
          let decay = n * count
          for channel in 0..<count {
            unsafe decayed[channel] = dt[channel] * atom.decay[decay + channel]
          }
          unsafe kernels.exp(decayed, count, into: decayed)
          for channel in 0..<count {
            let next = unsafe decayed[channel] * h[channel] + (dt[channel] * b) * x[channel]
            unsafe h[channel] = next
            unsafe y[channel] = y[channel] + next * c
          }
        }
        for channel in 0..<count {
          unsafe y[channel] = y[channel] + atom.skip[channel] * x[channel]
        }
        unsafe kernels.activateGated(.silu, gate: z, up: y, count, into: x)
        quantize(target, token: token, layer: layer)
      }
    }
  }

  private func count(_ atom: RecurrentAtom) {
    for matrix in [atom.input, atom.gate, atom.projection, atom.timeStep, atom.output] {
      count(matrix, tokens: tokens.count)
    }
    let state = atom.skip.count * (shape.recurrent?.stateBytes ?? 0)
    work.bytes += UInt64(2 * state * tokens.count)
    work.multiplyAccumulates += UInt64(3 * atom.decay.count * tokens.count)
  }
}
