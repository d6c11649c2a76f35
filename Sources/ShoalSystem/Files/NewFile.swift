// A file that must not be there yet: what a person would miss is never written over.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

public enum NewFile {
  /// Puts a file in the place of another, durably: the directory is synced.
  public static func move(_ path: String, onto target: String) throws(SystemCallError) {
    guard unsafe rename(path, target) == 0 else { throw .last("rename", target) }
    let directory = target.lastIndex(of: "/").map { String(target[..<$0]) } ?? "."
    let folder = unsafe open(directory.isEmpty ? "/" : directory, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { throw .last("open", directory) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw .last("fsync", directory) }
  }

  /// Writes all of `bytes`, or leaves no file.
  ///
  /// - Parameter isSecret: no other user may read it, not even while it is written.
  /// - Throws: `SystemCallError`; its code is `EEXIST` where there is a file already.
  public static func write(
    _ path: String, _ bytes: [UInt8], isSecret: Bool
  ) throws(SystemCallError) {
    let mode: mode_t = isSecret ? 0o600 : 0o644
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw .last("open", path) }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe pwrite(
          file, $0.baseAddress.map { unsafe $0 + written }, $0.count - written, off_t(written))
      }
      guard count > 0 || errno == EINTR else {
        let error = SystemCallError.last("write", path)
        unsafe unlink(path)
        throw error
      }
      written += max(0, count)
    }
    guard fsync(file) == 0 else {
      let error = SystemCallError.last("fsync", path)
      unsafe unlink(path)
      throw error
    }
  }
}
