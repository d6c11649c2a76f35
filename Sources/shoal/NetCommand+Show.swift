// `shoal net show`: what a descriptor or an invite says, without its key.

import ArgumentParser
import ShoalSystem

struct NetShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Says what a network is.")

  @OptionGroup var network: NetworkArgument
  @Flag(help: "Print the network's key too.") var secret = false
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func run() throws {
    let facts = NetworkFactsOutput(try network.source(data), withKey: secret)
    if json { return try JSONOutput.print(facts) }
    for line in facts.lines { print(line) }
  }
}
