// Blobs in a folder: one file each, whole or not there.

import Foundation
public import ShoalNode
public import ShoalProtocol
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `ROOT/blobs/ab/<64 hex>`, fetches under way in `ROOT/parts/<hex>.part`, corrupt ones in
/// `ROOT/quarantine/<hex>`.
///
/// A blob appears by rename after its bytes are on the disk, so that a crash leaves either the
/// whole blob or none. One process per folder, one writer per blob.
@safe public final class DirectoryBlobStore: BlobStore {
  private let root: String
  private let hash: ContentHash
  /// The files whose bytes were found to be what their names say.
  private let verified = Mutex<[BlobID: FileStamp]>([:])
  private let resident = ResidentBlobs()

  /// Makes the folders that are missing.
  ///
  /// - Parameter hash: what ids are made by; this module knows no cryptography.
  public init(root: String, hash: @escaping ContentHash) throws(BlobStoreError) {
    self.root = root
    unsafe self.hash = hash
    for folder in ["blobs", "parts", "quarantine"] { try makeFolder("\(root)/\(folder)") }
  }

  public func contains(_ id: BlobID) -> Bool { size(blobPath(id)) != nil }

  public func put(_ id: BlobID, _ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    guard !contains(id) else { return }
    try checkSize(id, UInt64(bytes.count))
    let found = unsafe hash(bytes)
    guard found == id.raw else { throw .corrupt(id, found: found) }
    let temporary = "\(root)/parts/\(id.raw.hex).put"
    do throws(BlobStoreError) {
      let file = try BlobFile(temporary, .replace)
      unsafe try file.write(bytes, at: 0)
      try file.synchronize()
    } catch {
      discard(temporary)
      throw error
    }
    try publish(temporary, id)
  }

  public func partialCount(_ id: BlobID) -> UInt64 { size(partPath(id)) ?? 0 }

  public func append(
    _ bytes: UnsafeRawBufferPointer, to id: BlobID, at offset: UInt64
  ) throws(BlobStoreError) {
    let expected = partialCount(id)
    guard offset == expected else { throw .offset(id, expected: expected, given: offset) }
    try checkSize(id, offset + UInt64(bytes.count))
    let file = try BlobFile(partPath(id), .extend)
    do throws(BlobStoreError) {
      unsafe try file.write(bytes, at: offset)
    } catch {
      // A piece counts whole or not at all.
      file.truncate(to: offset)
      throw error
    }
  }

  public func finish(_ id: BlobID) throws(BlobStoreError) {
    guard size(partPath(id)) != nil else { throw .missing(id) }
    let found = try hashOfFile(partPath(id))
    guard found == id.raw else {
      try move(partPath(id), "\(root)/quarantine/\(id.raw.hex).part")
      throw .corrupt(id, found: found)
    }
    try BlobFile(partPath(id), .extend).synchronize()
    try publish(partPath(id), id)
  }

  public func abandon(_ id: BlobID) throws(BlobStoreError) {
    if size(partPath(id)) != nil { try delete(partPath(id)) }
  }

  public func map(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    guard contains(id) else { throw .missing(id) }
    return try mapped(blobPath(id))
  }

  public func mapRows(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    guard contains(id) else { throw .missing(id) }
    let file = try mapped(blobPath(id))
    file.expectScatteredReads()
    return file
  }

  public func load(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    guard contains(id) else { throw .missing(id) }
    return try resident.blob(id) { () throws(BlobStoreError) in try mapped(blobPath(id)) }
  }

  public func verify(_ id: BlobID) throws(BlobStoreError) -> Bool {
    let path = blobPath(id)
    guard let stamp = FileStamp(path) else { throw .missing(id) }
    // Each job asks for each of its atoms: only what has changed is read again.
    if verified.withLock({ $0[id] == stamp }) { return true }
    let isGood = try hashOfFile(path) == id.raw
    verified.withLock { $0[id] = isGood ? stamp : nil }
    return isGood
  }

  /// Asks the system to forget the blob's pages, so that the next look comes from disk. A
  /// measurement's aid: nothing else gains by it.
  public func dropFromCache(_ id: BlobID) throws(BlobStoreError) {
    try BlobFile(blobPath(id), .extend).dropFromCache()
  }

  public func quarantine(_ id: BlobID) throws(BlobStoreError) {
    guard contains(id) else { throw .missing(id) }
    resident.forget(id)
    try move(blobPath(id), "\(root)/quarantine/\(id.raw.hex)")
  }

  public func remove(_ id: BlobID) throws(BlobStoreError) {
    guard contains(id) else { throw .missing(id) }
    resident.forget(id)
    try delete(blobPath(id))
  }

  public func list() throws(BlobStoreError) -> [BlobID] {
    var found: [BlobID] = []
    for folder in try names("\(root)/blobs") {
      found += try names("\(root)/blobs/\(folder)").compactMap { name in
        Bytes32(hex: name).map { BlobID($0) }
      }
    }
    return found.sorted()
  }

  public func totalBytes() throws(BlobStoreError) -> ByteCount {
    try list().reduce(.zero) { $0 + ByteCount(size(blobPath($1)) ?? 0) }
  }

  public func freeBytes() throws(BlobStoreError) -> ByteCount {
    try BlobFile.freeBytes(under: root)
  }
}

extension DirectoryBlobStore {
  private func blobPath(_ id: BlobID) -> String {
    let hex = id.raw.hex
    return "\(root)/blobs/\(hex.prefix(2))/\(hex)"
  }

  private func partPath(_ id: BlobID) -> String { "\(root)/parts/\(id.raw.hex).part" }

  private func checkSize(_ id: BlobID, _ size: UInt64) throws(BlobStoreError) {
    guard size <= UInt64(Limits.blobBytes) else {
      throw .tooLarge(id, limit: Limits.blobBytes, size: size)
    }
  }

  /// Nil where there is no such file.
  private func size(_ path: String) -> UInt64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return UInt64(status.st_size)
  }

  private func mapped(_ path: String) throws(BlobStoreError) -> MappedFile {
    do { return try MappedFile(path: path) } catch {
      throw .system(call: error.call, path: path, code: error.code)
    }
  }

  private func hashOfFile(_ path: String) throws(BlobStoreError) -> Bytes32 {
    let file = try mapped(path)
    return unsafe hash(file.bytes)
  }

  private func publish(_ path: String, _ id: BlobID) throws(BlobStoreError) {
    let folder = "\(root)/blobs/\(id.raw.hex.prefix(2))"
    try makeFolder(folder)
    try move(path, blobPath(id))
    // The new name itself must reach the disk.
    try BlobFile(folder, .folder).synchronize()
  }

  private func makeFolder(_ path: String) throws(BlobStoreError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      let code = errno
      // Another thread may have made it in between.
      var isFolder: ObjCBool = false
      guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
        isFolder.boolValue
      else { throw .system(call: "mkdir", path: path, code: code) }
    }
  }

  private func move(_ from: String, _ to: String) throws(BlobStoreError) {
    guard unsafe rename(from, to) == 0 else {
      throw .system(call: "rename", path: to, code: errno)
    }
  }

  private func delete(_ path: String) throws(BlobStoreError) {
    guard unsafe unlink(path) == 0 else { throw .system(call: "unlink", path: path, code: errno) }
  }

  /// After a failure that is reported already.
  private func discard(_ path: String) { _ = unsafe unlink(path) }

  private func names(_ folder: String) throws(BlobStoreError) -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      throw .system(call: "readdir", path: folder, code: errno)
    }
  }
}

extension MappedFile: MappedBlob {}
