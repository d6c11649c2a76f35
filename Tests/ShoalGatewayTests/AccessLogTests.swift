// What the log says of requests: what was asked for and what it came to, never what was in it.

import Logging
import NIOHTTP1
import ShoalGateway
import Synchronization
import Testing

/// Keeps what is logged, as pairs.
private struct KeptLog: LogHandler {
  final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  let lines: Lines
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let own = event.metadata ?? [:]
    let pairs = ["method", "path", "status"].compactMap { own[$0].map { "\($0)" } }
    let rest = own.keys.sorted().joined(separator: ",")
    let line = ([event.level.rawValue] + pairs + [rest]).joined(separator: " ")
    lines.all.withLock { $0.append(line) }
  }
}

@Suite struct AccessLogTests {
  @Test("each request is one line: method, path, status, and nothing that a client sent")
  func lines() async throws {
    let lines = KeptLog.Lines()
    let logger = Logger(label: "test") { _ in KeptLog(lines: lines) }
    try await served(FakeNode(), key: "s3cret", logger: logger) { address in
      var headers = HTTPHeaders([("Authorization", "Bearer s3cret")])
      _ = try await raw(.GET, "/v1/models?token=hidden", to: address, headers: headers)
      _ = try await raw(
        .POST, "/v1/completions", to: address, headers: headers,
        body: #"{"model":"tiny","prompt":"confession","max_tokens":2}"#)
      headers.replaceOrAdd(name: "Authorization", value: "Bearer guess")
      _ = try await raw(.GET, "/v1/models", to: address, headers: headers)
    }
    let keys = "method,milliseconds,path,status"
    #expect(
      lines.all.withLock { $0 } == [
        "debug GET /v1/models 200 \(keys)", "debug POST /v1/completions 200 \(keys)",
        "info GET /v1/models 401 \(keys)",
      ])
  }
}
