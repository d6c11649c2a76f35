// Memory that a session takes once and every token reuses.

/// Zeroed elements at a fixed address. One owner; pieces of a step write parts that do not overlap.
@safe final class Buffer<Element: BitwiseCopyable> {
  let elements: UnsafeMutableBufferPointer<Element>

  init(count: Int, zero: Element) {
    unsafe elements = .allocate(capacity: max(count, 1))
    unsafe elements.initialize(repeating: zero)
  }

  deinit { unsafe elements.deallocate() }

  var count: Int { unsafe elements.count }

  /// From element `start` to the end.
  func from(_ start: Int) -> UnsafeMutableBufferPointer<Element> {
    unsafe UnsafeMutableBufferPointer(rebasing: elements[start...])
  }

  /// The address of element `start`, which exists.
  func pointer(_ start: Int) -> UnsafeMutablePointer<Element> {
    precondition(unsafe start >= 0 && start < elements.count)
    return unsafe elements.baseAddress.unsafelyUnwrapped + start
  }

  func clear(_ start: Int = 0, count: Int, to zero: Element) {
    unsafe UnsafeMutableBufferPointer(rebasing: elements[start..<start + count])
      .update(repeating: zero)
  }
}
