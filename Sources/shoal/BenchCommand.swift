// `shoal bench`: how fast the parts of a job are on this machine.

import ArgumentParser
import ShoalNode
import ShoalProtocol

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the data path on this machine.")

  @OptionGroup var sync: SyncBenchOptions
  @Flag(help: "Print facts as JSON.") var json = false

  func run() async throws {
    guard sync.sync else { throw ValidationError("say what to measure: --sync") }
    try await sync.run(json: json)
  }
}
