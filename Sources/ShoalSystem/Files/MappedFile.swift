// A file as bytes in memory, read from disk as they are touched.

public import ShoalInference

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A read-only mapping of a whole file, for as long as this object lives.
///
/// Whoever shortens the file meanwhile ends this process (SIGBUS). Shoal maps only files of its
/// own store, which it never shortens, and models while it imports them.
@safe public final class MappedFile: ByteSource, @unchecked Sendable {
  public let path: String
  /// The whole file. Valid while this object lives.
  public let bytes: UnsafeRawBufferPointer

  /// - Throws: `SystemCallError` naming the path.
  public init(path: String) throws(SystemCallError) {
    self.path = path
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .last("open", path) }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw .last("fstat", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SystemCallError(call: "open", subject: path, code: EISDIR)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw .last("mmap", path)
    }
    unsafe bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    guard let address = unsafe bytes.baseAddress else { return }
    unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
  }

  public var name: String { path }
  public var byteCount: UInt64 { unsafe UInt64(bytes.count) }

  public func withBytes<Result>(
    _ range: Range<UInt64>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard range.upperBound <= byteCount else {
      throw ByteSourceError.outOfRange(source: name, need: range, byteCount: byteCount)
    }
    let whole = Int(range.lowerBound)..<Int(range.upperBound)
    return try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[whole]))
  }

  /// Says that few bytes will be read, far apart: a touch then brings its own page only, not the 16
  /// around it (Linux: fault-around) or those that follow. Not for what is read as a whole: a cold
  /// file comes at 0.08 GB/s instead of 2.
  public func expectScatteredReads() {
    guard let base = unsafe bytes.baseAddress else { return }
    _ = unsafe madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_RANDOM)
  }

  /// Reads `range` from disk now, so that no later touch waits for it. What is past the end is
  /// left out. Returns false where the system cannot (before Linux 5.14, or short of memory):
  /// the bytes then come as they are touched.
  @discardableResult
  public func populate(_ range: Range<UInt64>) -> Bool {
    let end = min(range.upperBound, byteCount)
    guard let base = unsafe bytes.baseAddress, range.lowerBound < end else { return true }
    let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))
    let start = range.lowerBound / page * page
    let address = unsafe UnsafeMutableRawPointer(mutating: base + Int(start))
    #if os(Linux)
      // MADV_POPULATE_READ of Linux 5.14 (madvise(2)), which Glibc's module does not name.
      return unsafe madvise(address, Int(end - start), 22) == 0
    #else
      return unsafe madvise(address, Int(end - start), MADV_WILLNEED) == 0
    #endif
  }
}
