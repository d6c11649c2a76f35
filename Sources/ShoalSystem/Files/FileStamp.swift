// Whether a file is the one that it was.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What stat(2) says of a file and every write changes. It finds what programs do to a file, not
/// what a failing disk does: that shows when the file is read after a restart.
package struct FileStamp: Hashable {
  private let device: UInt64
  private let number: UInt64
  private let size: Int64
  /// Nanoseconds. The content's time can be set back by a program, the entry's cannot.
  private let modified: Int64
  private let changed: Int64

  /// Nil where there is no such file.
  init?(_ path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(status.st_ino)
    size = Int64(status.st_size)
    #if canImport(Darwin)
      modified = Self.nanoseconds(status.st_mtimespec)
      changed = Self.nanoseconds(status.st_ctimespec)
    #else
      modified = Self.nanoseconds(status.st_mtim)
      changed = Self.nanoseconds(status.st_ctim)
    #endif
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

extension FileStamp {
  /// Says the same as long as the file at `path`, or every file in that directory, is what it was.
  /// Nil where there is nothing, or a directory that cannot be read.
  package static func text(ofFilesAt path: String) -> String? {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      return nil
    }
    guard isDirectory.boolValue else { return FileStamp(path)?.text }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
    return names.sorted().map { "\($0)\0\(FileStamp("\(path)/\($0)")?.text ?? "")" }
      .joined(separator: "\0")
  }

  private var text: String { "\(device) \(number) \(size) \(modified) \(changed)" }
}
