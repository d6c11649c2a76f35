// One file being written, with errors in the store's terms.

import ShoalNode
import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Open as long as this value lives.
struct BlobFile: ~Copyable {
  enum Purpose {
    /// Empty, whatever was there.
    case replace
    /// Keeps what was there.
    case extend
    /// A folder, to make its names durable.
    case folder
  }

  private let path: String
  private let descriptor: Int32

  init(_ path: String, _ purpose: Purpose) throws(BlobStoreError) {
    let flags =
      switch purpose {
      case .replace: O_WRONLY | O_CREAT | O_TRUNC
      case .extend: O_WRONLY | O_CREAT
      case .folder: O_RDONLY
      }
    self.path = path
    descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BlobFile.error("open", path, need: 0) }
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlobStoreError) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = unsafe pwrite(
        descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(written))
      if count < 0 {
        if errno == EINTR { continue }
        throw BlobFile.error("write", path, need: rest.count)
      }
      written += count
    }
  }

  func synchronize() throws(BlobStoreError) {
    guard fsync(descriptor) == 0 else { throw BlobFile.error("fsync", path, need: 0) }
  }

  /// Where the system can: pages that are on disk leave its cache (posix_fadvise(2)).
  func dropFromCache() throws(BlobStoreError) {
    try synchronize()
    #if os(Linux)
      _ = posix_fadvise(descriptor, 0, 0, Int32(POSIX_FADV_DONTNEED))
    #endif
  }

  /// Takes back what a failed write left.
  func truncate(to size: UInt64) { _ = ftruncate(descriptor, off_t(size)) }

  static func freeBytes(under path: String) throws(BlobStoreError) -> ByteCount {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else {
      throw .system(call: "statvfs", path: path, code: errno)
    }
    return ByteCount(UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  private static func error(_ call: String, _ path: String, need: Int) -> BlobStoreError {
    let code = errno
    guard code == ENOSPC || code == EDQUOT || code == EFBIG else {
      return .system(call: call, path: path, code: code)
    }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var status = statvfs()
    let known = unsafe statvfs(folder, &status) == 0
    return .diskFull(
      path: path, need: ByteCount(need),
      available: known ? ByteCount(UInt64(status.f_bavail) * UInt64(status.f_frsize)) : .zero)
  }
}
