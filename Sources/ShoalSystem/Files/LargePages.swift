// Weights in pages of 2 MiB. A core that streams weights through pages of 4 KiB looks up a
// translation for every 64 lines, in a virtual machine through two tables: it reads a fifth less.

package import ShoalNode
package import ShoalProtocol
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Anonymous memory that the system was asked to back with large pages; filled from the front.
@safe final class LargePageRegion: @unchecked Sendable {
  static let byteCount = 64 << 20
  static let pageBytes = 2 << 20

  private let mapping: UnsafeMutableRawBufferPointer
  private let memory: UnsafeMutableRawPointer
  private let used = Mutex(0)

  /// Nil where the system has no such pages to give.
  init?() {
    #if os(Linux)
      let length = Self.byteCount + Self.pageBytes
      let start = unsafe mmap(
        nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let start = unsafe start, unsafe start != MAP_FAILED else { return nil }
      unsafe mapping = UnsafeMutableRawBufferPointer(start: start, count: length)
      unsafe memory = start.alignedUp(toMultipleOf: Self.pageBytes)
      // MADV_HUGEPAGE of madvise(2), which Glibc's module does not name. EINVAL: not built in.
      guard unsafe madvise(memory, Self.byteCount, 14) == 0 else { return nil }
    #else
      return nil
    #endif
  }

  deinit { unsafe munmap(mapping.baseAddress.unsafelyUnwrapped, mapping.count) }

  /// `count` bytes at a multiple of 64; nil where no room is left.
  func take(_ count: Int) -> UnsafeMutableRawBufferPointer? {
    let start = used.withLock { used -> Int? in
      let end = used + (count + 63) / 64 * 64
      guard end <= Self.byteCount else { return nil }
      defer { used = end }
      return used
    }
    guard let start else { return nil }
    return unsafe UnsafeMutableRawBufferPointer(start: memory + start, count: count)
  }
}

/// Blobs that ranks compute with, copied once and kept for the jobs to come.
///
/// Where memory is short, all copies that no job uses are let go, and the file itself is mapped.
package final class ResidentBlobs: Sendable {
  @safe private final class Copy: MappedBlob, @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
    private let region: LargePageRegion

    init?(_ count: Int, in region: LargePageRegion) {
      guard let memory = unsafe region.take(count) else { return nil }
      unsafe self.memory = unsafe memory
      self.region = region
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(memory) }
  }

  private struct State {
    var copies: [BlobID: Copy] = [:]
    var region: LargePageRegion?
  }
  private let state = Mutex(State())
  private let hasRoom: @Sendable () -> Bool

  /// - Parameter hasRoom: whether the system can spare another region.
  package init(hasRoom: @escaping @Sendable () -> Bool = ResidentBlobs.systemHasRoom) {
    self.hasRoom = hasRoom
  }

  /// A quarter of all memory is left to others.
  package static func systemHasRoom() -> Bool {
    let facts = DeviceProbe.facts()
    return facts.availableMemory.bytes
      > UInt64(LargePageRegion.byteCount) + facts.memory.bytes / 4
  }

  /// The copy of a blob, made of `source` where there is none yet; `source` itself where there is
  /// no room, or where a copy would gain little.
  package func blob(_ id: BlobID, of source: () throws(BlobStoreError) -> any MappedBlob)
    throws(BlobStoreError) -> any MappedBlob
  {
    if let copy = state.withLock({ $0.copies[id] }) { return copy }
    let file = try source()
    let count = unsafe file.bytes.count
    guard count <= LargePageRegion.byteCount, let copy = room(for: count) else { return file }
    unsafe copy.memory.copyMemory(from: file.bytes)
    return state.withLock { state in
      if let first = state.copies[id] { return first }
      state.copies[id] = copy
      return copy
    }
  }

  package func forget(_ id: BlobID) { state.withLock { $0.copies[id] = nil } }

  private func room(for count: Int) -> Copy? {
    state.withLock { state in
      if let region = state.region, let copy = Copy(count, in: region) { return copy }
      if !hasRoom() { (state.copies, state.region) = ([:], nil) }
      guard hasRoom(), let region = LargePageRegion() else { return nil }
      state.region = region
      return Copy(count, in: region)
    }
  }
}
