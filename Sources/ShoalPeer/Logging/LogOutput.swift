// Writes lines of a log where whoever logs never waits: a terminal may be held, a pipe unread.

import Dispatch
public import Foundation
import Synchronization

public final class LogOutput: Sendable {
  /// Lines that wait to be written; further ones are dropped and counted.
  public static let limit = 1_024

  public static let standardError = LogOutput {
    // A log that cannot be written has nobody to tell.
    try? FileHandle.standardError.write(contentsOf: $0)
  }

  private struct Waiting {
    var lines = 0
    var dropped = 0
  }

  private let queue = DispatchQueue(label: "shoal.log")
  private let waiting = Mutex(Waiting())
  private let put: @Sendable (Data) -> Void

  /// - Parameter put: writes whole lines, and may take its time.
  public init(put: @escaping @Sendable (Data) -> Void) { self.put = put }

  public func write(_ line: String) {
    let isTaken = waiting.withLock { waiting in
      guard waiting.lines < Self.limit else {
        waiting.dropped += 1
        return false
      }
      waiting.lines += 1
      return true
    }
    guard isTaken else { return }
    queue.async { [self] in
      let dropped = waiting.withLock { waiting in
        waiting.lines -= 1
        defer { waiting.dropped = 0 }
        return waiting.dropped
      }
      let notice = dropped == 0 ? "" : "\(dropped) lines of this log were dropped\n"
      put(Data((notice + line + "\n").utf8))
    }
  }

  /// Waits until what was written so far is out, but not for ever.
  public func flush(within milliseconds: Int = 500) {
    let done = DispatchSemaphore(value: 0)
    queue.async { done.signal() }
    _ = done.wait(timeout: .now() + .milliseconds(milliseconds))
  }
}
