// The disk of a simulated peer: blobs and documents in memory, which outlive its processes.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol
internal import ShoalSecurity

/// A blob as the disk lends it.
private final class LentBlob: MappedBlob {
  private let storage: AlignedBytes
  var bytes: UnsafeRawBufferPointer { unsafe storage.bytes }
  init(_ storage: AlignedBytes) { self.storage = storage }
}

/// Touched only by whoever has the turn.
final class VirtualDisk: BlobStore, DocumentStore, @unchecked Sendable {
  private var blobs: [BlobID: AlignedBytes] = [:]
  private var parts: [BlobID: [UInt8]] = [:]
  private var documents: [String: [UInt8]] = [:]
  private(set) var quarantined = 0
  /// Blobs that its processes gave up to make room.
  private(set) var removed = 0
  private var room: UInt64
  /// A process that is gone writes nothing more, even if its last calls still run.
  var isReadOnly = false

  init(room: ByteCount) { self.room = room.bytes }

  /// What the next process finds. This one is closed for good.
  func succession() -> VirtualDisk {
    isReadOnly = true
    let next = VirtualDisk(room: ByteCount(room))
    (next.blobs, next.parts, next.documents) = (blobs, parts, documents)
    next.removed = removed
    return next
  }

  func contains(_ id: BlobID) -> Bool { blobs[id] != nil }

  func put(_ id: BlobID, _ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    try keep(id, unsafe Array(bytes))
  }

  private func keep(_ id: BlobID, _ bytes: [UInt8]) throws(BlobStoreError) {
    let found = BLAKE2b.hash(bytes)
    guard found == id.raw else { throw .corrupt(id, found: found) }
    guard blobs[id] == nil, !isReadOnly else { return }
    guard UInt64(bytes.count) <= room else {
      throw .diskFull(
        path: "memory", need: ByteCount(bytes.count), available: ByteCount(room))
    }
    room -= UInt64(bytes.count)
    let copy = AlignedBytes(count: bytes.count)
    unsafe copy.mutableBytes.copyBytes(from: bytes)
    blobs[id] = copy
  }

  func partialCount(_ id: BlobID) -> UInt64 { UInt64(parts[id]?.count ?? 0) }

  func append(
    _ bytes: UnsafeRawBufferPointer, to id: BlobID, at offset: UInt64
  ) throws(BlobStoreError) {
    let expected = partialCount(id)
    guard offset == expected else { throw .offset(id, expected: expected, given: offset) }
    if !isReadOnly { parts[id, default: []] += unsafe Array(bytes) }
  }

  func finish(_ id: BlobID) throws(BlobStoreError) {
    guard let part = parts.removeValue(forKey: id) else { throw .missing(id) }
    try keep(id, part)
  }

  func abandon(_ id: BlobID) { parts[id] = nil }

  func map(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    guard let blob = blobs[id] else { throw .missing(id) }
    return LentBlob(blob)
  }

  func verify(_ id: BlobID) throws(BlobStoreError) -> Bool {
    unsafe BLAKE2b.hash(try map(id).bytes) == id.raw
  }

  func quarantine(_ id: BlobID) throws(BlobStoreError) {
    guard blobs.removeValue(forKey: id) != nil else { throw .missing(id) }
    quarantined += 1
  }

  func remove(_ id: BlobID) {
    guard !isReadOnly, let blob = blobs.removeValue(forKey: id) else { return }
    room += UInt64(blob.count)
    removed += 1
  }
  func list() -> [BlobID] { blobs.keys.sorted() }
  func totalBytes() -> ByteCount { ByteCount(blobs.values.reduce(0) { $0 + $1.count }) }
  func freeBytes() -> ByteCount { ByteCount(room) }

  /// Flips a bit of a blob behind the store's back, as a failing disk does. What is mapped already
  /// stays as it was: it is in memory.
  func damage(_ id: BlobID, pick: UInt64) {
    guard let blob = blobs[id], blob.count > 0 else { return }
    let copy = AlignedBytes(count: blob.count)
    unsafe copy.mutableBytes.copyBytes(from: blob.bytes)
    unsafe copy.mutableBytes[Int(pick >> 8) % blob.count] ^= 1 << UInt8(pick % 8)
    blobs[id] = copy
  }

  // MARK: Documents

  func read(_ name: String) -> [UInt8]? { documents[name] }
  func write(_ name: String, _ bytes: [UInt8], isSecret: Bool) {
    if !isReadOnly { documents[name] = bytes }
  }
  func remove(_ name: String) { documents[name] = nil }
}
