// `shoal import FILE`: cuts a GGUF file into atoms in the store.

import ArgumentParser
import ShoalLedger
import ShoalProtocol

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Brings a GGUF file into the store.")

  @Argument(help: "A GGUF file.") var file: String
  @Option(help: "What to call it (default: the file's name).") var name: String?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func run() async throws {
    let store = try data.open()
    let bar = ProgressBar("importing")
    let entry = try store.importModel(path: file, name: name) { bar.show($0, $1) }
    bar.finish()
    if json {
      try JSONOutput.print(ImportFacts(entry))
    } else {
      print("\(entry.name)  \(ByteCount(entry.byteCount))  \(entry.model.raw.hex)")
    }
  }
}

/// `import --json` and one element of `models --json`.
struct ImportFacts: Encodable {
  let name: String
  let model: String
  let publisher: String
  let bytes: UInt64
}
