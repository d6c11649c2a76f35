// Samples a story for its picture.

internal import ShoalProtocol

extension ControlWorld {
  func startTimeline() {
    var timeline = Timeline()
    let sample = { (moment: Moment) in
      Int(moment.nanoseconds / 1_000_000) / Timeline.interval
    }
    let ends = schedule.faults.compactMap { $0.until ?? $0.at }
    let first = sample(options.churnStart)
    timeline.churn = first...max(first, sample(ends.max() ?? options.churnStart))
    self.timeline = timeline
    agenda.add(.sample, at: now)
  }

  func sample() {
    let running = running
    var views: [ViewID: Int] = [:]
    for number in running {
      if let view = peers[number].epochs.standing { views[view.id, default: 0] += 1 }
    }
    let held = peers.map { peer -> Int? in
      guard peer.isRunning else { return nil }
      let assigned = peer.store.assigned
      return assigned.isEmpty
        ? 0 : 1_000 * assigned.intersection(peer.disk.atoms).count / assigned.count
    }
    let live = holders.live
    timeline?.add(
      Timeline.Sample(
        agreeingPerMille: 1_000 * (views.values.max() ?? 0) / max(1, running.count),
        running: running.count,
        atoms: (
          none: live.count { $0 == 0 }, one: live.count { $0 == 1 }, more: live.count { $0 > 1 }
        ), held: held))
    agenda.add(.sample, at: now + .milliseconds(Int64(Timeline.interval)))
  }
}
