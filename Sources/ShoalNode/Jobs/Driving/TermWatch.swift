// Looks, beside a running term, for a plan that would carry the rest of the job better.

internal import ShoalProtocol
private import Synchronization

extension Limits {
  /// Between two looks: records change at most every ten seconds.
  static let moveLook = Duration.seconds(1)
}

/// The term gives way to a better plan: the next begins where this one stopped.
struct TermMoved: Error {}

final class TermWatch: Sendable {
  private struct State {
    var move: TermMove
    var lastToken: Moment?
    var isDue = false
  }

  private let driver: JobDriver
  private let work: JobInHand
  private let plan: MeshPlan
  private let distrusted: Set<PeerID>
  private let state: Mutex<State>

  init(_ driver: JobDriver, _ work: JobInHand, _ plan: MeshPlan, distrusted: Set<PeerID>) {
    self.driver = driver
    self.work = work
    self.plan = plan
    self.distrusted = distrusted
    state = Mutex(State(move: TermMove(estimate: plan.tokenEstimate)))
  }

  /// On the lane's thread, after each token. Throws `TermMoved` where the rest of the job is to go
  /// elsewhere.
  ///
  /// - Parameter isAlone: a step with other jobs in it takes longer, and says nothing of the plan.
  func chosen(isAlone: Bool) throws {
    let now = driver.clock.now()
    let isDue = state.withLock { state in
      if isAlone, let last = state.lastToken { state.move.note(now - last) }
      state.lastToken = isAlone ? now : nil
      return state.isDue
    }
    if isDue, coming > 0 { throw TermMoved() }
  }

  /// Until cancelled, or until a move is due.
  func run() async {
    var seen: ViewID?
    var other: MeshPlan?
    while !state.withLock({ $0.isDue }) {
      do { try await driver.clock.sleep(until: driver.clock.now() + Limits.moveLook) } catch {
        return
      }
      let view = await driver.membership.view()
      if view.id != seen {
        seen = view.id
        other = try? MeshPlan(
          model: work.record.model, manifest: work.manifest, records: view.records,
          objective: work.record.objective, context: plan.context, distrusted: distrusted)
      }
      guard let other, other.id != plan.id, pays(other, missing: 0) else { continue }
      let missing = await driver.store.mostMissing(of: other, work.manifest)
      if let missing, pays(other, missing: missing) { state.withLock { $0.isDue = true } }
    }
  }

  private func pays(_ other: MeshPlan, missing: UInt64) -> Bool {
    let prospect = TermMove.Prospect(
      estimate: other.tokenEstimate, missingBytes: missing, known: work.record.log.count,
      coming: coming)
    return state.withLock { $0.move.pays(prospect) }
  }

  /// Tokens that may still come.
  private var coming: Int {
    let record = work.record
    return min(
      record.order.maximumTokens - record.generated.count,
      record.order.context - record.log.count)
  }
}
