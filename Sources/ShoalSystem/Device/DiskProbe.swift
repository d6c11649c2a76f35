// How fast the disk under a folder is, in under a second.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sequential bytes per second, measured.
public struct DiskSpeed: Hashable, Sendable {
  /// Written and on the disk.
  public let writeBytesPerSecond: UInt64
  /// Read back after asking the system to drop its copy; where it keeps it, the memory's speed.
  public let readBytesPerSecond: UInt64
}

public enum DiskProbe {
  /// Writes and reads a file of its own in `folder`, up to 64 MiB and about half a second each way,
  /// and removes it.
  ///
  /// - Throws: `SystemCallError`, for a full disk too.
  public static func measure(in folder: String) throws(SystemCallError) -> DiskSpeed {
    let path = "\(folder)/.probe-\(Entropy().next())"
    let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .last("open", path) }
    defer {
      close(file)
      unsafe unlink(path)
    }
    var block = [UInt8](repeating: 0, count: 4 << 20)
    let entropy = Entropy()
    // Not zeros: some file systems would store nothing.
    unsafe block.withUnsafeMutableBytes { unsafe entropy.fill($0) }
    let written = try timed("write", path) { offset in
      let count = unsafe pwrite(file, block, block.count, offset)
      return count < 0 || fsync(file) != 0 ? -1 : count
    }
    #if os(Linux)
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    #endif
    let read = try timed("read", path) { offset in
      unsafe pread(file, &block, block.count, offset)
    }
    return DiskSpeed(writeBytesPerSecond: written, readBytesPerSecond: read)
  }

  /// Calls `step` with growing offsets until it moves nothing, 64 MiB or half a second.
  private static func timed(
    _ call: String, _ path: String, _ step: (off_t) -> Int
  ) throws(SystemCallError) -> UInt64 {
    let start = SystemClock.nanoseconds()
    var moved = 0
    var elapsed: Int64 = 0
    while moved < 64 << 20, elapsed < 500_000_000 {
      let count = step(off_t(moved))
      if count < 0 { throw .last(call, path) }
      if count == 0 { break }
      moved += count
      elapsed = SystemClock.nanoseconds() - start
    }
    return UInt64(Double(moved) * 1e9 / Double(max(1, elapsed)))
  }
}
