// A number that threads change without locks and sleep on until it changes.

import CPlatform
import Synchronization

/// An atomic 32-bit word with a cache line of its own. All operations are sequentially
/// consistent: the sleep protocols below rely on one order that all threads agree on.
@safe struct FutexWord: ~Copyable, @unchecked Sendable {
  /// `Atomic` is laid out like its value, so its address is what the kernel compares.
  private let cell: UnsafeMutablePointer<Atomic<UInt32>>

  /// Two lines of 64 bytes, since the prefetcher of x86 takes them in pairs.
  private static let lineBytes = 128

  init(_ value: UInt32 = 0) {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: FutexWord.lineBytes, alignment: FutexWord.lineBytes)
    unsafe cell = raw.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
    unsafe cell.initialize(to: Atomic(value))
  }

  deinit {
    unsafe cell.deinitialize(count: 1)
    unsafe cell.deallocate()
  }

  func load() -> UInt32 { unsafe cell.pointee.load(ordering: .sequentiallyConsistent) }

  func store(_ value: UInt32) {
    unsafe cell.pointee.store(value, ordering: .sequentiallyConsistent)
  }

  /// The value after the addition, which wraps.
  @discardableResult
  func add(_ amount: UInt32) -> UInt32 {
    unsafe cell.pointee.wrappingAdd(amount, ordering: .sequentiallyConsistent).newValue
  }

  @discardableResult
  func subtract(_ amount: UInt32) -> UInt32 {
    unsafe cell.pointee.wrappingSubtract(amount, ordering: .sequentiallyConsistent).newValue
  }

  /// Sleeps unless the word is no longer `value`. May return for no reason: look again.
  func sleep(while value: UInt32) {
    unsafe shoal_futex_wait(cell, value, -1)
  }

  func wake(_ count: Int) {
    unsafe shoal_futex_wake(cell, Int32(clamping: count))
  }

  func wakeAll() { wake(.max) }
}
