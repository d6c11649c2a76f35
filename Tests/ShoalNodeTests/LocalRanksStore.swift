// A blob store in memory, with room for as much as a test says.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import Synchronization

extension AlignedBytes {
  static func copy(_ bytes: [UInt8]) -> AlignedBytes {
    let copy = AlignedBytes(count: bytes.count)
    unsafe copy.mutableBytes.copyBytes(from: bytes)
    return copy
  }
}

/// A blob as the store lends it.
private final class MemoryBlob: MappedBlob {
  private let storage: AlignedBytes
  var bytes: UnsafeRawBufferPointer { unsafe storage.bytes }
  init(_ storage: AlignedBytes) { self.storage = storage }
}

/// Blobs by hash. Fetches under way are bytes that grow.
final class MemoryBlobStore: BlobStore {
  private struct State {
    var blobs: [BlobID: AlignedBytes] = [:]
    var parts: [BlobID: [UInt8]] = [:]
    var quarantined: [BlobID] = []
    var room: UInt64
  }
  private let state: Mutex<State>

  init(room: UInt64 = 1 << 40) { state = Mutex(State(room: room)) }

  var quarantined: [BlobID] { state.withLock { $0.quarantined } }

  func allow(_ room: UInt64) { state.withLock { $0.room = room } }

  /// Changes the bytes of a blob behind the store's back, as a failing disk does.
  func damage(_ id: BlobID, _ body: (inout [UInt8]) -> Void) {
    state.withLock { state in
      guard let blob = state.blobs[id] else { return }
      var bytes = unsafe Array(blob.bytes)
      body(&bytes)
      state.blobs[id] = .copy(bytes)
    }
  }

  func contains(_ id: BlobID) -> Bool { state.withLock { $0.blobs[id] != nil } }

  func put(_ id: BlobID, _ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    let copy = unsafe AlignedBytes.copy(Array(bytes))
    try keep(id, copy)
  }

  private func keep(_ id: BlobID, _ blob: AlignedBytes) throws(BlobStoreError) {
    let found = unsafe BLAKE2b.hash(blob.bytes)
    guard found == id.raw else { throw .corrupt(id, found: found) }
    let missing = state.withLock { state -> UInt64? in
      if state.blobs[id] != nil { return nil }
      guard UInt64(blob.count) <= state.room else { return state.room }
      state.room -= UInt64(blob.count)
      state.blobs[id] = blob
      return nil
    }
    if let missing {
      throw .diskFull(path: "memory", need: ByteCount(blob.count), available: ByteCount(missing))
    }
  }

  func partialCount(_ id: BlobID) -> UInt64 {
    state.withLock { UInt64($0.parts[id]?.count ?? 0) }
  }

  func append(
    _ bytes: UnsafeRawBufferPointer, to id: BlobID, at offset: UInt64
  ) throws(BlobStoreError) {
    let expected = partialCount(id)
    guard offset == expected else { throw .offset(id, expected: expected, given: offset) }
    let piece = unsafe Array(bytes)
    state.withLock { $0.parts[id, default: []] += piece }
  }

  func finish(_ id: BlobID) throws(BlobStoreError) {
    guard let part = state.withLock({ $0.parts.removeValue(forKey: id) }) else {
      throw .missing(id)
    }
    try keep(id, .copy(part))
  }

  func abandon(_ id: BlobID) { state.withLock { $0.parts[id] = nil } }

  func map(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    guard let blob = state.withLock({ $0.blobs[id] }) else { throw .missing(id) }
    return MemoryBlob(blob)
  }

  func verify(_ id: BlobID) throws(BlobStoreError) -> Bool {
    unsafe BLAKE2b.hash(try map(id).bytes) == id.raw
  }

  func quarantine(_ id: BlobID) throws(BlobStoreError) {
    guard state.withLock({ $0.blobs.removeValue(forKey: id) }) != nil else { throw .missing(id) }
    state.withLock { $0.quarantined.append(id) }
  }

  func remove(_ id: BlobID) { state.withLock { $0.blobs[id] = nil } }

  func list() -> [BlobID] { state.withLock { $0.blobs.keys.sorted() } }

  func totalBytes() -> ByteCount {
    ByteCount(state.withLock { $0.blobs.values.reduce(0) { $0 + $1.count } })
  }

  func freeBytes() -> ByteCount { ByteCount(state.withLock { $0.room }) }
}
