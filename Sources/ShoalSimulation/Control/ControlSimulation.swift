// Runs stories of the control plane, and finds the shortest form of one that goes wrong.

internal import ShoalProtocol

/// What to simulate, for any number of seeds.
package struct ControlSimulation: Sendable {
  private let options: ControlOptions
  package let peers: Int
  /// Whether the first telling is sampled for a picture.
  private let draws: Bool

  package init(
    peers: Int, faults: Set<FaultKind> = FaultKind.all, topology: LinkTopology = .lan,
    draws: Bool = false
  ) {
    self.peers = peers
    self.draws = draws
    options = ControlOptions(peers: peers, faults: faults, topology: topology)
  }

  /// One seed. A story that breaks an invariant is told again with fewer faults, as long as it
  /// breaks the same one; not in a large mesh, where each telling takes minutes.
  package func run(seed: UInt64, shortening: Bool = true) throws -> SeedResult {
    var (result, schedule) = try ControlStory.run(options, seed: seed, draws: draws)
    guard let violation = result.violation else { return result }
    result.shortest = schedule.faults.map(\.description)
    guard shortening, !options.isLarge else { return result }
    return try shorten(result, violation, schedule)
  }

  /// Delta debugging (Zeller and Hildebrandt 2002) in its plainest form: leaves out ever smaller
  /// pieces of the schedule.
  private func shorten(
    _ first: SeedResult, _ violation: Violation, _ schedule: FaultSchedule
  ) throws -> SeedResult {
    var best = (result: first, faults: schedule.faults)
    var size = max(1, best.faults.count / 2)
    var attempts = 0
    while size >= 1, attempts < Self.mostAttempts, !best.faults.isEmpty {
      var start = 0
      while start < best.faults.count, attempts < Self.mostAttempts {
        attempts += 1
        var fewer = best.faults
        fewer.removeSubrange(start..<min(start + size, fewer.count))
        let (result, _) = try ControlStory.run(
          options, seed: first.seed, schedule: FaultSchedule(faults: fewer))
        if result.violation?.invariant == violation.invariant {
          best = (result, fewer)
        } else {
          start += size
        }
      }
      size = size > 1 ? size / 2 : 0
    }
    best.result.shortest = best.faults.map(\.description)
    return best.result
  }

  private static let mostAttempts = 48
}
