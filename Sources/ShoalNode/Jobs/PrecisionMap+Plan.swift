// Which atoms a plan holds in lower formats: what an import needs to make the model that the plan
// is about.

public import ShoalInference
public import ShoalProtocol

extension PrecisionMap {
  /// Of a plan whose ranks may hold their atoms lower than the model is stored. What two of them
  /// hold, keys and values of a group that is cut, has the lower format of the two.
  public init(_ stages: [PlanStage], _ cut: AtomCut) {
    self.init()
    for stage in stages {
      for rank in stage.ranks {
        let share = RankShare(
          layers: stage.layers, units: rank.slots.attention, blocks: rank.slots.feedForward,
          vocabulary: rank.slots.vocabulary)
        lower(share.keys(cut), to: rank.precision.format)
      }
    }
  }
}

extension AtomPrecision {
  fileprivate var format: WeightFormat {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q4_0: .q4_0
    case .q8_0: .q8_0
    }
  }
}
