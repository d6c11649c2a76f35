// The blob store: whole or not there, resumable, and corrupt bytes out of use.

import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

/// FNV-1a over eight lanes: enough to tell blobs of a test apart.
private let hash: ContentHash = { bytes in
  var lanes = [UInt8](repeating: 0, count: 32)
  var state: UInt64 = 0xcbf2_9ce4_8422_2325
  for (position, byte) in unsafe Array(bytes).enumerated() {
    state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
    lanes[position % 32] ^= UInt8(truncatingIfNeeded: state >> 24)
  }
  return Bytes32(lanes) ?? .zero
}

private func id(_ bytes: [UInt8]) -> BlobID {
  BlobID(unsafe bytes.withUnsafeBytes { unsafe hash($0) })
}

extension DirectoryBlobStore {
  fileprivate func put(_ id: BlobID, _ bytes: [UInt8]) throws {
    try unsafe bytes.withUnsafeBytes { unsafe try put(id, $0) }
  }
  fileprivate func append(_ bytes: [UInt8], to id: BlobID, at offset: UInt64) throws {
    try unsafe bytes.withUnsafeBytes { unsafe try append($0, to: id, at: offset) }
  }
  fileprivate func bytes(_ id: BlobID) throws -> [UInt8] {
    let blob = try map(id)
    return unsafe Array(blob.bytes)
  }
}

@Suite struct BlobStoreTests {
  let folder: TemporaryFolder
  let store: DirectoryBlobStore
  let blob = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 5) }

  init() throws {
    folder = try TemporaryFolder()
    store = unsafe try DirectoryBlobStore(root: folder.path, hash: hash)
  }

  private func reopened() throws -> DirectoryBlobStore {
    unsafe try DirectoryBlobStore(root: folder.path, hash: hash)
  }

  /// Two holders give atoms at once, and both begin the same folder.
  @Test("threads that keep blobs at once do not stumble over each other's folders")
  func together() throws {
    let blobs = (0..<8).map { number in [7, UInt8(number), 3, 4] }
    let failures = Mutex<[String]>([])
    for round in 0..<30 {
      let store = unsafe try DirectoryBlobStore(root: "\(folder.path)/\(round)", hash: hash)
      DispatchQueue.concurrentPerform(iterations: blobs.count) { number in
        do { try store.put(id(blobs[number]), blobs[number]) } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(try store.list().count == blobs.count)
    }
    #expect(failures.withLock { $0 }.isEmpty)
  }

  @Test("a blob that was put is there after a restart, and counted")
  func put() throws {
    let other: [UInt8] = [1, 2, 3]
    try store.put(id(blob), blob)
    try store.put(id(other), other)
    try store.put(id(other), other)
    let again = try reopened()
    #expect(try again.bytes(id(blob)) == blob)
    #expect(try again.list() == [id(blob), id(other)].sorted())
    #expect(try again.totalBytes() == ByteCount(100_003))
    #expect(try again.freeBytes() > .zero)
    try again.remove(id(other))
    #expect(!again.contains(id(other)))
    #expect(throws: BlobStoreError.missing(id(other))) { try again.map(id(other)) }
  }

  @Test("bytes of another hash are refused and leave nothing")
  func putCorrupt() throws {
    let found = id([9]).raw
    #expect(throws: BlobStoreError.corrupt(id(blob), found: found)) { try store.put(id(blob), [9]) }
    #expect(try store.list().isEmpty)
  }

  @Test("a fetch goes on after a restart where it stopped")
  func resume() throws {
    let id = id(blob)
    try store.append(Array(blob[..<30_000]), to: id, at: 0)
    let again = try reopened()
    #expect(again.partialCount(id) == 30_000)
    #expect(!again.contains(id))
    #expect(throws: BlobStoreError.offset(id, expected: 30_000, given: 40_000)) {
      try again.append([1], to: id, at: 40_000)
    }
    try again.append(Array(blob[30_000...]), to: id, at: 30_000)
    try again.finish(id)
    #expect(try again.bytes(id) == blob)
    #expect(again.partialCount(id) == 0)
  }

  @Test("a fetch of wrong bytes ends in quarantine and starts over")
  func corruptPart() throws {
    let id = id(blob)
    var wrong = blob
    wrong[77_777] ^= 4
    try store.append(wrong, to: id, at: 0)
    #expect(throws: BlobStoreError.self) { try store.finish(id) }
    #expect(!store.contains(id))
    #expect(store.partialCount(id) == 0)
    let kept = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/quarantine")
    #expect(kept == ["\(id.raw.hex).part"])
    #expect(throws: BlobStoreError.missing(id)) { try store.finish(id) }
  }

  @Test("a bit that flips on disk is seen, and quarantine takes the blob out of use")
  func flippedBit() throws {
    let id = id(blob)
    try store.put(id, blob)
    #expect(try store.verify(id))
    let hex = id.raw.hex
    let path = "\(folder.path)/blobs/\(hex.prefix(2))/\(hex)"
    var flipped = blob
    flipped[50_000] ^= 1
    try Data(flipped).write(to: URL(filePath: path))
    #expect(try !store.verify(id))
    try store.quarantine(id)
    #expect(!store.contains(id))
    try store.put(id, blob)
    #expect(try store.verify(id))
  }

  @Test("an abandoned fetch is gone; abandoning nothing is no error")
  func abandon() throws {
    let id = id(blob)
    try store.append([1, 2], to: id, at: 0)
    try store.abandon(id)
    try store.abandon(id)
    #expect(store.partialCount(id) == 0)
  }

  @Test(
    "a full disk is a typed error and leaves no half piece",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func diskFull() throws {
    // The part is a device on which every write finds no space.
    let id = id(blob)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/parts/\(id.raw.hex).part", withDestinationPath: "/dev/full")
    let error = #expect(throws: BlobStoreError.self) { try store.append(blob, to: id, at: 0) }
    guard case .diskFull(_, let need, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(need == ByteCount(blob.count))
    #expect(!store.contains(id))
  }
}
