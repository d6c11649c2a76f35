// What goes wrong in one story, drawn from its seed before the story begins.

package import ShoalProtocol

/// Faults in the order of time. A story without some of them is still a story: that is how the
/// shortest one that goes wrong is found.
package struct FaultSchedule: Hashable, Sendable {
  package var faults: [TimedFault]

  package init(faults: [TimedFault]) { self.faults = faults }

  /// - Parameters:
  ///   - peers: those that run from the start; `reserve` more may join.
  ///   - window: when faults begin; all that end have ended a little after it.
  package init(
    kinds: Set<FaultKind>, peers: Int, reserve: Int, window: ClosedRange<Moment>,
    using random: inout SeededGenerator
  ) {
    var drawing = Drawing(peers: peers, reserve: reserve, window: window, random: random)
    // In the order of the declaration: a set has none.
    for kind in FaultKind.allCases where kinds.contains(kind) { drawing.draw(kind) }
    random = drawing.random
    faults = drawing.faults.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
  }
}

private struct Drawing {
  let peers: Int
  let reserve: Int
  let window: ClosedRange<Moment>
  var random: SeededGenerator
  var faults: [TimedFault] = []
  /// Each peer of the reserve joins once.
  private var joined = 0
  /// Crashed, left, replaced by a twin: one such fate a peer.
  private var fated: Set<Int> = []

  init(peers: Int, reserve: Int, window: ClosedRange<Moment>, random: SeededGenerator) {
    (self.peers, self.reserve, self.window, self.random) = (peers, reserve, window, random)
  }

  /// A few more in a larger mesh, but not in proportion: about one event in two seconds.
  private var few: Int {
    mutating get { Int.random(in: 1...max(2, min(6, peers / 8)), using: &random) }
  }

  mutating func draw(_ kind: FaultKind) {
    switch kind {
    case .loss: weather { $0.lossPerMille = .random(in: 10...150, using: &$1) }
    case .duplication: weather { $0.duplicatePerMille = .random(in: 10...100, using: &$1) }
    case .reordering: weather { $0.jitter = 0...Int64.random(in: 1_000...30_000, using: &$1) }
    case .delay: weather { $0.jitter = 0...Int64.random(in: 30_000...500_000, using: &$1) }
    case .flip:
      weather { $0.flipPerMille = .random(in: 1...50, using: &$1) }
      for _ in 0..<few { add(.damage(anyone, pick: random.next())) }
    case .partition: for _ in 0..<2 { partition() }
    case .bandwidth:
      for _ in 0..<few {
        add(.throttle(anyone, bytesPerSecond: .random(in: 2_000...50_000, using: &random)), 2...10)
      }
    case .skew: break  // Clocks are drawn with the peers.
    case .slow:
      for _ in 0..<few {
        let cost = Duration.microseconds(Int64.random(in: 500...5_000, using: &random))
        add(.slow(anyone, perEvent: cost), 2...10)
      }
    case .stall: for _ in 0..<few { add(.stall(anyone), 1...20) }
    case .crash, .rollback: for _ in 0..<few { crash(rollsBack: kind == .rollback) }
    case .lie: for _ in 0..<few { add(.lie(anyone, about: anyone)) }
    case .twin: if let peer = fate() { add(.twin(of: peer, place: peers + reserve), 2...6) }
    case .join: for _ in 0..<min(few, reserve) { join() }
    case .leave: for _ in 0..<few { if let peer = fate() { add(.leave(peer)) } }
    }
  }

  private mutating func weather(
    _ change: (inout NetworkWeather, inout SeededGenerator) -> Void
  ) {
    var weather = NetworkWeather()
    change(&weather, &random)
    add(.weather(weather), 3...15)
  }

  private mutating func partition() {
    let size = Int.random(in: 1...max(1, peers / 2), using: &random)
    let island = Set((0..<peers).shuffled(using: &random).prefix(size))
    let rest = Set(0..<peers + reserve).subtracting(island)
    let start = moment()
    let end = start + .milliseconds(Int64.random(in: 300...8_000, using: &random))
    let way = Int.random(in: 0..<3, using: &random)
    if way != 1 { faults.append(.init(at: start, until: end, fault: .cut(from: island, to: rest))) }
    if way != 0 { faults.append(.init(at: start, until: end, fault: .cut(from: rest, to: island))) }
  }

  private mutating func crash(rollsBack: Bool) {
    guard let peer = fate() else { return }
    let disk: DiskMemory =
      !rollsBack
      ? .kept : random.happens(perMille: 300) ? .lost : .stale(.seconds(5))
    let back = Duration.seconds(rollsBack && random.happens(perMille: 500) ? 3_600 : 0)
    let returns = rollsBack || random.happens(perMille: 600)
    add(.crash(peer, disk: disk, clockBack: back), returns ? 1...12 : nil)
  }

  private mutating func join() {
    guard joined < reserve else { return }
    add(.join(peers + joined))
    joined += 1
  }

  private mutating func add(_ fault: Fault, _ seconds: ClosedRange<Int64>? = nil) {
    let start = moment()
    let end = seconds.map { range in
      start
        + .milliseconds(
          Int64.random(in: range.lowerBound * 1_000...range.upperBound * 1_000, using: &random))
    }
    faults.append(TimedFault(at: start, until: end, fault: fault))
  }

  private mutating func moment() -> Moment {
    let range = window.lowerBound.nanoseconds...window.upperBound.nanoseconds
    return Moment(nanoseconds: Int64.random(in: range, using: &random))
  }

  private var anyone: Int {
    mutating get { Int.random(in: 0..<peers, using: &random) }
  }

  /// Somebody to whom nothing final has happened; at most a third of the mesh meets its fate.
  private mutating func fate() -> Int? {
    guard fated.count < max(1, peers / 3) else { return nil }
    let peer = anyone
    return fated.insert(peer).inserted ? peer : nil
  }
}
