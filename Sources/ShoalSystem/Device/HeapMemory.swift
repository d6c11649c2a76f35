// Memory that was freed and that the allocator keeps for itself.

#if canImport(Glibc)
  import Glibc
#endif

/// The heap of this process.
package enum HeapMemory {
  /// Gives pages that are free back to the system, after work that took much and is done: glibc keeps
  /// what was freed in pieces (malloc_trim(3)). Elsewhere allocators do so by themselves.
  package static func giveBack() {
    #if canImport(Glibc)
      _ = malloc_trim(0)
    #endif
  }
}
