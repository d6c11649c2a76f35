// A file that traces are appended to, one JSON object on each line, as OpenTelemetry's collectors
// read them.

import Foundation
import ShoalGateway
import Synchronization

enum TraceFile {
  /// Makes the file where there is none.
  static func sink(appendingTo path: String) throws -> TraceSink {
    if !FileManager.default.fileExists(atPath: path) {
      guard FileManager.default.createFile(atPath: path, contents: nil) else {
        throw UserError("\(path) cannot be made: give --traces a file that may be written")
      }
    }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw UserError("\(path) cannot be written: give --traces a file that may be written")
    }
    try handle.seekToEnd()
    let file = Mutex(handle)
    return { json in
      file.withLock { handle in
        // A full disk costs a trace, not a job.
        try? handle.write(contentsOf: json + Data("\n".utf8))
      }
    }
  }
}
