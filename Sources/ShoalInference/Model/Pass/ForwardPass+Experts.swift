// A mixture of experts (Shazeer et al. 2017; Mixtral: arXiv 2401.04088): a router that every rank
// computes alike, and the blocks of those experts that a token goes to.

internal import ShoalProtocol
internal import Synchronization

extension ForwardPass {
  /// Where each token goes. All ranks compute it from the same numbers, to the same bits.
  func route(
    _ weights: LayerWeights, _ experts: ExpertBuffers, layer: Int
  ) throws(InferenceError) {
    guard let router = weights.router, let options = shape.feedForward.experts else { return }
    unsafe kernels.multiply(
      router, normed, tokens: tokens.count, groups: 0..<router.shape.groups,
      into: experts.routes.from(0), stride: options.count)
    forEachToken { token in
      if !choose(token, experts, options) { trouble.store(1 + layer, ordering: .relaxed) }
    }
    count(router, tokens: tokens.count)
    if let gate = weights.sharedGate {
      unsafe kernels.multiply(
        gate, normed, tokens: tokens.count, groups: 0..<gate.shape.groups,
        into: experts.sharedWeights.from(0), stride: 1)
      for token in 0..<tokens.count {
        let logit = unsafe experts.sharedWeights.elements[token]
        unsafe experts.sharedWeights.elements[token] = 1 / (1 + Canon.exp(-logit))
      }
    }
    try checkFinite(layer)
  }

  /// Turns one token's logits into weights: p = exp(logit - largest) / sum for the `used` largest,
  /// ties to the lower expert, divided by their sum (best first) where the model asks for it. False
  /// where a logit is no number.
  private func choose(_ token: Int, _ experts: ExpertBuffers, _ options: ExpertOptions) -> Bool {
    let row = unsafe experts.routes.pointer(token * options.count)
    let picks = unsafe experts.picks.pointer(token * options.used)
    let weights = unsafe experts.pickWeights.pointer(token * options.used)
    let largest = unsafe kernels.maximum(row, options.count)
    guard largest.isFinite else { return false }
    let sum = unsafe kernels.sumOfExponentials(row, origin: largest, options.count)
    var kept: Float = 0
    for rank in 0..<options.used {
      var best = -1
      for expert in 0..<options.count {
        let isTaken = (0..<rank).contains { unsafe picks[$0] == expert }
        if !isTaken, unsafe best < 0 || row[expert] > row[best] { best = expert }
      }
      unsafe picks[rank] = best
      unsafe weights[rank] = Canon.exp(row[best] - largest) / sum
      unsafe kept += weights[rank]
    }
    for expert in 0..<options.count { unsafe row[expert] = 0 }
    for rank in 0..<options.used {
      unsafe row[picks[rank]] = options.normalisesWeights ? weights[rank] / kept : weights[rank]
    }
    return true
  }

  /// Adds the outputs of this rank's blocks of the chosen experts to `partial`.
  func mix(
    _ weights: LayerWeights, _ experts: ExpertBuffers, layer: Int
  ) throws(InferenceError) {
    guard let options = shape.feedForward.experts else { return }
    if tokens.count == 1 { return try mixOne(weights, experts, layer: layer) }
    for owned in experts.owned {
      experts.tokens.removeAll(keepingCapacity: true)
      for token in 0..<tokens.count
      where unsafe experts.routes.elements[token * options.count + owned.expert] > 0 {
        experts.tokens.append(token)
      }
      if !experts.tokens.isEmpty { try mix(weights, experts, owned, layer: layer) }
    }
  }

