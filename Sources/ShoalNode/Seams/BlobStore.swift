// The seam to content-addressed storage: a directory in production, memory in the simulator.

public import ShoalProtocol

/// Why a blob could not be kept or given.
public enum BlobStoreError: Error, Hashable, Sendable {
  case missing(BlobID)
  /// The bytes hash to something else. They are in quarantine.
  case corrupt(BlobID, found: Bytes32)
  case tooLarge(BlobID, limit: Int, size: UInt64)
  /// A piece that does not start where the part ends.
  case offset(BlobID, expected: UInt64, given: UInt64)
  /// Nothing was left half written.
  case diskFull(path: String, need: ByteCount, available: ByteCount)
  case system(call: String, path: String, code: Int32)
}

extension BlobStoreError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String {
    switch self {
    case .missing(let blob): "the blob \(blob) is not in this store"
    case .corrupt(let blob, let found):
      "the bytes of the blob \(blob) hash to \(found.hex); they were moved to quarantine"
    case .tooLarge(let blob, let limit, let size):
      "the blob \(blob) has \(size) bytes; at most \(limit) are kept"
    case .offset(let blob, let expected, let given):
      "a piece of the blob \(blob) begins at \(given), not at \(expected)"
    case .diskFull(let path, let need, let available):
      "the disk is full: \(path) needs \(need) more, \(available) are free"
    case .system(let call, let path, let code): "\(call) of \(path) failed (errno \(code))"
    }
  }
}

/// The bytes of a blob, mapped for as long as this object lives.
public protocol MappedBlob: AnyObject, Sendable {
  var bytes: UnsafeRawBufferPointer { get }
}

/// Blobs by the hash of their bytes. Calls block on the disk: make them on a thread of one's own
/// (an actor on a `ThreadExecutor`), never on the cooperative pool. All throw `BlobStoreError`.
public protocol BlobStore: Sendable {
  func contains(_ id: BlobID) -> Bool

  /// Keeps a whole blob, durably, after checking its hash. No effect where it is there already.
  func put(_ id: BlobID, _ bytes: UnsafeRawBufferPointer) throws(BlobStoreError)

  /// How much of an interrupted fetch is there; zero for none. It survives a restart.
  func partialCount(_ id: BlobID) -> UInt64

  /// Adds the next piece of a fetch. `offset` must be `partialCount`.
  func append(
    _ bytes: UnsafeRawBufferPointer, to id: BlobID, at offset: UInt64
  ) throws(BlobStoreError)

  /// Checks the hash of what was appended and keeps it as a blob. On `.corrupt` the part is in
  /// quarantine and the fetch starts over.
  func finish(_ id: BlobID) throws(BlobStoreError)

  /// Forgets what was fetched so far.
  func abandon(_ id: BlobID) throws(BlobStoreError)

  /// The whole blob, unverified since it was kept.
  func map(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob

  /// The same, of which single rows are wanted, far apart: the rest of it stays on disk.
  func mapRows(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob

  /// The same, to be computed with: kept in memory that is read fastest, where there is such. Later
  /// changes of the file are not seen.
  func load(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob

  /// Whether the bytes still hash to `id`.
  func verify(_ id: BlobID) throws(BlobStoreError) -> Bool

  /// Takes a corrupt blob out of use, and keeps its bytes for whoever asks what happened.
  func quarantine(_ id: BlobID) throws(BlobStoreError)

  func remove(_ id: BlobID) throws(BlobStoreError)

  /// All blobs, in ascending order.
  func list() throws(BlobStoreError) -> [BlobID]

  func totalBytes() throws(BlobStoreError) -> ByteCount

  /// What may still be stored.
  func freeBytes() throws(BlobStoreError) -> ByteCount
}

extension BlobStore {
  public func load(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob { try map(id) }
  public func mapRows(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob { try map(id) }
}
