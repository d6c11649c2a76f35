// `shoal import PATH`: cuts a model into atoms in the store.

import ArgumentParser
import ShoalGateway
import ShoalProtocol

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Brings a GGUF file or a Hugging Face directory into the store.")

  @Argument(help: "A GGUF file, or a directory with config.json and safetensors.")
  var path: String
  @Option(help: "What to call it (default: the name of the file or directory).") var name: String?
  @Option(help: "A file of `shoal plan --json`: atoms get the formats that the plan holds them in.")
  var plan: String?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let facts = try await ModelArrival(peer: peer).bringIn(path: path, name: name, plan: plan)
    if json { return try JSONOutput.print(facts) }
    print("\(facts.name)  \(ByteCount(facts.bytes))  \(facts.model)")
  }
}
