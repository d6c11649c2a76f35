// Plans and storage plans by view, computed once a view and again, now and then, to see whether
// everybody would get the same.

internal import ShoalProtocol
internal import ShoalSecurity

/// What follows from one set of capacities.
final class PlannedView {
  /// Nil where the model fits nowhere.
  let plan: PlanID?
  /// The plan in which everybody works, where peers are of several cliques: it has stages.
  let spread: PlanID?
  let hasStages: Bool
  /// The atoms that each rank computes with.
  let working: [PeerID: Set<Int>]
  let residentBytes: [PeerID: UInt64]
  /// Nil where there is no room for one copy.
  let storage: StoragePlan?

  init(
    plan: PlanID?, spread: PlanID?, hasStages: Bool, working: [PeerID: Set<Int>],
    residentBytes: [PeerID: UInt64], storage: StoragePlan?
  ) {
    self.plan = plan
    self.spread = spread
    self.hasStages = hasStages
    self.working = working
    self.residentBytes = residentBytes
    self.storage = storage
  }

  /// What is to be on the disk of `peer`, as ShardStore decides it.
  func assignment(of peer: PeerID) -> Set<Int> {
    var atoms = working[peer] ?? []
    if let storage, let place = storage.peers.firstIndex(of: peer) {
      atoms.formUnion(storage.atoms[place])
    }
    return atoms
  }

  var hash: UInt64 { plan?.raw.prefix64 ?? 0 }

  func equals(_ other: PlannedView) -> Bool {
    plan == other.plan && spread == other.spread && storage == other.storage
  }
}

struct PlanBook {
  private let model: SimulatedModel
  private var random: SeededGenerator
  /// A plan depends on the capacities alone: a new version of a record need not plan anew.
  private var planned: [[DeviceCapacity]: PlannedView] = [:]
  private var known: [ViewID: PlannedView] = [:]
  /// The keys of `planned`, the oldest first.
  private var order: [[DeviceCapacity]] = []
  private(set) var compared = 0
  private(set) var computed = 0
  /// Of those, plans of more than one pipeline stage.
  private(set) var staged = 0

  /// How often an adoption computes its plan from its own records: one in so many.
  private let sampling: Int
  /// Plans kept: views that come up again come soon.
  private static let kept = 256

  init(model: SimulatedModel, options: ControlOptions, random: SeededGenerator) {
    (self.model, self.random) = (model, random)
    sampling = options.isLarge ? 1_024 : 64
  }

  /// Whether the plan of a view is there.
  func knows(_ view: ViewID) -> Bool { known[view] != nil }

  /// The plan of `view` as one peer sees it. Nil: this peer got another than those before it.
  mutating func plan(_ view: MeshView) -> PlannedView? {
    guard let before = known[view.id] ?? find(view) else { return plan(anew: view) }
    known[view.id] = before
    guard Int.random(in: 0..<sampling, using: &random) == 0 else { return before }
    compared += 1
    // Whoever computes has the records in an order of its own.
    let again = compute(view.records.shuffled(using: &random))
    return again.equals(before) ? before : nil
  }

  private func find(_ view: MeshView) -> PlannedView? {
    planned[view.records.map { DeviceCapacity($0) }]
  }

  private mutating func plan(anew view: MeshView) -> PlannedView {
    computed += 1
    let (fresh, capacities) = (compute(view.records), view.records.map { DeviceCapacity($0) })
    if fresh.hasStages { staged += 1 }
    planned[capacities] = fresh
    known[view.id] = fresh
    order.append(capacities)
    if order.count > Self.kept, let oldest = planned.removeValue(forKey: order.removeFirst()) {
      known = known.filter { $0.value !== oldest }
    }
    if known.count > 16 * Self.kept { known = [:] }
    return fresh
  }

  private func compute(_ records: [CapabilityRecord]) -> PlannedView {
    let report = report(records, .latency)
    let isParted = Set(records.map(\.clique)).count > 1
    let spread = isParted ? self.report(records, .spread) : nil
    let capacities = records.map { StorageCapacity(DeviceCapacity($0)) }.filter {
      $0.bytes > .zero
    }
    let ranks =
      report?.plan.stages.flatMap { stage in stage.ranks.map { (rank: $0, layers: stage.layers) } }
      ?? []
    return PlannedView(
      plan: report.map { unsafe $0.plan.id(hash: BLAKE2b.contentHash) },
      spread: spread.map { unsafe $0.plan.id(hash: BLAKE2b.contentHash) },
      hasStages: [report, spread].contains { $0?.plan.stages.count ?? 0 > 1 },
      working: Dictionary(
        ranks.map { ($0.rank.peer, Set(model.atoms(of: $0.rank.slots, layers: $0.layers))) },
        uniquingKeysWith: { $1 }),
      residentBytes: Dictionary(
        ranks.map { ($0.rank.peer, $0.rank.residentBytes) }, uniquingKeysWith: { $1 }),
      storage: try? StoragePlan(
        model: model.id, sizes: model.sizes, over: capacities, copies: ControlWorld.copies))
  }

  /// Nil where the model fits nowhere.
  private func report(_ records: [CapabilityRecord], _ objective: PlanObjective) -> PlanReport? {
    let request = PlanRequest(
      shape: model.shape, objective: objective, contextTokens: SimulatedModel.context)
    return try? PlacementPlanner().plan(request, over: records.map { DeviceCapacity($0) })
  }

  /// Bytes of copies that `after` asks of peers that `before` did not, and what the change by
  /// itself needs: the copies of whoever went, or the share of whoever came.
  func movement(from before: PlannedView, to after: PlannedView) -> (moved: UInt64, ideal: UInt64)?
  {
    guard let before = before.storage, let after = after.storage else { return nil }
    let old = copies(before)
    let new = copies(after)
    let moved = new.subtracting(old)
    let gone = old.filter { !after.peers.contains($0.peer) }
    let come = new.filter { !before.peers.contains($0.peer) }
    return (bytes(moved), bytes(gone.union(come)))
  }

  private struct Copy: Hashable {
    let atom: Int
    let peer: PeerID
  }

  private func copies(_ plan: StoragePlan) -> Set<Copy> {
    Set(
      plan.peers.enumerated().flatMap { place, peer in
        plan.atoms[place].map { Copy(atom: $0, peer: peer) }
      })
  }

  private func bytes(_ copies: Set<Copy>) -> UInt64 {
    copies.reduce(0) { $0 + model.sizes[$1.atom] }
  }
}
