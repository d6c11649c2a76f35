// The atoms of one rank, opened by all workers at once: checking and copying their bytes is most of
// the time that a model takes to load.

internal import ShoalProtocol
private import Synchronization

struct OpenedAtoms: Sendable {
  private struct State {
    var atoms: [AtomKey: AtomBlob] = [:]
    var failure: (any Error)?
  }
  private let atoms: [AtomKey: AtomBlob]

  /// Opens every entry once, on whichever worker is free.
  ///
  /// - Throws: what `open` threw first. Entries that nobody has begun are then left alone.
  init(
    _ entries: [AtomEntry], workers: any Workers,
    _ open: @Sendable (AtomEntry) throws -> AtomBlob
  ) throws {
    let state = Mutex(State())
    workers.run(entries.count) { index in
      guard state.withLock({ $0.failure == nil }) else { return }
      let entry = entries[index]
      do {
        let atom = try open(entry)
        state.withLock { $0.atoms[entry.key] = atom }
      } catch {
        state.withLock { $0.failure = $0.failure ?? error }
      }
    }
    atoms = try state.withLock { state in
      if let failure = state.failure { throw failure }
      return state.atoms
    }
  }

  subscript(key: AtomKey) -> AtomBlob? { atoms[key] }
}
