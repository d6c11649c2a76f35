// What the gateway counts for /metrics.

import ShoalNode
import ShoalProtocol
import Synchronization

/// Counts since the start.
final class Counters: Sendable {
  struct Values: Sendable {
    var requests = 0
    /// By status.
    var refusals: [Int: Int] = [:]
    var jobs = 0
    var jobFailures = 0
    var tokens = 0
    var promptTokens = 0
    /// Terms that followed the loss of a peer.
    var failovers = 0
    /// Bytes of partial sums, as the rank says that computed longest.
    var sumBytes: UInt64 = 0
    /// Seconds: in the queue, from there to the first token, between tokens.
    var queued = Histogram.seconds
    var firstToken = Histogram.seconds
    var tokenGap = Histogram.seconds
    /// Seconds from a token's choice until it is handed to the client's connection.
    var delivery = Histogram.seconds
    /// Seconds of each token at the rank that computed longest.
    var compute = Histogram.seconds
    var exchange = Histogram.seconds
    var wait = Histogram.seconds
  }

  private let state = Mutex(Values())

  var values: Values { state.withLock { $0 } }

  func count(_ change: @Sendable (inout Values) -> Void) { state.withLock { change(&$0) } }
}

/// Counts what one generation tells.
struct JobMeter: Sendable {
  private let counters: Counters
  private let start: Moment
  private var lastToken: Moment?

  init(_ counters: Counters, start: Moment) {
    self.counters = counters
    self.start = start
  }

  mutating func note(_ event: GenerationEvent, at moment: Moment) {
    switch event {
    case .fetching, .started, .witnesses, .interrupted: break
    case .continued: counters.count { $0.failovers += 1 }
    case .token(let token):
      let since = (moment - (lastToken ?? start)).inSeconds
      let isFirst = lastToken == nil
      lastToken = moment
      let cost = token.cost
      counters.count { values in
        if isFirst { values.firstToken.observe(since) } else { values.tokenGap.observe(since) }
        values.compute.observe(Double(cost.compute) / 1e9)
        values.exchange.observe(Double(cost.exchange) / 1e9)
        values.wait.observe(Double(cost.wait) / 1e9)
        values.sumBytes += cost.bytesSent
      }
    }
  }
}
