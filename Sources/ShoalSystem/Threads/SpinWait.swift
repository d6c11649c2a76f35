// Waiting without sleep, for a bounded time: a wake-up from the kernel costs about 30 microseconds.

import CPlatform

enum SpinWait {
  /// Looks at `done` until it is true or `nanoseconds` have passed; returns the last look.
  static func until(_ nanoseconds: Int64, _ done: () -> Bool) -> Bool {
    if done() { return true }
    guard nanoseconds > 0 else { return false }
    let end = SystemClock.nanoseconds() + nanoseconds
    while true {
      // The clock costs as much as ten looks.
      for _ in 0..<16 {
        shoal_cpu_relax()
        if done() { return true }
      }
      if SystemClock.nanoseconds() >= end { return done() }
    }
  }
}
