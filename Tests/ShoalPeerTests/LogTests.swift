// What a peer's log looks like, and what never gets into it.

import Foundation
import Logging
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

/// Keeps lines instead of writing them.
final class KeptLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }

  func logger(_ format: LogFormat, _ level: Logger.Level = .info) -> Logger {
    Logger(
      label: "shoal", format: format, level: level, unixMilliseconds: { 1_700_000_000_123 },
      write: { line in self.lines.withLock { $0.append(line) } })
  }
}

@Suite struct LogTests {
  @Test("text is for people: time, level, message, sorted pairs") func text() {
    let kept = KeptLines()
    kept.logger(.text).notice(
      "peer lost", metadata: ["peer": "1a2b3c4d", "after": .stringConvertible(7), "why": "no word"])
    #expect(
      kept.all == [
        #"2023-11-14T22:13:20.123Z notice   peer lost after=7 peer=1a2b3c4d why="no word""#
      ])
  }

  @Test("JSON is for programs: one object a line, numbers as numbers") func json() {
    let kept = KeptLines()
    var logger = kept.logger(.json)
    logger[metadataKey: "network"] = "lan"
    logger.info(
      "job ended",
      metadata: ["tokens": .stringConvertible(12), "time": "late", "peers": ["a", "b"]])
    #expect(
      kept.all == [
        #"{"time":"2023-11-14T22:13:20.123Z","level":"info","logger":"shoal","#
          + #""message":"job ended","network":"lan","peers":["a","b"],"time_":"late","tokens":12}"#
      ])
  }

  @Test("nobody can write a line of their own into it", arguments: LogFormat.allCases)
  func injection(_ format: LogFormat) {
    let kept = KeptLines()
    kept.logger(format).info(
      "model named", metadata: ["name": "a\n2023 error \u{1B}[31mfake\u{2028}\" x=y", "empty": ""])
    #expect(kept.all.count == 1)
    for line in kept.all {
      #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
      #expect(!line.contains(" error \u{1B}"))
    }
  }

  @Test("what is below the level is not said") func levels() {
    let kept = KeptLines()
    let logger = kept.logger(.text, .notice)
    logger.info("peer joined")
    logger.warning("job failed")
    #expect(kept.all.count == 1)
  }

  @Test("an output that is stuck holds nobody up: lines are dropped, and counted") func stuck() {
    let (gate, entered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let written = Mutex<[String]>([])
    let output = LogOutput { data in
      entered.signal()
      gate.wait()
      written.withLock { $0.append(String(decoding: data, as: UTF8.self)) }
    }
    output.write("first")
    entered.wait()
    for number in 0..<(LogOutput.limit + 5) { output.write("\(number)") }
    output.flush(within: 0)
    for _ in 0...LogOutput.limit { gate.signal() }
    output.flush(within: 60_000)
    let lines = written.withLock { $0 }
    #expect(lines.count == 1 + LogOutput.limit)
    #expect(lines[0] == "first\n")
    #expect(lines[1] == "5 lines of this log were dropped\n0\n")
    #expect(lines.last == "\(LogOutput.limit - 1)\n")
  }

  @Test("a setting says how and how much is logged") func settings() throws {
    func options(_ environment: [String: String]) throws -> PeerOptions {
      try PeerOptions(PeerSettings(flags: [:], environment: environment, file: nil))
    }
    #expect(try options([:]).logger.logLevel == .notice)
    #expect(try options(["SHOAL_LOG_LEVEL": "debug"]).logger.logLevel == .debug)
    _ = try options(["SHOAL_LOG": "json"])
    for (variable, value) in [("SHOAL_LOG", "xml"), ("SHOAL_LOG_LEVEL", "loud")] {
      let error = #expect(throws: PeerError.self) { try options([variable: value]) }
      guard case .setting(variable, value, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }
}
