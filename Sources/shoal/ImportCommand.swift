// `shoal import FILE`: cuts a GGUF file into atoms in the store.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalProtocol

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Brings a GGUF file into the store.")

  @Argument(help: "A GGUF file.") var file: String
  @Option(help: "What to call it (default: the file's name).") var name: String?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let bar = ProgressBar("importing")
    let facts: ModelFacts
    let path = URL(fileURLWithPath: file).path
    if let client = try await peer.client() {
      facts = try await client.importModel(path: path, name: name) { bar.show($0, $1) }
    } else {
      let entry = try peer.data.open().importModel(path: path, name: name) { bar.show($0, $1) }
      facts = ModelFacts(entry)
    }
    bar.finish()
    if json { return try JSONOutput.print(facts) }
    print("\(facts.name)  \(ByteCount(facts.bytes))  \(facts.model)")
  }
}
