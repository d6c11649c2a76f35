// Atoms that this peer computes with, opened and verified once: the rank of the next term finds
// those of the last one and hashes only what is new.

internal import ShoalInference
internal import ShoalProtocol
private import Synchronization

final class AtomCache: Sendable {
  private struct State {
    var atoms: [BlobID: AtomBlob] = [:]
    var users = 0
    var idleSince: Moment?
  }

  /// A job that lost a peer comes back at once. After that, damage on the disk is to be noticed.
  private static let memory = Duration.seconds(5)

  private let library: ModelLibrary
  private let state = Mutex(State())

  init(library: ModelLibrary) { self.library = library }

  /// A rank begins to use atoms.
  func enter(at now: Moment) {
    state.withLock { state in
      if let since = state.idleSince, now - since >= Self.memory { state.atoms = [:] }
      state.idleSince = nil
      state.users += 1
    }
  }

  func leave(at now: Moment) {
    state.withLock { state in
      state.users -= 1
      if state.users == 0 { state.idleSince = now }
    }
  }

  /// Opens an atom, checking its bytes where nobody has. Blocks on the disk.
  func atom(_ entry: AtomEntry) throws -> AtomBlob {
    if let known = state.withLock({ $0.atoms[entry.blob] }) { return known }
    let atom = try library.atom(entry)
    state.withLock { $0.atoms[entry.blob] = atom }
    return atom
  }
}
