// `shoal net join`: keeps a network in the data directory, so that `shoal peer` needs no flag.

import ArgumentParser
import Foundation
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct NetJoinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Makes a network the one that `shoal peer` takes part in.")

  @Argument(help: "A descriptor file, an invite, or lan.") var network: String
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func run() throws {
    let source = try NetworkSource(network)
    try source.check(at: .now())
    let documents = try DirectoryDocuments(path: data.url.path)
    let before = try NetworkDescriptor.joined(documents)
    try source.network.join(documents)
    if let warning = source.network.warning { Terminal.printError(warning) }
    if json { return try JSONOutput.print(NetworkFactsOutput(source, withKey: false)) }
    if let before, before.id != source.network.id { print("left \(before.name) (\(before.id))") }
    print("joined \(source.network.name) (\(source.network.id)); next: shoal peer")
  }
}
