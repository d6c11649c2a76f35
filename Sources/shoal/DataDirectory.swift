// Where a peer keeps what it has: `--data`, else SHOAL_DATA, else ~/.shoal.

import ArgumentParser
import Foundation
import ShoalPeer
import ShoalSecurity

/// The option that every command with a store takes.
struct DataDirectory: ParsableArguments {
  @Option(name: .customLong("data"), help: "The data directory (default: $SHOAL_DATA or ~/.shoal).")
  var path: String?

  var url: URL {
    let environment = ProcessInfo.processInfo.environment
    if let path = path ?? environment["SHOAL_DATA"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: environment["HOME"] ?? ".").appendingPathComponent(".shoal")
  }

  /// What said where it is.
  var source: String {
    if path != nil { return "--data" }
    return ProcessInfo.processInfo.environment["SHOAL_DATA"] == nil ? "default" : "SHOAL_DATA"
  }

  func open() throws -> LocalStore {
    try LocalStore(url) { prompt in
      Terminal.secret(prompt).map { SecretBytes(Array($0.utf8)) }
    }
  }
}
