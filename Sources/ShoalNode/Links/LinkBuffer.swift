// The memory of a link: taken once, reused for every frame.

/// Bytes that grow to the largest frame seen and then stay.
@safe struct LinkBuffer: ~Copyable {
  private(set) var bytes: UnsafeMutableRawBufferPointer

  init(count: Int) { unsafe bytes = .allocate(byteCount: count, alignment: 64) }

  deinit { unsafe bytes.deallocate() }

  /// Makes room for `count` bytes. What was there is lost.
  mutating func reserve(_ count: Int) {
    guard unsafe bytes.count < count else { return }
    unsafe bytes.deallocate()
    unsafe bytes = .allocate(byteCount: count + count / 2, alignment: 64)
  }
}

/// Bytes that have arrived and wait to be read, first in, first out.
@safe struct ReadAhead: ~Copyable {
  private var bytes: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0

  init(count: Int) { unsafe bytes = .allocate(byteCount: count, alignment: 64) }

  deinit { unsafe bytes.deallocate() }

  /// Bytes that wait.
  var count: Int { end - start }
  var unread: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end])
  }
  /// Where the next bytes go.
  var free: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
  }

  mutating func add(_ count: Int) { end += count }

  /// Counts bytes as read. They stay where they are until the next `reserve`.
  mutating func take(_ count: Int) { start += count }

  /// Makes room for `count` waiting bytes in all.
  mutating func reserve(_ count: Int) {
    if start == end { (start, end) = (0, 0) }
    guard unsafe bytes.count - start < count else { return }
    let waiting = unsafe UnsafeRawBufferPointer(unread)
    let old = unsafe bytes
    let grows = unsafe bytes.count < count
    if grows { unsafe bytes = .allocate(byteCount: count + count / 2, alignment: 64) }
    unsafe bytes.copyMemory(from: waiting)
    if grows { unsafe old.deallocate() }
    (start, end) = (0, waiting.count)
  }
}
