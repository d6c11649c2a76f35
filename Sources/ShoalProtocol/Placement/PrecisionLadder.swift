// Which format each peer's atoms have, where a plan may choose: as the model is stored, or lower on
// the peers that lack memory for it.

/// The model as it is stored, and below it in lower formats: the same slots, fewer bytes.
package struct PrecisionLadder: Sendable {
  /// One format of the whole model.
  package struct Rung: Sendable {
    package let shape: ModelShape
    /// As one stage.
    package let work: StageWork
    /// Of a slot's bytes as stored, 65,536ths, of any kind: at least what it keeps here.
    private let ratio: UInt64

    fileprivate init(_ shape: ModelShape, _ work: StageWork, stored: StageWork) {
      self.shape = shape
      self.work = work
      ratio = SlotKind.allCases.map { work.kinds[$0].ratio(to: stored.kinds[$0]) }.max() ?? 1 << 16
    }

    /// Room for slots of this format, in bytes of the stored one: whatever slots fit into it there
    /// fit into `room` here.
    func storedRoom(_ room: UInt64) -> UInt64 {
      Saturating.ratio(room, times: 1 << 16, over: max(1, ratio)).quotient
    }

    /// A rate in bytes of this format, in bytes of the stored one.
    func storedRate(_ rate: UInt64, _ stored: StageWork) -> UInt64 {
      Saturating.ratio(rate, times: stored.totalReadBytes, over: max(1, work.totalReadBytes))
        .quotient
    }
  }

  /// As stored first, then ever fewer bytes.
  package let rungs: [Rung]

  package init(_ request: PlanRequest) throws(PlanError) {
    let stored = try StageWork(request.shape, contextTokens: request.contextTokens)
    var rungs = [Rung(request.shape, stored, stored: stored)]
    for shape in request.lower {
      let work = try StageWork(shape, contextTokens: request.contextTokens)
      try PrecisionLadder.check(work, has: stored)
      rungs.append(Rung(shape, work, stored: stored))
    }
    self.rungs = rungs
  }

  package var stored: StageWork { rungs[0].work }

  private static func check(_ lower: StageWork, has stored: StageWork) throws(PlanError) {
    for kind in SlotKind.allCases where lower.kinds[kind].count != stored.kinds[kind].count {
      throw .shape(
        field: "slots in a lower format", value: lower.kinds[kind].count,
        limit: stored.kinds[kind].count)
    }
  }

  /// Where a peer begins: at the first format that it has a rate for, and where everybody is to
  /// work, that leaves it room for a slot of each kind. Nil: it has no rate for any.
  func start(_ capacity: DeviceCapacity, _ objective: PlanObjective) -> Int? {
    let rated = rungs.indices.filter {
      capacity.decodeBytesPerSecond[rungs[$0].shape.precision] > 0
    }
    guard objective == .spread else { return rated.first }
    let memory = Entrants.offered(capacity)
    return rated.first { rungs[$0].work.oneOfEachBytes <= memory } ?? rated.last
  }
}

/// Formats of peers that fall, one peer after the other, until the model fits.
package struct PrecisionFall: Sendable {
  /// Which rung each peer stands on; nobody is on a rung without a rate.
  package private(set) var levels: [PeerID: Int]
  /// Whoever offers least falls first.
  private let order: [DeviceCapacity]
  private let ladder: PrecisionLadder
  private var next = 0
  private var target = 1
  /// Peers that fall at once: a plan is tried at most some 16 times a rung.
  private let stride: Int

  package init(
    _ ladder: PrecisionLadder, _ capacities: [DeviceCapacity], _ objective: PlanObjective
  ) {
    self.ladder = ladder
    order = capacities.sorted { ($0.usableMemory, $0.peer) < ($1.usableMemory, $1.peer) }
    levels = [:]
    for capacity in capacities { levels[capacity.peer] = ladder.start(capacity, objective) }
    stride = max(1, capacities.count / 16)
  }

  /// Lets the next peers fall by one rung. False: all stand on the lowest one that they can.
  package mutating func fall() -> Bool {
    var fallen = 0
    while target < ladder.rungs.count {
      while next < order.count, fallen < stride {
        let capacity = order[next]
        next += 1
        let rate = capacity.decodeBytesPerSecond[ladder.rungs[target].shape.precision]
        guard let level = levels[capacity.peer], level < target, rate > 0 else { continue }
        levels[capacity.peer] = target
        fallen += 1
      }
      if fallen > 0 { return true }
      target += 1
      next = 0
    }
    return false
  }
}
