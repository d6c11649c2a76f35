// `shoal models`: what the store has.

import ArgumentParser
import Foundation
import ShoalLedger
import ShoalProtocol

struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Lists the models that there are.")

  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func run() async throws {
    let models = try data.open().registry().models
    if json { return try JSONOutput.print(models.map { ImportFacts($0) }) }
    if models.isEmpty { print("no models yet: `shoal import FILE` brings one in") }
    let width = models.map(\.name.count).max() ?? 0
    for entry in models {
      let name = entry.name.padding(toLength: width, withPad: " ", startingAt: 0)
      print("\(name)  \(ByteCount(entry.byteCount))  \(entry.model.short)")
    }
  }
}

extension ImportFacts {
  init(_ entry: ModelEntry) {
    self.init(
      name: entry.name, model: entry.model.raw.hex, publisher: entry.publisher.raw.hex,
      bytes: entry.byteCount)
  }
}
