// One peer's word about its disk: shared by those who give it, those who rely on it, and whoever
// makes room.

internal import ShoalProtocol
private import Synchronization

final class AtomKeeper: Sendable {
  private let keeping = Mutex(AtomKeeping())
  private let clock: any MeshClock

  init(clock: any MeshClock) { self.clock = clock }

  /// Nothing of `blobs` is dropped before the lease ends.
  func lease(_ blobs: [BlobID]) -> AtomLease {
    keeping.withLock { $0.lease(blobs) }
    return AtomLease(keeper: self, blobs: blobs)
  }

  fileprivate func release(_ blobs: [BlobID]) { keeping.withLock { $0.release(blobs) } }

  /// Binds this peer to keep those of `asked` that it holds and may; one answer for each. Looked up
  /// under the lock, so that nothing is removed between the look and the promise.
  func promise(_ asked: [BlobID], isHeld: (BlobID) -> Bool) -> [Bool] {
    let now = clock.now()
    return keeping.withLock { keeping in
      asked.map { isHeld($0) && keeping.promise([$0], at: now) == [true] }
    }
  }

  /// See `AtomKeeping`.
  func beginDrop(_ blobs: [BlobID]) -> [BlobID] {
    keeping.withLock { $0.beginDrop(blobs, at: clock.now()) }
  }

  func promised(_ blobs: [BlobID], by keeper: PeerID) {
    keeping.withLock { $0.promised(blobs, by: keeper) }
  }

  func commitDrop(_ blob: BlobID, copies: Int) -> Bool {
    keeping.withLock { $0.commitDrop(blob, copies: copies, at: clock.now()) }
  }

  func endDrop(_ blobs: [BlobID]) { keeping.withLock { $0.endDrop(blobs) } }
}

/// Keeps blobs on the disk until it ends.
struct AtomLease: Sendable {
  fileprivate let keeper: AtomKeeper
  fileprivate let blobs: [BlobID]

  /// Once.
  func end() { keeper.release(blobs) }
}
