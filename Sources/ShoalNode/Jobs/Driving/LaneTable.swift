// The lanes of this peer: finds the one that a job's plan has, or opens it.

internal import ShoalInference
internal import ShoalProtocol
private import Synchronization

extension Limits {
  /// Lanes that one peer drives at a time: for a further one the oldest that rests ends, or else
  /// the oldest takes no more jobs.
  /// The place that is left is for jobs of others, and for texts.
  static let drivenLanes = runningJobs - 1
}

/// Lanes belong to no job: `run` drives them, whichever of their jobs goes first.
final class LaneTable: Sendable {
  private let lanes = Mutex<[PlanID: Lane]>([:])
  private let opened: AsyncStream<Lane>
  private let opening: AsyncStream<Lane>.Continuation

  init() { (opened, opening) = AsyncStream.makeStream() }

  /// Drives lanes until cancelled. Jobs that are still here then, or come later, are cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      var driven: [Lane] = []
      for await lane in opened {
        while true {
          driven.removeAll { $0.hasEnded }
          guard driven.count >= Limits.drivenLanes,
            let oldest = driven.first(where: \.isResting) ?? driven.first
          else { break }
          remove(oldest)
          await group.next()
        }
        driven.append(lane)
        group.addTask {
          await lane.run()
          self.remove(lane)
        }
      }
    }
    opening.finish()
    for lane in lanes.withLock({ $0.values }) { lane.abandon() }
  }

  /// A place for `seat` in the lane of a plan.
  ///
  /// - Parameters:
  ///   - isAlone: in a lane that nobody else finds.
  ///   - open: makes a lane where there is none.
  func enter(
    _ seat: LaneSeat, plan: PlanID, alone isAlone: Bool, open: () -> Lane
  ) -> (Lane, SeatID) {
    while true {
      let (lane, isNew) = lanes.withLock { lanes in
        if !isAlone, let lane = lanes[plan] { return (lane, false) }
        let lane = open()
        if !isAlone { lanes[plan] = lane }
        return (lane, true)
      }
      if let id = lane.enter(seat) {
        if isNew, case .terminated = opening.yield(lane) { lane.abandon() }
        return (lane, id)
      }
      remove(lane)
    }
  }

  /// Plans are made from another view from now on: no lane is kept open for those of the last one.
  func retireAll() { for lane in lanes.withLock({ $0.values }) { lane.retire() } }

  /// Nobody joins it any more, so that it comes to its end.
  private func remove(_ lane: Lane) {
    lane.retire()
    lanes.withLock { lanes in
      if lanes[lane.term.plan.id] === lane { lanes[lane.term.plan.id] = nil }
    }
  }
}
