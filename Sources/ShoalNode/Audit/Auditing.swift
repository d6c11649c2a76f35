// What this peer finds out about others by recomputing parts of their work: whom it does without
// from then on, and who is not new to it any more.

package import ShoalInference
package import ShoalProtocol
package import ShoalSecurity
private import Synchronization

extension Limits {
  /// Steps of which one is audited, where strangers may be or accounts are kept.
  package static let auditInterval = 64
}

package final class Auditing: Sendable {
  private struct State {
    var reputation: Reputation
    var trouble: String?
  }

  let identity: PeerIdentity
  let random: any RandomSource
  /// One step of so many; nil: none.
  private let interval: Int?
  private let store: AuditStore
  private let state: Mutex<State>
  /// One writes at a time, so that what is kept is never older than what was kept before.
  private let writing = Mutex(())

  package init(
    identity: PeerIdentity, interval: Int?, store: AuditStore, random: any RandomSource
  ) throws {
    self.identity = identity
    self.interval = interval
    self.store = store
    self.random = random
    state = Mutex(State(reputation: try store.reputation()))
  }

  /// What is known of others.
  package var reputation: Reputation { state.withLock { $0.reputation } }

  /// Why something could not be kept; it is known until this peer ends.
  package var trouble: String? { state.withLock { $0.trouble } }

  /// What one rank recomputes in one term, with the first of it opened. Nil: nothing, or nothing
  /// that it has the atoms for. Blocks on the disk.
  ///
  /// - Parameters:
  ///   - own: this rank's share.
  ///   - others: the other ranks of its stage.
  package func bench(
    _ scene: AuditBench.Scene, own: RankShare, others: [AuditBench.Subject],
    in library: ModelLibrary, clock: any MeshClock
  ) -> AuditBench? {
    guard let interval, scene.manifest.shape.hasSeparateFeedForward else { return nil }
    var choice = AuditChoice(interval: interval)
    var generator = RandomSourceGenerator(random)
    for other in others {
      // The others wait for this rank: an audit takes no longer than a step.
      guard other.share.blocks.count <= own.blocks.count * own.layers.count else { continue }
      choice.add(
        rank: other.rank, layers: library.layersHeld(of: other.share, scene.manifest),
        left: reputation.left(of: other.peer), using: &generator)
    }
    let bench = AuditBench(
      self, scene, others, choice, generator, clock: clock
    ) { try library.atom($0) }
    return bench.isEmpty ? nil : bench
  }

  /// So many parts of each were right. Blocks on the disk.
  func passed(_ audits: [PeerID: Int]) {
    guard !audits.isEmpty else { return }
    // Who is new no longer is not worth a write.
    let isNews = state.withLock { state in
      let isNews = audits.keys.contains { state.reputation.left(of: $0) > 0 }
      for (peer, count) in audits { state.reputation.passed(peer, audits: count) }
      return isNews
    }
    if isNews { keep { _ in } }
  }

  /// Blocks on the disk.
  func found(_ accusation: Accusation) {
    state.withLock {
      $0.reputation.foundWrong(accusation.suspect, beside: accusation.others)
    }
    keep { try $0.keep(accusation) }
  }

  private func keep(_ evidence: (AuditStore) throws -> Void) {
    writing.withLock { _ in
      do {
        try evidence(store)
        try store.keep(state.withLock { $0.reputation })
        state.withLock { $0.trouble = nil }
      } catch {
        state.withLock { $0.trouble = "\(error)" }
      }
    }
  }
}

extension ModelLibrary {
  /// Layers of a share whose feed-forward atoms are all here.
  fileprivate func layersHeld(of share: RankShare, _ manifest: ModelManifest) -> [Int] {
    let keys = { (layer: Int) in
      RankShare.feedForward(layer: layer, blocks: share.blocks).keys(manifest.cut)
    }
    let missing = Set(missing(manifest, share.layers.flatMap(keys)).map(\.key))
    return share.layers.filter { missing.isDisjoint(with: keys($0)) }
  }
}