  /// One token: the blocks of all its experts at once.
  private func mixOne(
    _ weights: LayerWeights, _ experts: ExpertBuffers, layer: Int
  ) throws(InferenceError) {
    experts.active.removeAll(keepingCapacity: true)
    for owned in experts.owned where unsafe experts.routes.elements[owned.expert] > 0 {
      experts.active.append(contentsOf: owned.blocks)
    }
    guard !experts.active.isEmpty else { return }
    let active = experts.active
    expand(weights.feedForward, active, normed, tokens: 1)
    for owned in experts.owned {
      let weight = unsafe experts.routes.elements[owned.expert]
      guard weight > 0 else { continue }
      for block in owned.blocks {
        activate(weights.feedForward[block], block, row: 0, weight: weight, layer: layer)
      }
    }
    try checkFinite(layer)
    let terms = active.map {
      MatrixTerm(weights.feedForward[$0].down, feedForward.hidden[$0])
    }
    unsafe contract(terms, addingTo: partial, rows: 1, layer: layer)
    for block in active { count(weights.feedForward[block], tokens: 1) }
  }

  /// Several tokens of one expert, gathered into consecutive rows.
  private func mix(
    _ weights: LayerWeights, _ experts: ExpertBuffers, _ owned: ExpertBuffers.Owned, layer: Int
  ) throws(InferenceError) {
    guard let options = shape.feedForward.experts else { return }
    let chosen = experts.tokens
    for (row, token) in chosen.enumerated() {
      let (source, target) = unsafe (normed.token(token), experts.gathered.token(row))
      for index in target.indices { unsafe target[index] = source[index] }
      quantize(experts.gathered, token: row, layer: layer)
    }
    expand(weights.feedForward, Array(owned.blocks), experts.gathered, tokens: chosen.count)
    forEach(chosen.count) { row in
      let weight = unsafe experts.routes.elements[chosen[row] * options.count + owned.expert]
      for block in owned.blocks {
        activate(weights.feedForward[block], block, row: row, weight: weight, layer: layer)
      }
    }
    try checkFinite(layer)
    experts.sums.clear(count: chosen.count * shape.hidden, to: 0)
    let terms = owned.blocks.map {
      MatrixTerm(weights.feedForward[$0].down, feedForward.hidden[$0])
    }
    unsafe contract(terms, addingTo: experts.sums.from(0), rows: chosen.count, layer: layer)
    for (row, token) in chosen.enumerated() {
      let (source, target) = unsafe (
        experts.sums.pointer(row * shape.hidden), shared.pointer(token * shape.hidden)
      )
      for index in 0..<shape.hidden { unsafe target[index] &+= source[index] }
    }
    for block in owned.blocks { count(weights.feedForward[block], tokens: chosen.count) }
  }

  // MARK: Blocks

  /// gate, up = weights · input for some blocks.
  private func expand(
    _ atoms: [FeedForwardAtom], _ blocks: [Int], _ input: Activations, tokens: Int
  ) {
    forEach(2 * blocks.count) { piece in
      let (place, part) = piece.quotientAndRemainder(dividingBy: 2)
      let block = blocks[place]
      guard let matrix = part == 1 ? atoms[block].up : atoms[block].gate else { return }
      let buffer = part == 1 ? feedForward.up : feedForward.gate
      unsafe kernels.multiply(
        matrix, input, tokens: tokens, groups: 0..<matrix.shape.groups,
        into: buffer.from(feedForward.offsets[block]), stride: feedForward.width)
    }
  }

  /// The hidden units of one block, times the token's weight for the expert: multiplied before
  /// anything is rounded to units.
  private func activate(
    _ atom: FeedForwardAtom, _ block: Int, row: Int, weight: Float, layer: Int
  ) {
    let input = feedForward.hidden[block]
    let out = unsafe input.token(row)
    unsafe activate(
      atom, out.indices, at: row * feedForward.width + feedForward.offsets[block], into: out)
    for index in out.indices { unsafe out[index] *= weight }
    quantize(input, token: row, layer: layer)
  }

  /// The down projections of some blocks for `rows` tokens.
  private func contract(
    _ terms: [MatrixTerm], addingTo sums: UnsafeMutableBufferPointer<Int64>, rows: Int, layer: Int
  ) {
    let slices = feedForward.slices
    forEach(slices.count) { slice in
      do {
        try unsafe kernels.multiplyRounded(
          terms, tokens: rows, groups: slices[slice], addingTo: sums, stride: shape.hidden,
          fractionBits: model.manifest.unitExponent)
      } catch {
        trouble.store(1 + layer, ordering: .relaxed)
      }
    }
  }
}
