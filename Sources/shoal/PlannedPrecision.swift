// The formats of atoms that a printed plan asks for.

import ArgumentParser
import ShoalGateway
import ShoalInference
import ShoalNode
import ShoalProtocol

struct PlannedPrecision {
  let plan: PlanFacts
  init(_ plan: PlanFacts) { self.plan = plan }

  /// - Parameter cut: of the model that is to be imported.
  /// - Throws: `ValidationError` where the plan is of another model.
  func map(_ cut: AtomCut) throws -> PrecisionMap {
    let slots = plan.slots
    guard slots.attention == cut.queryUnits, slots.feedForward == cut.feedForwardBlocks,
      slots.vocabulary == cut.vocabularyBlocks, plan.stages.last?.layers.last == cut.shape.layers
    else {
      throw ValidationError("the plan is of another model: \(plan.model)")
    }
    return PrecisionMap(try plan.stages.enumerated().map { try stage($1, number: $0) }, cut)
  }

  private func stage(_ stage: PlanFacts.Stage, number: Int) throws -> PlanStage {
    let bounds = stage.layers
    guard bounds.count == 2, bounds[0] >= 0, bounds[0] < bounds[1] else {
      throw ValidationError("the plan's layers \(bounds) are no range")
    }
    return PlanStage(
      layers: bounds[0]..<bounds[1],
      ranks: try stage.ranks.map { rank in
        let member = plan.members.first { $0.peer == rank.peer && $0.stage == number }
        guard let member, let precision = AtomPrecision(name: member.precision) else {
          throw ValidationError("the plan states no known precision for \(rank.peer.prefix(8))")
        }
        return PlanRank(
          peer: PeerID(.zero), precision: precision,
          slots: PerKind(
            attention: try slots(rank.attention, below: plan.slots.attention),
            feedForward: try slots(rank.feedForward, below: plan.slots.feedForward),
            vocabulary: try slots(rank.vocabulary, below: plan.slots.vocabulary)),
          residentBytes: member.bytes)
      })
  }

  /// Half-open runs as indices.
  private func slots(_ runs: [[Int]], below count: Int) throws -> [Int] {
    try runs.flatMap { run -> Range<Int> in
      guard run.count == 2, run[0] >= 0, run[0] <= run[1], run[1] <= count else {
        throw ValidationError("the plan's slots \(run) are no range below \(count)")
      }
      return run[0]..<run[1]
    }
  }
}
