// `shoal bench`: how fast this machine runs a model alone, and with --sync, how fast sums are
// exchanged.

import ArgumentParser
import ShoalPeer

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures how fast this machine runs a model alone, or exchanges sums.",
    discussion: """
      pp512 is a prompt of 512 tokens from nothing, tg64 are 64 single tokens; at a depth, so many \
      tokens come before. Figures are medians of repetitions; each test is run once before it \
      counts. No network takes part but that of this machine, and that with --sync only.
      """)

  @OptionGroup var model: ModelBenchOptions
  @OptionGroup var sync: SyncBenchOptions
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func validate() throws {
    guard sync.sync != (model.model != nil) else {
      throw ValidationError("say what to measure: a model, or --sync")
    }
  }

  func run() async throws {
    if sync.sync { return try await sync.run(json: json) }
    try model.run(data.open(), json: json)
  }
}
