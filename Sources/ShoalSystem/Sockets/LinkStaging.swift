// Bytes that arrived while this side was still sending.

import ShoalProtocol

/// First in, first out; grows by doubling up to `Limits.linkStagingBytes` and keeps what it has,
/// so that a steady exchange allocates once.
@safe struct LinkStaging: ~Copyable {
  private var storage = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var start = 0
  private var end = 0
  private let limit: Int

  init(limit: Int = Limits.linkStagingBytes) { self.limit = limit }

  deinit { unsafe storage.deallocate() }

  var isEmpty: Bool { start == end }
  /// Whether `append` has room.
  var hasRoom: Bool { end - start < limit }

  /// Moves what is there into `buffer`; returns how much.
  mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(end - start, buffer.count)
    guard count > 0 else { return 0 }
    unsafe buffer.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: storage[start..<start + count]))
    start += count
    if start == end { (start, end) = (0, 0) }
    return count
  }

  /// Lets `fill` write into free space; it says how much it wrote. `hasRoom` must hold.
  mutating func append(_ fill: (UnsafeMutableRawBufferPointer) -> Transfer) -> Transfer {
    makeRoom()
    let transfer = unsafe fill(UnsafeMutableRawBufferPointer(rebasing: storage[end...]))
    if case .moved(let count) = transfer { end += count }
    return transfer
  }

  private mutating func makeRoom() {
    guard unsafe end == storage.count else { return }
    let count = end - start
    let old = unsafe storage
    if start == 0 {
      unsafe storage = UnsafeMutableRawBufferPointer.allocate(
        byteCount: min(limit, max(1 << 20, 2 * count)), alignment: 64)
    }
    if count > 0 {
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: old[start..<end])
      if let target = unsafe storage.baseAddress, let source = bytes.baseAddress {
        unsafe target.copyMemory(from: source, byteCount: count)
      }
    }
    if start == 0 { unsafe old.deallocate() }
    (start, end) = (0, count)
  }
}
