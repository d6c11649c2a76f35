// The products of one layer, in the order that a token meets them.

/// Four fork-joins of a layer; those of which a rank holds nothing are empty.
struct LayerPhases {
  let projection: ProductPhase
  let back: ProductPhase
  /// Gate and up: one bundle for each dense block.
  let expansion: ProductPhase
  let contraction: ProductPhase

  static func all(
    _ model: RankModel, _ attention: AttentionBuffers, _ feedForward: FeedForwardBuffers,
    _ recurrent: RecurrentBuffers?, _ normed: Activations, _ shared: Buffer<Int64>, batch: Int,
    workers: Int
  ) -> StageLayers<LayerPhases> {
    if let recurrent {
      return StageLayers(
        from: model.share.layers.lowerBound,
        model.layers.map {
          recurrent.phases(
            $0, normed, shared, hidden: model.manifest.shape.hidden,
            fractionBits: model.manifest.unitExponent, workers: workers)
        })
    }
    let sums = unsafe ProductList.Output.sums(
      shared.elements, stride: model.manifest.shape.hidden,
      fractionBits: model.manifest.unitExponent)
    let phases = model.layers.map { layer in
      LayerPhases(
        projection: .each(attention.projection(layer, normed), workers: workers),
        back: .together(attention.back(layer, sums, batch: batch), workers: workers),
        expansion: feedForward.expansion(layer, normed, workers: workers),
        contraction: .together(feedForward.back(layer, sums, batch: batch), workers: workers))
    }
    return StageLayers(from: model.share.layers.lowerBound, phases)
  }

  /// Links each phase to the next one that has products, the last to `following`; returns the
  /// first.
  func link(to following: ProductPhase) -> ProductPhase {
    var next = following
    for phase in [contraction, expansion, back, projection] where !phase.pieces.isEmpty {
      phase.link(to: next)
      next = phase
    }
    return next
  }
}
