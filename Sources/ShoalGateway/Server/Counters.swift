// What the gateway counts for /metrics.

import Synchronization

/// Counts since the start.
final class Counters: Sendable {
  struct Values: Sendable {
    var requests = 0
    var refusals = 0
    var jobs = 0
    var jobFailures = 0
    var tokens = 0
    var promptTokens = 0
  }

  private let state = Mutex(Values())

  var values: Values { state.withLock { $0 } }

  func count(_ change: @Sendable (inout Values) -> Void) { state.withLock { change(&$0) } }
}
