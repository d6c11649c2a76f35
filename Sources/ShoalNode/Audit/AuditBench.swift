// What one rank audits next: opened beside its thread, so that no step waits for a disk.

package import ShoalInference
package import ShoalProtocol
private import Synchronization

package final class AuditBench: Sendable {
  /// Whose work is audited.
  package struct Subject: Sendable {
    /// Its place in the stage.
    let rank: Int
    let peer: PeerID
    let share: RankShare

    package init(rank: Int, peer: PeerID, share: RankShare) {
      self.rank = rank
      self.peer = peer
      self.share = share
    }
  }

  /// In which term of which lane.
  package struct Scene: Sendable {
    let job: JobID
    let term: Term
    let model: ModelID
    let manifest: ModelManifest

    package init(job: JobID, term: Term, model: ModelID, manifest: ModelManifest) {
      self.job = job
      self.term = term
      self.model = model
      self.manifest = manifest
    }
  }

  private struct State {
    var choice: AuditChoice
    var generator: RandomSourceGenerator
    /// Chosen and not opened.
    var wanted: AuditTarget?
    var opened: (target: AuditTarget, model: RankModel)?
    var passed: [PeerID: Int] = [:]
  }

  private let auditing: Auditing
  private let scene: Scene
  private let subjects: [Int: Subject]
  private let clock: any MeshClock
  private let blob: @Sendable (AtomEntry) throws -> AtomBlob
  private let state: Mutex<State>
  private let alarm = Alarm()

  /// Opens the first target. Blocks on the disk.
  init(
    _ auditing: Auditing, _ scene: Scene, _ others: [Subject], _ choice: AuditChoice,
    _ generator: RandomSourceGenerator, clock: any MeshClock,
    blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob
  ) {
    self.auditing = auditing
    self.scene = scene
    self.clock = clock
    self.blob = blob
    subjects = Dictionary(others.map { ($0.rank, $0) }) { first, _ in first }
    state = Mutex(State(choice: choice, generator: generator))
    chooseNext()
    openWanted()
  }

  /// Nothing can be audited.
  var isEmpty: Bool { state.withLock { $0.opened == nil && $0.wanted == nil } }

  /// Opens what is chosen, until cancelled.
  package func run(in room: ThreadRoom) async {
    while !Task.isCancelled {
      await alarm.sleep(until: nil, clock)
      try? await room.perform { self.openWanted() }
    }
  }

  private func chooseNext() {
    state.withLock { $0.wanted = $0.choice.next(using: &$0.generator) }
  }

  /// What cannot be opened is not held: another target takes its place.
  private func openWanted() {
    while let target = state.withLock({ $0.wanted }) {
      guard let subject = subjects[target.rank] else { return }
      do {
        let model = try RankModel(
          manifest: scene.manifest,
          share: .feedForward(layer: target.layer, blocks: subject.share.blocks), blob: blob)
        state.withLock { state in
          state.opened = (target, model)
          state.wanted = nil
        }
      } catch {
        state.withLock { $0.choice.lost(target) }
        chooseNext()
      }
    }
  }

  // MARK: On the rank's thread

  /// What the step that begins is audited for; nil: nothing.
  func due() -> (target: AuditTarget, model: RankModel)? {
    state.withLock { state in
      guard let opened = state.opened,
        state.choice.isDue(opened.target, using: &state.generator)
      else { return nil }
      state.opened = nil
      return opened
    }
  }

  func passed(_ target: AuditTarget) {
    state.withLock { state in
      state.choice.passed(target)
      if let peer = subjects[target.rank]?.peer { state.passed[peer, default: 0] += 1 }
    }
    skipped()
  }

  /// It was not audited after all.
  func skipped() {
    chooseNext()
    alarm.ring()
  }

  /// Somebody said what is not so: it is kept, and a failure for the entry.
  func found(
    _ target: AuditTarget, sequence: UInt32, input: [Float], claimed: [Int64]
  ) -> JobFailure? {
    guard let subject = subjects[target.rank] else { return nil }
    auditing.found(
      Accusation(
        of: subject.peer, beside: subjects.values.map(\.peer).filter { $0 != subject.peer },
        model: scene.model, job: scene.job, term: scene.term,
        sequence: sequence, layer: target.layer, blocks: subject.share.blocks, input: input,
        claimed: claimed, by: auditing.identity))
    return .dishonest(subject.peer)
  }

  /// The rank takes no further step. Blocks on the disk.
  package func end() {
    auditing.passed(
      state.withLock { state in
        defer { state.passed = [:] }
        return state.passed
      })
  }
}
