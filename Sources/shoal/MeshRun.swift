// A generation through the peer that runs here: shows what happens, hands back what came of it.

import Foundation
import ShoalGateway
import ShoalProtocol
import ShoalSystem

struct MeshRun {
  let client: GatewayClient
  /// Called with each piece of the text.
  let show: @Sendable (String) -> Void

  func run(_ request: RunRequest) async throws -> RunResult {
    let bar = ProgressBar("fetching atoms")
    let clock = SystemClock()
    var last: Moment?
    var stall = Duration.zero
    let result = try await client.run(request) { event in
      switch event {
      case .fetching(_, let remaining, let total): bar.show(total - remaining, total)
      case .started: bar.finish()
      case .token(_, let text, _):
        let now = clock.now()
        if let last { stall = max(stall, now - last) }
        last = now
        show(text)
      case .interrupted, .continued, .witnesses, .waiting, .finished, .failed: break
      }
    }
    return result.seen(stall: stall)
  }
}

/// The line behind a text.
struct RunSummary {
  let result: RunResult
  init(_ result: RunResult) { self.result = result }

  var text: String {
    let shares = result.peers.map {
      "\($0.id.prefix(8)) \(String(format: "%.1f", $0.share * 100))%"
    }
    return String(
      format: "%d tokens, %.2f tokens/s, by %@, digest %@", result.tokens.count,
      result.timing.tokensPerSecond, shares.joined(separator: ", "),
      String(result.digest.prefix(16)))
  }
}
