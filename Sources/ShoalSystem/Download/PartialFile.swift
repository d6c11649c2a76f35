// A file that grows under another name until it is whole: `NAME.part`, and the server's tag of it.

internal import Foundation
internal import ShoalProtocol
internal import ShoalSecurity

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `path.part` while it is downloaded. An interruption leaves it, and the next attempt goes on.
final class PartialFile {
  let path: String
  private var partPath: String { path + ".part" }
  private var tagPath: String { path + ".part.etag" }
  private let descriptor: Int32

  init(path: String) throws(SystemCallError) {
    self.path = path
    descriptor = unsafe open(path + ".part", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .last("open", path + ".part") }
  }

  deinit { close(descriptor) }

  func byteCount() throws(SystemCallError) -> UInt64 {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last("fstat", partPath) }
    return UInt64(max(0, status.st_size))
  }

  /// What the server called the bytes that are here.
  var tag: String? {
    guard let bytes = FileManager.default.contents(atPath: tagPath), bytes.count <= 1_024 else {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func remember(_ tag: String) throws {
    try Data(tag.utf8).write(to: URL(fileURLWithPath: tagPath), options: .atomic)
  }

  func restart() throws(SystemCallError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .last("ftruncate", partPath) }
    guard unsafe unlink(tagPath) == 0 || errno == ENOENT else { throw .last("unlink", tagPath) }
  }

  func write(_ data: Data, at offset: UInt64) throws {
    var written = 0
    try unsafe data.withUnsafeBytes { bytes in
      while written < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
        let count = unsafe pwrite(
          descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(written))
        guard count > 0 || errno == EINTR else {
          throw SystemCallError.last("write", partPath)
        }
        written += max(0, count)
      }
    }
  }

  /// SHA-256 of all bytes, read in pieces.
  func hash() throws(SystemCallError) -> Bytes32 {
    var stream = SHA256Stream()
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    var offset: off_t = 0
    while true {
      let count = unsafe piece.withUnsafeMutableBytes {
        unsafe pread(descriptor, $0.baseAddress, $0.count, offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .last("read", partPath) }
      if count == 0 { return stream.finish() }
      unsafe piece.withUnsafeBytes { bytes in
        unsafe stream.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
      offset += off_t(count)
    }
  }

  /// Leaves no trace of a download that brought nothing.
  func dropIfEmpty() {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_size == 0 else { return }
    unsafe unlink(partPath)
    unsafe unlink(tagPath)
  }

  /// Gives the file its name, durably.
  func finish() throws(SystemCallError) {
    guard fsync(descriptor) == 0 else { throw .last("fsync", partPath) }
    guard unsafe rename(partPath, path) == 0 else { throw .last("rename", path) }
    unsafe unlink(tagPath)
  }
}
