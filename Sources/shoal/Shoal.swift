// The one program: every command is a file of its own.

import ArgumentParser

@main
struct Shoal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shoal",
    abstract: "Runs one transformer across the machines you already own.",
    version: "0.1.0",
    subcommands: [
      PeerCommand.self,
      RunCommand.self,
      ImportCommand.self,
      ModelsCommand.self,
      PeersCommand.self,
      PlanCommand.self,
      LeaveCommand.self,
      AssessCommand.self,
      NetCommand.self,
      EmulateCommand.self,
      PerplexityCommand.self,
    ])
}
